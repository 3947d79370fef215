"""Looking through the log for those whose office it is: only what concerns their institutions, never all of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from hospital.common.errors import Invalid, NotFound
from hospital.common.signing import key_id, public_bytes, signing_key

from .models import AuditCheckpoint, AuditEntry, AuditSeal
from .sealer import PURPOSE
from .selectors import audit_problems
from .verifier import bounds

# design value: what one request may walk through in a few seconds; longer ranges are the commands' work
WALK_MAX_N = 200_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an auditor looks for; None and empty look for everything."""

    actors: Collection[UUID] | None = None
    patient_id: UUID | None = None
    object_id: UUID | None = None
    action: str = ""
    outcome: str = ""
    start: datetime | None = None
    end: datetime | None = None


def _concerning(places: Collection[UUID]) -> Q:
    """The condition of `rules.concerns`: of these institutions, or the installation's own."""
    nobodys = Q(institution_id=None, actor_institution_id=None, patient_ids=[])
    return (
        Q(institution_id__in=places)
        | Q(actor_institution_id__in=places)
        | nobodys & Q(actor_kind__in=("system", "nobody"))
    )


def entries(places: Collection[UUID], wanted: Wanted) -> QuerySet[AuditEntry]:
    """The newest first."""
    rows = AuditEntry.objects.filter(_concerning(places))
    if wanted.actors is not None:
        rows = rows.filter(actor_id__in=wanted.actors)
    if wanted.patient_id is not None:
        rows = rows.filter(patient_ids__contains=[wanted.patient_id])
    if wanted.object_id is not None:
        rows = rows.filter(object_id=wanted.object_id)
    if wanted.action:
        rows = rows.filter(action__startswith=wanted.action)
    if wanted.outcome:
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.start is not None:
        rows = rows.filter(at__gte=wanted.start)
    if wanted.end is not None:
        rows = rows.filter(at__lt=wanted.end)
    return rows.order_by("-at", "-seq")


def entry(places: Collection[UUID], entry_id: UUID) -> tuple[AuditEntry, AuditSeal | None]:
    """One entry and its link of the chain (None: not sealed yet). NotFound for other institutions'."""
    row = AuditEntry.objects.filter(_concerning(places), id=entry_id).first()
    if row is None:
        raise NotFound()
    return row, AuditSeal.objects.filter(entry_seq=row.seq).first()


def chain_state() -> dict[str, Any]:
    """The chain's end, what waits for the sealer, what was signed last: numbers and digests, no entry."""
    end = AuditSeal.objects.order_by("-number").first()
    last = AuditCheckpoint.objects.order_by("-id").first()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_auditentry WHERE seq >"
            " (SELECT coalesce(max(entry_seq), 0) FROM audit_auditseal)"
        )
        (unsealed,) = cursor.fetchone() or (0,)
    signed = last and {"number": last.number, "at": last.at.isoformat(), "key_id": last.key_id}
    return {
        "head": {"number": end.number, "sha256": bytes(end.hash).hex()} if end else None,
        "unsealed": unsealed,
        "unsigned": end.number - (last.number if last else 0) if end else 0,
        "checkpoint": signed,
        "key_id": key_id(public_bytes(signing_key(PURPOSE))),
        "problems": audit_problems(),
    }


def checkpoints(*, limit: int = 20) -> list[dict[str, Any]]:
    """The newest signatures of the chain's end."""
    return [
        {
            "number": row.number,
            "sha256": bytes(row.hash).hex(),
            "at": row.at.isoformat(),
            "key_id": row.key_id,
        }
        for row in AuditCheckpoint.objects.order_by("-id")[:limit]
    ]


def walkable(start: datetime | None, end: datetime | None) -> None:
    """Invalid `range_too_large` when one request can't walk these links."""
    first, last = bounds(start, end)
    if last - first >= WALK_MAX_N:
        raise Invalid("range_too_large", links=last - first + 1, max_links=WALK_MAX_N)

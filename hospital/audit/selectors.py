from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import TruncHour

from .models import AuditEntry

SEAL_LATE_S = 60.0  # design value; the sealer works twice a second
Accesses = QuerySet[AuditEntry, Any]


@dataclass(frozen=True, kw_only=True)
class Lent:
    """For a time the log knew these objects under another patient's id: a merge that was undone."""

    patient_id: UUID
    since: datetime
    until: datetime
    objects: Sequence[UUID]


def accesses_of(
    patient_ids: Iterable[UUID], *, but_by: Iterable[UUID] = (), lent: Iterable[Lent] = ()
) -> Accesses:
    """Who read or did what with one patient's record, the newest first; `but_by` names actors to leave out.

    `patient_ids` are all ids of one person: the log is never rewritten, its readers follow the link. One row for what the same person did the same way within an hour of the clock: `first_at`, `last_at`, `times`.
    """
    which = Q(patient_ids__overlap=list(patient_ids))
    for row in lent:
        during = Q(at__gte=row.since, at__lt=row.until, object_id__in=list(row.objects))
        which |= Q(patient_ids__contains=[row.patient_id]) & during
    return (
        AuditEntry.objects.filter(
            which, ~Q(patient_ids=[]), actor_kind__in=("staff", "patient", "robot", "peer")
        )
        .exclude(actor_id__in=list(but_by))
        .exclude(outcome="refused")
        .values(
            "actor_kind", "actor_id", "actor_institution_id", "action", "object_kind", "outcome", "reason"
        )
        .annotate(hour=TruncHour("at"), first_at=Min("at"), last_at=Max("at"), times=Count("id"))
        .order_by("-last_at", "actor_id", "action")
    )


def audit_problems() -> list[str]:
    """What an administrator must know: nothing, or that the sealer stands still."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - min(at)) FROM audit_auditentry"
            " WHERE seq > (SELECT coalesce(max(entry_seq), 0) FROM audit_auditseal)"
        )
        waits_s = (cursor.fetchone() or (None,))[0]
    if waits_s is None or waits_s < SEAL_LATE_S:
        return []
    return [f"the audit log was not sealed for {waits_s:.0f} s: is a worker running?"]


def last_seen(actor_ids: list[UUID]) -> dict[UUID, datetime]:
    """When each of these last did, read or was refused something by its own name."""
    rows = AuditEntry.objects.filter(actor_id__in=actor_ids).values("actor_id").annotate(last=Max("at"))
    return {row["actor_id"]: row["last"] for row in rows.order_by()}

"""The audit administrator's work: look, follow, check, take along. Writes nothing but its own trace."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from hospital.access import selectors as access
from hospital.access.principals import Principal
from hospital.access.services import proof_consume
from hospital.access.table import places
from hospital.audit import search
from hospital.audit.export import audit_export
from hospital.audit.models import AuditEntry, AuditSeal
from hospital.audit.rules import reason_shown
from hospital.audit.services import audit_record
from hospital.audit.verifier import audit_verify

from .models import Patient

PROBLEMS_MAX = 100


def _patient_id(asked: str) -> UUID:
    """By id or by the number that leaves the house. A number nobody has finds nothing."""
    try:
        return UUID(asked)
    except ValueError:
        found = Patient.objects.filter(mpi=asked).values_list("id", flat=True).first()
        return found or UUID(int=0)


def entries(
    principal: Principal, *, actor: str = "", patient: str = "", object_id: UUID | None = None, **rest: Any
) -> Any:
    """Entries of the caller's institutions, the newest first. `actor` is part of a name or a user name."""
    mine = places(principal, "audit.read")
    wanted = search.Wanted(
        actors=access.staff_named(actor, mine) if actor else None,
        patient_id=_patient_id(patient) if patient else None,
        object_id=object_id,
        **rest,
    )
    return search.entries(mine, wanted)


def entry(principal: Principal, entry_id: UUID) -> tuple[AuditEntry, AuditSeal | None]:
    return search.entry(places(principal, "audit.read"), entry_id)


def named(rows: list[AuditEntry]) -> dict[UUID, str]:
    """Names of the members of staff and the institutions in these rows."""
    staff = access.user_names(ids={row.actor_id for row in rows if row.actor_kind == "staff"})
    where = {row.actor_institution_id for row in rows if row.actor_institution_id is not None}
    return staff | {key: value["name"] for key, value in access.institution_names(ids=where).items()}


def entry_json(row: AuditEntry, names: dict[UUID, str]) -> dict[str, Any]:
    """One entry without what may be a sentence about a patient: ids, codes, times."""
    reason = reason_shown(row.action, row.reason)
    return {
        "id": str(row.id),
        "seq": row.seq,
        "at": row.at.isoformat(),
        "actor": {"kind": row.actor_kind, "id": str(row.actor_id), "name": names.get(row.actor_id)},
        "institution": names.get(row.actor_institution_id) if row.actor_institution_id else None,
        "action": row.action,
        "object": {"kind": row.object_kind, "id": str(row.object_id) if row.object_id else None},
        "patient_ids": [str(patient) for patient in row.patient_ids],
        "outcome": "done" if row.outcome == "success" else row.outcome,
        "reason": reason or "",
        "reason_withheld": reason is None,
        "address": row.address,
    }


def whole_json(row: AuditEntry, seal: AuditSeal | None) -> dict[str, Any]:
    """What the list leaves out: where it stands in the chain, through what, on whose behalf."""
    behalf = {"kind": row.on_behalf_kind, "id": str(row.on_behalf_id)} if row.on_behalf_id else None
    return entry_json(row, named([row])) | {
        "device": {"kind": row.device_kind, "id": str(row.device_id)} if row.device_id else None,
        "on_behalf_of": behalf,
        "seal": {"number": seal.number, "sha256": bytes(seal.hash).hex()} if seal else None,
    }


def state(principal: Principal) -> dict[str, Any]:
    return search.chain_state() | {"checkpoints": search.checkpoints()}


def verify(*, principal: Principal, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    """Walk the chain; what is wrong, and how long it took. Invalid `range_too_large`."""
    search.walkable(start, end)
    began = time.monotonic()
    result = audit_verify(start=start, end=end)
    audit_record(
        principal=principal,
        action="audit.verify",
        object_kind="audit",
        object_id=None,
        details={"checked": result.checked, "problems": len(result.problems), "head": result.head[0]},
    )
    return {
        "checked": result.checked,
        "unsealed": result.unsealed,
        "unsigned": result.unsigned,
        "head": {"number": result.head[0], "sha256": result.head[1]},
        "problems": [asdict(problem) for problem in result.problems[:PROBLEMS_MAX]],
        "problems_n": len(result.problems),
        "took_s": round(time.monotonic() - began, 2),
    }


def export(*, principal: Principal, start: datetime | None, end: datetime | None) -> bytes:
    """The signed file, other institutions' entries withheld. Forbidden `proof_required`, Invalid `range_too_large`.

    The file holds reasons as they were written: it leaves only for a fresh proof of identity, and on record.
    """
    search.walkable(start, end)
    proof_consume(principal=principal)
    mine = frozenset(map(str, places(principal, "audit.export")))
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        path = Path(folder) / "export.jsonl"
        rows_n = audit_export(path=path, start=start, end=end, places=mine)
        data = path.read_bytes()
    audit_record(
        principal=principal,
        action="audit.export",
        object_kind="audit",
        object_id=None,
        details={"links": rows_n, "from": start and start.isoformat(), "to": end and end.isoformat()},
    )
    return data

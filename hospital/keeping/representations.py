from __future__ import annotations

from typing import Any

from hospital.access.principals import Principal
from hospital.common.clock import now, today
from hospital.common.reads import Shown

from .models import ErasureRequest, LegalHold


def hold_json(row: LegalHold, reader: Principal) -> dict[str, Any]:
    """A hold for the administrators who set and lift them; the subject by id, no name. `own`: set by the reader."""
    over = row.lifted_at is not None or (row.until is not None and row.until < today())
    return {
        "id": str(row.id),
        "subject_kind": row.subject_kind,
        "subject_id": str(row.subject_id),
        "case_number": row.case_number,
        "reason": row.reason,
        "until": row.until.isoformat() if row.until else None,
        "set_by": row.set_by.name,
        "set_at": row.set_at.isoformat(),
        "lifted_by": row.lifted_by.name if row.lifted_by else None,
        "lifted_at": row.lifted_at.isoformat() if row.lifted_at else None,
        "lifted_reason": row.lifted_reason,
        "standing": not over,
        "own": row.set_by_id == reader.id,
    }


def request_json(row: ErasureRequest) -> dict[str, Any]:
    """The request and, once given, its answer: `goes[]` with counts, `stays[]` with until when and why."""
    empty: dict[str, Any] = {"goes": [], "stays": [], "restricted": False}
    return {
        "id": str(row.id),
        "status": "answered" if row.answered_at else "received",
        "received_at": row.received_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "overdue": row.answered_at is None and row.due_at < now(),
        "waits_for": row.waits_for or None,
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "on_paper": row.paper or None,
        **(row.answer or empty),
    }


def request_shown(row: ErasureRequest) -> Shown:
    """What an answer with one request shows, for the record of the read."""
    return Shown(
        kind="erasure_request",
        object_id=row.id,
        patient_ids=(row.patient_id,),
        institution_id=row.institution_id,
        why="erasure",
    )

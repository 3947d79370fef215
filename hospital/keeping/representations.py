from __future__ import annotations

from typing import Any

from hospital.common.clock import today

from .models import ErasureRequest, LegalHold


def hold_json(row: LegalHold) -> dict[str, Any]:
    """A hold for the administrators who set and lift them; the subject by id, no name."""
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
    }


def request_json(row: ErasureRequest) -> dict[str, Any]:
    """The request and, once given, its answer: `goes[]` with counts, `stays[]` with until when and why."""
    empty: dict[str, Any] = {"goes": [], "stays": [], "restricted": False}
    return {
        "id": str(row.id),
        "status": "answered" if row.answered_at else "received",
        "received_at": row.received_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "waits_for": row.waits_for or None,
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "on_paper": row.paper or None,
        **(row.answer or empty),
    }

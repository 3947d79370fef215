"""Agreements, registrations and privileges as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from .models import Agreement, Practitioner, Privilege, Registration


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _place(row: Any) -> dict[str, str]:
    return {"id": str(row.id), "name": row.name, "name_en": row.name_en}


def agreement_json(row: Agreement) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "inviting": _place(row.inviting),
        "invited": _place(row.invited),
        "services": row.services,
        "valid_from": _iso(row.valid_from),
        "valid_to": _iso(row.valid_to),
        "document_sha256": row.document_sha256,
        "document": f"/api/v1/agreements/{row.id}/document" if row.document_path else None,
        "signed": {
            "inviting": {"at": _iso(row.signed_by_inviting_at), "signatory": row.inviting_signatory},
            "invited": {"at": _iso(row.signed_by_invited_at), "signatory": row.invited_signatory},
        },
        "ended_at": _iso(row.ended_at),
        "ended_reason": row.ended_reason,
    }


def registration_json(row: Registration) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "institution": _place(row.institution),
        "kind": row.kind,
        "valid_from": _iso(row.valid_from),
        "valid_to": _iso(row.valid_to),
        "paper": row.paper,
    }


def privilege_json(row: Privilege) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "level": row.level,
        "simulator_hours": row.simulator_hours,
        "supervised_exams": row.supervised_exams,
        "basis": row.basis,
        "valid_to": _iso(row.valid_to),
        "granted_by": row.granted_by.name if row.granted_by else None,
        "granted_at": _iso(row.granted_at),
    }


def licence_json(row: Practitioner) -> dict[str, Any]:
    return {
        "licence_number": row.licence_number,
        "licence_expires_on": _iso(row.licence_expires_on),
        "practice_started_on": _iso(row.practice_started_on),
        "standing": row.standing,
        "scope": row.scope,
    }

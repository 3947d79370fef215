from __future__ import annotations

from typing import Any

from hospital.common.clock import today

from .models import Delegation, Patient
from .rules import age_on, masked_name, masked_number


def patient_found(patient: Patient) -> dict[str, Any]:
    """A row of a search: enough to tell namesakes apart, nothing to copy (PI-12)."""
    return {
        "id": str(patient.id),
        "mpi": patient.mpi,
        "name_masked": masked_name(patient.name),
        "name": patient.name,
        "sex": patient.sex,
        "birth_date": patient.birth_date.isoformat(),
        "age": age_on(patient.birth_date, today()),
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
    }


def patient_full(patient: Patient) -> dict[str, Any]:
    """One patient for the desk: the number stays masked, the tail is what people compare."""
    return patient_found(patient) | {
        "document_type": patient.document_type,
        "document_masked": masked_number(patient.document_number),
        "phone_masked": masked_number(patient.phone),
    }


def delegation_json(row: Delegation) -> dict[str, Any]:
    """One delegate, as the patient and the desk see them; the phone stays masked."""
    return {
        "id": str(row.id),
        "name": row.name,
        "relation": row.relation,
        "phone_masked": masked_number(row.phone),
        "scopes": row.scopes,
        "granted_by": row.granted_by_kind,
        "granted_at": row.granted_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "in_use": row.proven_at is not None,
    }

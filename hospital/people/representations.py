from __future__ import annotations

from typing import Any

from .models import Patient
from .rules import masked_name


def patient_found(patient: Patient) -> dict[str, Any]:
    """A row of a search: enough to tell namesakes apart, nothing to copy (PI-12)."""
    return {
        "id": str(patient.id),
        "mpi": patient.mpi,
        "name_masked": masked_name(patient.name),
        "name": patient.name,
        "sex": patient.sex,
        "birth_date": patient.birth_date.isoformat(),
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
    }


def patient_full(patient: Patient) -> dict[str, Any]:
    """One patient for the desk: the number stays masked, the tail is what people compare."""
    return patient_found(patient) | {
        "document_type": patient.document_type,
        "document_masked": patient.document_number[:4] + "*" * 10 + patient.document_number[-4:],
        "phone_masked": patient.phone[:3] + "****" + patient.phone[-4:],
    }

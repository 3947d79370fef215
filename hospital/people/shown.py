"""What an answer about one patient shows the desk, for the log of reads."""

from __future__ import annotations

from uuid import UUID

from hospital.common.reads import Shown

from .models import Patient


def desk_shown(patient: Patient, *, kind: str = "patient", object_id: UUID | None = None) -> Shown:
    """The patient, or something of the record (consents, consent) named by `kind` and `object_id`."""
    return Shown(
        kind=kind,
        object_id=object_id or patient.id,
        patient_ids=(patient.id,),
        institution_id=patient.institution_id,
        why="desk",
    )

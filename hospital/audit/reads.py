"""What a door showed, as a row. Called by the doors' base classes after the selector, before the answer leaves."""

from __future__ import annotations

from hospital.common.reads import Shown

from .services import Actor, audit_record


def read_note(principal: Actor, action: str, shown: Shown) -> None:
    """One row with outcome `read`. Unavailable `audit_unavailable` unless urgent: then the answer must not leave."""
    patients = tuple(dict.fromkeys(shown.patient_ids))
    audit_record(
        principal=principal,
        action=action,
        object_kind=shown.kind,
        object_id=shown.object_id,
        institution_id=shown.institution_id,
        outcome="read",
        reason=shown.why,
        details=shown.details,
        patient_ids=patients,
        urgent=shown.urgent,
    )

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hospital.common.events import Event


@dataclass(frozen=True, kw_only=True)
class RecordRestricting(Event):
    """A patient's record is about to be restricted: what is still to come ends now, in this transaction."""

    patient_id: UUID

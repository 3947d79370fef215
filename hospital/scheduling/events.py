"""What calendars tell the apps above them, in the transaction in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hospital.common.events import Event


@dataclass(frozen=True, kw_only=True)
class TimeFreed(Event):
    """Somebody or something became free in [starts_at, ends_at): cancelled, moved away, given back, released."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookedTimeClosed(Event):
    """An institution closed a time in which these appointments stand: they stay until somebody moves them.

    `listed`: its own people see them in a list for as long as they stand.
    """

    institution_id: UUID
    listed: bool
    appointment_ids: tuple[UUID, ...]

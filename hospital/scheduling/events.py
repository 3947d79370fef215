"""What calendars tell the apps above them, in the transaction in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hospital.common.events import Event


@dataclass(frozen=True, kw_only=True)
class TimeFreed(Event):
    """Somebody or something became free in [starts_at, ends_at): cancelled, moved away, given back, released."""

    starts_at: datetime
    ends_at: datetime

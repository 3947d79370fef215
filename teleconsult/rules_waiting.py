"""How long a time is on offer, and which times are offered at all. Pure; all numbers are design values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hospital.messages.quiet import quiet_until
from hospital.scheduling.rules import SEARCH_DAYS_MAX

NOTICE = timedelta(hours=2)  # who is called earlier than this can't come in time, nor fast
OFFERED_FOR = timedelta(hours=2)
LEFT_OVER = timedelta(hours=1)  # what nobody accepts stays this long for the desk before it begins
WAIT_DAYS_MAX = SEARCH_DAYS_MAX

Stretch = tuple[datetime, datetime]


def awake_from(moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it lies in: the message waits until then."""
    return quiet_until(moment) or moment


def offer_ends(made_at: datetime, starts_at: datetime) -> datetime | None:
    """When an offer made now ends; None for a time too close to be offered."""
    read_at = awake_from(made_at)
    if starts_at - read_at < NOTICE:
        return None
    return min(read_at + OFFERED_FOR, starts_at - LEFT_OVER)


def not_refused(start: datetime, end: datetime, refused: Iterable[Stretch]) -> bool:
    """Whether the time meets none that the patient let go: who said no is not asked again for it."""
    return all(end <= first or last <= start for first, last in refused)

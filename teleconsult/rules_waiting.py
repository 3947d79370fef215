"""How long a time is on offer, and which times are offered at all. Pure; all numbers are design values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from hospital.common.clock import SHANGHAI

NOTICE = timedelta(hours=2)  # who is called earlier than this can't come in time, nor fast
OFFERED_FOR = timedelta(hours=2)
LEFT_OVER = timedelta(hours=1)  # what nobody accepts stays this long for the desk before it begins
# Nobody reads a message in these hours: the time to answer begins after them.
ASLEEP_FROM, ASLEEP_TO = time(21, 30), time(7, 30)
WAIT_DAYS_MAX = 62  # as far as one search looks

Stretch = tuple[datetime, datetime]


def awake_from(moment: datetime) -> datetime:
    """The moment itself, or the end of the night that it lies in."""
    local = moment.astimezone(SHANGHAI)
    morning = datetime.combine(local.date(), ASLEEP_TO, tzinfo=SHANGHAI)
    if local.timetz().replace(tzinfo=None) >= ASLEEP_FROM:
        return morning + timedelta(days=1)
    return max(moment, morning)


def offer_ends(made_at: datetime, starts_at: datetime) -> datetime | None:
    """When an offer made now ends; None for a time too close to be offered."""
    read_at = awake_from(made_at)
    if starts_at - read_at < NOTICE:
        return None
    return min(read_at + OFFERED_FOR, starts_at - LEFT_OVER)


def not_refused(start: datetime, end: datetime, refused: Iterable[Stretch]) -> bool:
    """Whether the time meets none that the patient let go: who said no is not asked again for it."""
    return all(end <= first or last <= start for first, last in refused)

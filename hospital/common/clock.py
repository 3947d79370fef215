"""The one clock of the server: aware times, stored UTC, shown in Shanghai."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

SHANGHAI = ZoneInfo("Asia/Shanghai")
ACROSS_MIDNIGHT = timedelta(hours=3)  # design value


def now() -> datetime:
    """The current time, aware, UTC."""
    return timezone.now()


def today() -> date:
    """Today's date in Asia/Shanghai: the day a person at the desk means."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The date of an aware moment in Asia/Shanghai; its own `date()` would be the one in UTC."""
    return moment.astimezone(SHANGHAI).date()


def shanghai_day(day: date) -> tuple[datetime, datetime]:
    """Half-open interval [start, end) of a Shanghai day."""
    start = datetime.combine(day, time.min, tzinfo=SHANGHAI)
    return start, start + timedelta(days=1)


def at_hand() -> tuple[datetime, datetime]:
    """Half-open interval [start, end): today in Shanghai, wider where three hours from now reach across midnight."""
    at = now()
    start, end = shanghai_day(day_of(at))
    return min(start, at - ACROSS_MIDNIGHT), max(end, at + ACROSS_MIDNIGHT)

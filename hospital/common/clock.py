"""The one clock of the server: aware times, stored UTC, shown in Shanghai."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The current time, aware, UTC."""
    return timezone.now()


def today() -> date:
    """Today's date in Asia/Shanghai: the day a person at the desk means."""
    return now().astimezone(SHANGHAI).date()


def shanghai_day(day: date) -> tuple[datetime, datetime]:
    """Half-open interval [start, end) of a Shanghai day."""
    start = datetime.combine(day, time.min, tzinfo=SHANGHAI)
    return start, start + timedelta(days=1)

"""What a bookable period is, and the limits of calendars and exam types."""

from __future__ import annotations

from datetime import datetime, timedelta

LONGEST = timedelta(hours=12)  # design value: longer is a mistyped date
KINDS = ("person", "room", "robot", "probe")
DAY_MIN = 24 * 60
BUFFER_MAX_MIN = 240  # design value: what is busy longer beside an exam is maintenance
EXCEPTION_REASONS = ("leave", "maintenance", "cleaning", "closed", "extra", "other")
ORDER_KINDS = BEFORE, DAYS_AFTER = "before", "days_after"
SEARCH_DAYS_MAX = 62  # design value: how far ahead times are looked for, and told as free
RETURN_BEFORE = timedelta(hours=24)  # a released time that nobody booked returns to the expert's hospital
HOLD_FOR = timedelta(minutes=10)  # how long a time is kept for somebody who is deciding
# Parts of the Shanghai day in which an exam begins, minutes [from, to).
PARTS_OF_DAY = {"morning": (0, 12 * 60), "afternoon": (12 * 60, 18 * 60), "evening": (18 * 60, DAY_MIN)}


def period_is_bookable(starts_at: datetime, ends_at: datetime) -> bool:
    """Half-open [starts_at, ends_at), not empty, at most 12 h. ValueError for times without a zone: a bug, not input."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("bookings need aware times")
    return timedelta(0) < ends_at - starts_at <= LONGEST

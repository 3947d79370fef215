"""What a bookable period is."""

from __future__ import annotations

from datetime import datetime, timedelta

LONGEST = timedelta(hours=12)  # design value: longer is a mistyped date


def period_is_bookable(starts_at: datetime, ends_at: datetime) -> bool:
    """Half-open [starts_at, ends_at), not empty, at most 12 h. ValueError for times without a zone: a bug, not input."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("bookings need aware times")
    return timedelta(0) < ends_at - starts_at <= LONGEST

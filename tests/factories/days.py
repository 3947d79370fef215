"""Days to come that are what a test takes them for, at whatever time of the year it runs."""

from __future__ import annotations

from datetime import date, timedelta

from hospital.common.clock import today
from hospital.scheduling.holidays import weekday_of

DAY = timedelta(days=1)


def working_day(weekday: int, *, days: int) -> date:
    """The first such weekday (0 is Monday), at least so many days ahead, that begins three ordinary days."""
    day = today() + days * DAY
    while day.weekday() != weekday or not all(_ordinary(day + n * DAY) for n in range(3)):
        day += DAY
    return day


def unannounced_day() -> date:
    """A day whose year's holidays nobody knows (each November tells the next year's), a month before that year's end."""
    day = today() + 690 * DAY  # a search reaches two years
    return day - 31 * DAY if day.month == 12 else day


def _ordinary(day: date) -> bool:
    return weekday_of(day) == day.weekday()

"""Which weekday's hours hold on a day of mainland China: public holidays and make-up workdays. Pure.

The State Council announces each year's days late in the year before; the package `chinesecalendar` carries them. For a
year that it does not know, plain weekdays hold and only the days fixed in the solar calendar are holidays; `known`
says so, and who searches is told (`holidays_unknown`).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import chinese_calendar
from chinese_calendar import Holiday

FRIDAY, SATURDAY, MONDAY = 4, 5, 0
# Days off of the regulation on public holidays (2024) that don't move with the moon or the sun: (month, day).
FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
FIXED_NAMES = {1: Holiday.new_years_day, 5: Holiday.labour_day, 10: Holiday.national_day}  # by month


@lru_cache(maxsize=4096)
def _detail(day: date) -> tuple[bool, str | None] | None:
    """(rest, name of the holiday or None for an ordinary day); None for a year nobody announced."""
    try:
        rest, name = chinese_calendar.get_holiday_detail(day)
        return bool(rest), name
    except NotImplementedError:
        return None


def known(day: date) -> bool:
    """Whether that day's year has been announced, as far as the installed package knows."""
    return _detail(day) is not None


def weekday_of(day: date) -> int | None:
    """0 (Monday) to 6 whose hours hold on that day; None on a public holiday.

    A Saturday that is worked to make up for a holiday has Friday's hours, a Sunday Monday's: a design value, the
    announcement does not say which. An exception in the calendar says otherwise where a house does it otherwise.
    """
    detail = _detail(day)
    if detail is None:
        return None if (day.month, day.day) in FIXED else day.weekday()
    rest, name = detail
    if name is None:
        return day.weekday()
    if rest:
        return None
    return FRIDAY if day.weekday() == SATURDAY else MONDAY


def holiday_of(day: date) -> tuple[str, str] | None:
    """(name, English name) of the public holiday that the day belongs to; None for every other day."""
    if weekday_of(day) is not None:
        return None
    detail = _detail(day)
    found = FIXED_NAMES[day.month] if detail is None else Holiday(detail[1])
    return str(found.chinese), str(found.value)

"""Which hours hold on which day: weekdays, public holidays, make-up workdays, exceptions, released times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from hospital.common.clock import SHANGHAI
from hospital.scheduling import exam_times, holidays
from hospital.scheduling.exam_times import Order, Procedure
from hospital.scheduling.hours import Open, Released, Week, Weekly, midnight, newly_open, open_on
from hospital.scheduling.intervals import Spans

HOME, OTHER = UUID(int=1), UUID(int=2)
MORNINGS = tuple(Weekly(weekday, 8 * 60, 12 * 60) for weekday in range(5))
MONDAY = date(2026, 11, 30)
LONG_AGO = 0


def clocks(spans: Spans, day: date) -> list[tuple[float, float]]:
    """Hours of that day."""
    return [((start - midnight(day)) / 3600, (end - midnight(day)) / 3600) for start, end in spans]


def opened(
    calendar: Open, day: date, *, place: UUID | None = None, offered: bool = False
) -> list[tuple[float, float]]:
    return clocks(open_on(calendar, day, place=place, now_s=LONG_AGO, offered=offered), day)


@pytest.mark.parametrize(
    ("day", "weekday"),
    [
        (date(2026, 11, 30), 0),  # an ordinary Monday
        (date(2026, 11, 28), 5),  # an ordinary Saturday
        (date(2026, 10, 1), None),  # National Day, a Thursday
        (date(2026, 10, 7), None),  # still the National Day holiday, a Wednesday
        (date(2026, 2, 17), None),  # the first day of the lunar year
        (date(2026, 2, 14), 4),  # a Saturday worked for the Spring Festival
        (date(2026, 9, 20), 0),  # a Sunday worked for the National Day
    ],
)
def test_days_of_an_announced_year_follow_the_announcement(day: date, weekday: int | None) -> None:
    assert holidays.known(day)
    assert holidays.weekday_of(day) == weekday


def test_a_year_nobody_has_announced_keeps_weekdays_and_fixed_holidays_and_says_so() -> None:
    assert not holidays.known(date(2099, 3, 2))
    assert holidays.weekday_of(date(2099, 3, 2)) == date(2099, 3, 2).weekday()
    assert holidays.weekday_of(date(2099, 1, 1)) is None
    assert holidays.weekday_of(date(2099, 10, 3)) is None


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 2, 18), ("春节", "Spring Festival")),
        (date(2026, 10, 5), ("国庆节", "National Day")),
        (date(2026, 2, 14), None),  # worked for it
        (date(2026, 11, 29), None),  # an ordinary Sunday
        (date(2099, 5, 2), ("劳动节", "Labour Day")),
        (date(2099, 5, 3), None),
    ],
)
def test_a_holiday_has_its_name(day: date, names: tuple[str, str] | None) -> None:
    assert holidays.holiday_of(day) == names


def test_a_week_is_closed_on_holidays_and_open_on_make_up_days() -> None:
    calendar = Open(weekly=MORNINGS)
    assert opened(calendar, MONDAY) == [(8, 12)]
    assert opened(calendar, date(2026, 11, 28)) == []
    assert opened(calendar, date(2026, 10, 1)) == []
    assert opened(calendar, date(2026, 9, 20)) == [(8, 12)]


def test_hours_hold_at_their_place_and_in_their_time() -> None:
    week = (Weekly(0, 480, 720, place=HOME), Weekly(0, 840, 1020, valid_from=MONDAY, valid_to=MONDAY))
    assert opened(Open(weekly=week), MONDAY, place=HOME) == [(8, 12), (14, 17)]
    assert opened(Open(weekly=week), MONDAY, place=OTHER) == [(14, 17)]
    assert opened(Open(weekly=week), MONDAY + timedelta(days=7), place=OTHER) == []


def test_leave_closes_and_an_extra_session_opens_and_closed_wins() -> None:
    start = midnight(MONDAY)
    nine, eleven, evening = start + 9 * 3600, start + 11 * 3600, (start + 18 * 3600, start + 20 * 3600)
    calendar = Open(
        weekly=MORNINGS, opened=[evening], closed=[(nine, eleven), (evening[0], evening[0] + 600)]
    )
    assert opened(calendar, MONDAY) == [(8, 9), (11, 12), (18 + 1 / 6, 20)]


def test_what_nobody_wrote_hours_for_is_always_open_but_offered_only_by_day() -> None:
    assert opened(Open(weekly=None), MONDAY) == [(0, 24)]
    assert opened(Open(weekly=None), date(2026, 10, 1)) == [(0, 24)]
    assert opened(Open(weekly=None), MONDAY, offered=True) == [(8, 17.5)]
    assert opened(Open(weekly=None), date(2026, 11, 28), offered=True) == []


def test_a_released_time_is_open_to_its_partner_until_a_day_before() -> None:
    start = midnight(MONDAY)
    nine, ten = start + 9 * 3600, start + 10 * 3600
    calendar = Open(weekly=MORNINGS, released=(Released(HOME, (nine, ten)),))
    day_before = nine - 24 * 3600
    assert clocks(open_on(calendar, MONDAY, place=HOME, now_s=day_before, offered=False), MONDAY) == [(9, 10)]
    half_gone = clocks(open_on(calendar, MONDAY, place=HOME, now_s=day_before + 1800, offered=False), MONDAY)
    assert half_gone == [(9.5, 10)]
    assert open_on(calendar, MONDAY, place=OTHER, now_s=day_before, offered=False) == []
    assert open_on(calendar, MONDAY, place=HOME, now_s=day_before + 3600, offered=False) == []


def shanghai(hour: int, minute: int = 0, *, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def test_a_window_holds_the_whole_exam_on_shanghais_clock() -> None:
    morning = [(450, 690)]
    assert exam_times.in_windows(shanghai(7, 30), shanghai(7, 50), morning)
    assert exam_times.in_windows(shanghai(11, 10), shanghai(11, 30), morning)
    assert not exam_times.in_windows(shanghai(11, 11), shanghai(11, 31), morning)
    assert not exam_times.in_windows(shanghai(7, 29), shanghai(7, 49), morning)
    assert exam_times.in_windows(datetime(2026, 11, 30, 0, 0, tzinfo=UTC), shanghai(8, 20), morning)
    assert exam_times.in_windows(shanghai(23), shanghai(23, 20), [])


def test_before_gastroscopy_and_days_after_barium() -> None:
    gastroscopy = Procedure("gastroscopy", shanghai(10))
    before = Order("gastroscopy", "before", 1)
    assert exam_times.order_problem(shanghai(9), before, gastroscopy) is None
    assert exam_times.order_problem(shanghai(10), before, gastroscopy) == "must_come_before"
    tomorrow = MONDAY + timedelta(days=1)
    assert exam_times.order_problem(shanghai(0, 0, day=tomorrow), before, gastroscopy) is None
    barium, after = Procedure("barium", shanghai(15)), Order("barium", "days_after", 3)
    assert exam_times.order_problem(shanghai(8), after, barium) is None
    late = MONDAY + timedelta(days=2)
    assert exam_times.order_problem(shanghai(23, 59, day=late), after, barium) == "too_soon_after"
    assert exam_times.order_free_from(after, barium) == shanghai(0, day=late + timedelta(days=1))
    assert exam_times.order_problem(shanghai(0, 0, day=late + timedelta(days=1)), after, barium) is None
    assert exam_times.order_problem(shanghai(23), before, barium) is None


def test_reminders_are_days_before_at_a_time_of_day() -> None:
    """An upper abdomen fasts from 20:00: three days before, and at 18:30 the evening before."""
    found = exam_times.reminder_moments(shanghai(8), [(1, 18 * 60 + 30), (3, 9 * 60)])
    assert found == [
        shanghai(9, day=MONDAY - timedelta(days=3)),
        shanghai(18, 30, day=MONDAY - timedelta(days=1)),
    ]


def _new(before: Week | None, after: Week | None, days: int = 7) -> tuple[str, str] | None:
    found = newly_open(before, after, first=MONDAY, days=days)
    return None if found is None else (_stamp(found[0]), _stamp(found[1]))


def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, SHANGHAI).strftime("%m-%d %H:%M")


def test_a_new_week_opens_from_its_first_new_moment_to_its_last() -> None:
    longer = (*MORNINGS, Weekly(1, 13 * 60, 15 * 60), Weekly(3, 13 * 60, 14 * 60))
    assert _new(MORNINGS, longer) == ("12-01 13:00", "12-03 14:00")
    assert _new(longer, MORNINGS) is None
    assert _new(MORNINGS, MORNINGS) is None


def test_hours_of_a_season_or_another_site_open_what_they_open_there() -> None:
    season = Weekly(0, 13 * 60, 15 * 60, valid_from=date(2026, 12, 7), valid_to=date(2026, 12, 14))
    assert _new(MORNINGS, (*MORNINGS, season)) is None
    assert _new(MORNINGS, (*MORNINGS, season), days=30) == ("12-07 13:00", "12-14 15:00")
    here, there = (Weekly(0, 480, 720, place=place) for place in (HOME, OTHER))
    assert _new((here,), (there,)) == ("11-30 08:00", "11-30 12:00")
    assert _new((here, there), (there,)) is None
    assert _new((here,), (Weekly(0, 480, 720),)) == ("11-30 08:00", "11-30 12:00")


def test_where_nobody_wrote_hours_only_what_a_search_did_not_offer_is_new() -> None:
    assert _new(None, MORNINGS) is None
    assert _new(None, (*MORNINGS, Weekly(5, 8 * 60, 9 * 60))) == ("12-05 08:00", "12-05 09:00")
    assert _new(MORNINGS, None, days=1) == ("11-30 12:00", "11-30 17:30")

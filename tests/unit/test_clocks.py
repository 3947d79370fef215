"""The four clocks of the record, to the day: Shanghai's midnight, 29 February, months of unequal length."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.common.clock import SHANGHAI
from hospital.common.retention import (
    CLOCKS,
    DEVICE,
    HANDLING,
    NETWORK,
    PROCESS,
    RECORD,
    Clock,
    cutoff,
    erasable_on,
    span,
)
from hospital.keeping.rules import decide

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def test_the_four_clocks_are_those_of_the_law() -> None:
    assert (RECORD.years, PROCESS.years, NETWORK.months, DEVICE.years) == (15, 3, 6, 5)
    assert [clock.law for clock in (RECORD, PROCESS, NETWORK, DEVICE, HANDLING)] == [
        "LAW-11", "LAW-12", "SEC-10", "SAF-07", "PI-06",
    ]  # fmt: skip
    assert all(clock.law or "our own rule" in clock.why[1] for clock in CLOCKS)


@pytest.mark.parametrize(
    ("clock", "start", "day"),
    [
        (RECORD, "2026-03-01T10:00:00+08:00", "2041-03-02"),
        (
            RECORD,
            "2028-02-29T10:00:00+08:00",
            "2043-03-02",
        ),  # 2043 has no 29 February: the first of March counts
        (RECORD, "2025-02-28T23:59:59+08:00", "2040-02-29"),
        (PROCESS, "2025-02-28T12:00:00+08:00", "2028-02-29"),
        (NETWORK, "2026-08-31T12:00:00+08:00", "2027-03-02"),
        (NETWORK, "2027-08-31T12:00:00+08:00", "2028-03-02"),
        (RECORD, "2026-03-01T15:59:59+00:00", "2041-03-02"),  # one second before Shanghai's midnight
        (RECORD, "2026-03-01T16:00:00+00:00", "2041-03-03"),  # midnight: already the next day there
        (DEVICE, "2026-12-31T23:59:59+08:00", "2032-01-01"),
    ],
)
def test_a_clock_ends_with_its_last_day_in_shanghai(clock: Clock, start: str, day: str) -> None:
    began, free = datetime.fromisoformat(start), date.fromisoformat(day)
    assert erasable_on(clock, began) == free
    midnight = datetime(free.year, free.month, free.day, tzinfo=SHANGHAI)
    assert cutoff(clock, midnight) > began
    assert cutoff(clock, midnight - timedelta(microseconds=1)) <= began


@given(start=MOMENTS, at=MOMENTS, clock=st.sampled_from(CLOCKS))
def test_the_limit_for_rows_and_the_day_for_one_record_always_agree(
    start: datetime, at: datetime, clock: Clock
) -> None:
    today = at.astimezone(SHANGHAI).date()
    assert (start < cutoff(clock, at)) == (erasable_on(clock, start) <= today)


@given(start=MOMENTS, clock=st.sampled_from([RECORD, PROCESS, DEVICE, HANDLING]))
def test_no_clock_ends_before_its_years_are_over(start: datetime, clock: Clock) -> None:
    began = start.astimezone(SHANGHAI).date()
    free = erasable_on(clock, start)
    assert free.year - began.year >= clock.years
    assert (free.month, free.day) > (began.month, began.day) or free.year - began.year > clock.years


def test_what_only_serves_the_moment_goes_to_the_second() -> None:
    at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert cutoff(span("x", timedelta(hours=1), ("", "")), at) == at - timedelta(hours=1)


def test_a_start_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="zone"):
        erasable_on(RECORD, datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("until", "held", "still", "asked", "goes", "why"),
    [
        (date(2026, 1, 1), False, "", False, True, "due"),
        (date(2026, 1, 2), False, "", False, False, "clock"),
        (None, False, "", False, False, "running"),
        (date(2020, 1, 1), True, "", False, False, "held"),
        (date(2020, 1, 1), True, "", True, False, "held"),
        (date(2020, 1, 1), False, "exam_running", False, False, "open"),
        (date(2026, 1, 2), False, "booking_kept", False, False, "clock"),
        (None, False, "exam_running", False, False, "open"),
        (date(2099, 1, 1), False, "", True, True, "due"),
    ],
)
def test_a_hold_is_stronger_than_a_wish_and_a_wish_than_a_clock(
    until: date | None, held: bool, still: str, asked: bool, goes: bool, why: str
) -> None:
    found = decide(until=until, today=date(2026, 1, 1), held=held, open_code=still, asked=asked)
    assert (found.goes, found.why) == (goes, why)

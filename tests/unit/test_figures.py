"""What the figures count, on plain cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from teleconsult.figures import counts, file
from teleconsult.figures.counts import Case

HOME, EXPERT = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)  # noon in Shanghai


def case(**changes: Any) -> Case:
    """An exam that was wished two days before, began in time, took 20 minutes and was reported half an hour later."""
    whole: dict[str, Any] = {
        "institution_id": HOME, "operator_id": EXPERT, "state": "reported", "cause": "", "asked_at": NOON - timedelta(days=2),
        "starts_at": NOON, "checked_in_at": NOON - timedelta(minutes=10), "started_at": NOON + timedelta(minutes=5),
        "ended_at": NOON + timedelta(minutes=25), "signed_at": NOON + timedelta(minutes=55), "stops": 0, "rtt_ms": 40.0, "poor_links": 0,
    }  # fmt: skip
    return Case(**whole | changes)


def test_the_month_is_shanghais() -> None:
    last_of_february = datetime(2026, 2, 28, 15, 59, tzinfo=UTC)
    assert counts.month_of(last_of_february) == date(2026, 2, 1)
    assert counts.month_of(last_of_february + timedelta(minutes=1)) == date(2026, 3, 1)


def test_months_end_with_the_one_asked_for_and_cross_years() -> None:
    assert counts.months_until(date(2026, 2, 28), 3) == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert len(counts.months_until(date(2026, 2, 1), 1000)) == counts.MONTHS_MAX
    assert counts.month_after(date(2025, 12, 1)) == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("values", "p50", "p90"),
    [([], None, None), ([7.0], 7.0, 7.0), ([1.0, 3.0], 2.0, 2.8), ([float(n) for n in range(11)], 5.0, 9.0)],
)
def test_median_and_nine_tenths(values: list[float], p50: float | None, p90: float | None) -> None:
    found = counts.spread(reversed(values))
    assert (found.n, found.p50, found.p90) == (len(values), p50, p90)


def test_who_comes_early_waits_from_the_booked_time_and_who_is_begun_early_does_not_wait() -> None:
    assert counts.waits_in_house_min(case()) == [5]
    assert counts.waits_in_house_min(case(checked_in_at=NOON + timedelta(minutes=3))) == [2]
    assert counts.waits_in_house_min(case(started_at=NOON - timedelta(minutes=2))) == [0]
    assert counts.waits_in_house_min(case(checked_in_at=None)) == []


def test_nothing_is_timed_that_did_not_take_place() -> None:
    missed = case(state="no_show", started_at=None, ended_at=None, signed_at=None, checked_in_at=None)
    found = counts.summary([missed])
    assert (found["exams"], found["done"], found["no_show"], found["scanned"]) == (1, 0, 1, 0)
    for figure in ("wait_days", "wait_in_house_min", "scan_min", "report_min"):
        assert found[figure] == {"n": 0, "p50": None, "p90": None}
    assert found["stops_per_100"] is None and found["poor_links_per_100"] is None


def test_stops_and_poor_links_are_told_for_a_hundred_scanned_exams() -> None:
    cases = [
        case(stops=3),
        case(poor_links=2, rtt_ms=120.0),
        case(),
        case(state="cancelled", started_at=None, stops=0),
    ]
    found = counts.summary(cases)
    assert (found["scanned"], found["stops_per_100"], found["poor_links_per_100"]) == (3, 100.0, 33.3)
    assert found["delay_ms"] == {"n": 3, "p50": 40.0, "p90": 104.0}


def test_causes_are_counted_the_most_frequent_first() -> None:
    cases = [
        case(state="aborted", cause="pain"),
        case(state="cancelled", cause="cancelled"),
        case(state="aborted", cause="pain"),
        case(),
    ]
    assert counts.causes(cases) == [
        {"state": "aborted", "cause": "pain", "n": 2},
        {"state": "cancelled", "cause": "cancelled", "n": 1},
    ]


def test_time_that_overlaps_counts_once() -> None:
    assert counts.covered_min([(0, 600), (300, 900), (900, 960), (1200, 1200)]) == 16


def test_a_name_that_a_spreadsheet_would_calculate_is_written_as_text() -> None:
    text = file.written([{"name": "=1+1", "n": -3}, {"name": "王思远", "n": 2}])
    assert text.startswith(file.BOM)
    assert text.splitlines()[1:] == ["'=1+1,-3", "王思远,2"]
    assert file.written([]) == file.BOM

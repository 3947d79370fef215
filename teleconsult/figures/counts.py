"""What is counted and how, from plain rows. Pure: no table is read here.

A figure without cases is None, never 0: nobody waited zero days in a month without exams.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from hospital.common.clock import SHANGHAI

from ..states import State

DONE = frozenset({State.ENDED, State.REPORTED})
NOT_DONE = (State.NO_SHOW, State.CANCELLED, State.ABORTED)
MONTHS_MAX = 36
PER = 100  # stops and delays are told for a hundred exams that were scanned


@dataclass(frozen=True, kw_only=True)
class Case:
    """One exam as the figures see it: no patient in it."""

    institution_id: UUID
    operator_id: UUID
    state: str
    cause: str
    asked_at: datetime
    starts_at: datetime
    checked_in_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    signed_at: datetime | None
    stops: int
    rtt_ms: float | None  # median of the measurements taken during the exam
    poor_links: int  # measurements that failed the gate "link good enough"


@dataclass(frozen=True)
class Spread:
    """Median and nine tenths of some durations, and of how many."""

    n: int
    p50: float | None
    p90: float | None

    def json(self) -> dict[str, float | int | None]:
        return {"n": self.n, "p50": self.p50, "p90": self.p90}


def month_of(moment: datetime) -> date:
    """The first day of the Shanghai month."""
    return moment.astimezone(SHANGHAI).date().replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def months_until(last: date, count: int) -> list[date]:
    """`count` months, the one of `last` included, oldest first. At least one, at most MONTHS_MAX."""
    count = max(1, min(count, MONTHS_MAX))
    index = last.year * 12 + last.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(index - count + 1, index + 1)]


def spread(values: Iterable[float]) -> Spread:
    """Of the values as they are: the p90 of few cases is the longest of them."""
    found = sorted(values)
    if not found:
        return Spread(0, None, None)
    return Spread(len(found), round(_at(found, 0.5), 1), round(_at(found, 0.9), 1))


def _at(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours, as PostgreSQL's percentile_cont."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _between(first: datetime | None, last: datetime | None, unit: timedelta) -> list[float]:
    """The duration in that unit; nothing when an end is missing or they are the wrong way round."""
    if first is None or last is None or last < first:
        return []
    return [(last - first) / unit]


_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


def waits_days(case: Case) -> list[float]:
    """From the wish to the exam's time, of exams that took place."""
    return _between(case.asked_at, case.starts_at, _DAY) if case.state in DONE else []


def waits_in_house_min(case: Case) -> list[float]:
    """From arrival to the start of scanning; who came early waits from the booked time on."""
    arrived = case.checked_in_at and max(case.checked_in_at, case.starts_at)
    if arrived is None or case.started_at is None:
        return []
    return [max(0.0, (case.started_at - arrived) / _MINUTE)]


def scans_min(case: Case) -> list[float]:
    return _between(case.started_at, case.ended_at, _MINUTE) if case.state in DONE else []


def reports_min(case: Case) -> list[float]:
    """From the end of scanning to the first signature."""
    return _between(case.ended_at, case.signed_at, _MINUTE)


def per_hundred(events: int, exams: int) -> float | None:
    return round(PER * events / exams, 1) if exams else None


def summary(cases: Sequence[Case]) -> dict[str, object]:
    """The figures of some cases, of one month and institution or of several."""
    states = Counter(case.state for case in cases)
    scanned = [case for case in cases if case.started_at is not None]
    rtts = [case.rtt_ms for case in scanned if case.rtt_ms is not None]
    return {
        "exams": len(cases),
        "done": sum(states[state] for state in DONE),
        **{str(state): states[state] for state in NOT_DONE},
        "causes": causes(cases),
        "wait_days": spread(x for case in cases for x in waits_days(case)).json(),
        "wait_in_house_min": spread(x for case in cases for x in waits_in_house_min(case)).json(),
        "scan_min": spread(x for case in cases for x in scans_min(case)).json(),
        "report_min": spread(x for case in cases for x in reports_min(case)).json(),
        "scanned": len(scanned),
        "stops_per_100": per_hundred(sum(case.stops for case in scanned), len(scanned)),
        "poor_links_per_100": per_hundred(sum(case.poor_links > 0 for case in scanned), len(scanned)),
        "delay_ms": spread(rtts).json(),
    }


def causes(cases: Iterable[Case]) -> list[dict[str, object]]:
    """Why exams did not take place or were broken off: `[{state, cause, n}]`, the most frequent first."""
    counted = Counter((case.state, case.cause or case.state) for case in cases if case.state in NOT_DONE)
    ordered = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    return [{"state": str(state), "cause": cause, "n": n} for (state, cause), n in ordered]


def by_month(cases: Iterable[Case]) -> Mapping[tuple[date, UUID], list[Case]]:
    """(month, institution) -> its cases; the month is that of the exam's time."""
    found: dict[tuple[date, UUID], list[Case]] = defaultdict(list)
    for case in cases:
        found[month_of(case.starts_at), case.institution_id].append(case)
    return found


def by_operator(cases: Iterable[Case]) -> Mapping[UUID, list[Case]]:
    found: dict[UUID, list[Case]] = defaultdict(list)
    for case in cases:
        if case.state in DONE:
            found[case.operator_id].append(case)
    return found


def covered_min(spans: Iterable[tuple[int, int]]) -> float:
    """Minutes of stretches (seconds since 1970) that may overlap: each moment counts once."""
    total, end = 0, None
    for start, stop in sorted(spans):
        first = start if end is None else max(start, end)
        total += max(0, stop - first)
        end = stop if end is None else max(end, stop)
    return total / 60

"""When a calendar is open, from its rows: weekly hours, exceptions, released times. Pure; seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from hospital.common.clock import SHANGHAI, shanghai_day

from .holidays import weekday_of
from .intervals import Span, Spans, intersect, normal, subtract
from .rules import RETURN_BEFORE

# Where neither a resource nor its institution has hours, a search offers these; booking at a named time goes on as
# it did before there were hours.
OFFERED_WEEKDAYS, OFFERED_MINUTES = range(5), (8 * 60, 17 * 60 + 30)  # design values


@dataclass(frozen=True)
class Weekly:
    """One row of weekly hours; `place` None for every site, days of `valid_*` included."""

    weekday: int
    opens_minute: int
    closes_minute: int
    place: UUID | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date, place: UUID | None) -> bool:
        return (
            (self.place is None or place is None or self.place == place)
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or day <= self.valid_to)
        )


OFFERED = tuple(Weekly(weekday, *OFFERED_MINUTES) for weekday in OFFERED_WEEKDAYS)
Week = tuple[Weekly, ...]
ELSEWHERE = UUID(int=0)  # any site that no row names


@dataclass(frozen=True)
class Released:
    """A time released to one partner, or to all (None)."""

    partner: UUID | None
    span: Span


@dataclass(frozen=True, kw_only=True)
class Open:
    """All that says when one calendar is open. `weekly` None: nobody wrote any. `released` None: not by release."""

    weekly: tuple[Weekly, ...] | None
    opened: Spans = field(default_factory=list)
    closed: Spans = field(default_factory=list)
    released: tuple[Released, ...] | None = None


@lru_cache(maxsize=4096)
def midnight(day: date) -> int:
    return int(shanghai_day(day)[0].timestamp())


def day_of(second: int) -> date:
    """The Shanghai day."""
    return datetime.fromtimestamp(second, SHANGHAI).date()


def _week(weekly: Iterable[Weekly], day: date, place: UUID | None) -> Spans:
    weekday, start = weekday_of(day), midnight(day)
    rows = (row for row in weekly if row.weekday == weekday and row.holds_on(day, place))
    return normal((start + row.opens_minute * 60, start + row.closes_minute * 60) for row in rows)


def _released(rows: Iterable[Released], place: UUID | None, now_s: int) -> Spans:
    """Times released to that place that have not gone back: all that lies more than 24 h ahead."""
    back = now_s + int(RETURN_BEFORE.total_seconds())
    mine = (row.span for row in rows if place is None or row.partner in (None, place))
    return normal((max(start, back), end) for start, end in mine)


def open_on(calendar: Open, day: date, *, place: UUID | None, now_s: int, offered: bool) -> Spans:
    """The open stretches of one Shanghai day for exams at `place`. `offered`: what a search may propose."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    if calendar.weekly is not None:
        week = _week(calendar.weekly, day, place)
    else:
        week = _week(OFFERED, day, place) if offered else [(start, end)]
    found = subtract(normal([*week, *intersect([(start, end)], calendar.opened)]), calendar.closed)
    if calendar.released is not None:
        found = intersect(found, _released(calendar.released, place, now_s))
    return found


def newly_open(before: Week | None, after: Week | None, *, first: date, days: int) -> Span | None:
    """From the first moment to the last that the new week opens at any site and the old one did not; None for none.

    What nobody wrote is what a search offers.
    """
    old, new = OFFERED if before is None else before, OFFERED if after is None else after
    sites = {row.place or ELSEWHERE for row in (*old, *new)} | {ELSEWHERE}
    found: Spans = []
    for day in (first + timedelta(days=n) for n in range(days)):
        for site in sites:
            found += subtract(_week(new, day, site), _week(old, day, site))
    return (min(start for start, _ in found), max(end for _, end in found)) if found else None

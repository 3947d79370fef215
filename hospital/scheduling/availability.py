"""Calendars read for a stretch of time: when each is open, and when it is busy. Free time is computed, never stored."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil, floor
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet

from hospital.access.models import Institution
from hospital.common.clock import now
from hospital.common.prebuilt import Value, prebuilt

from . import intervals
from .hours import Open, Released, Week, Weekly, day_of, open_on
from .intervals import Span, Spans
from .models import CalendarException, ReleasedTime, Resource, WeeklyHours
from .rules import BUFFER_MAX_MIN, LONGEST

# No reservation is longer: what ends later than this after the stretch also begins after it.
_LONGEST_BUSY = LONGEST + 2 * timedelta(minutes=BUFFER_MAX_MIN)
READ_FIRST = timedelta(days=2)  # design value: how far busy time is read before anything was looked at
BUSY = """
SELECT resource_id, array_agg(floor(date_part('epoch', lower(period)))::bigint),
       array_agg(ceil(date_part('epoch', upper(period)))::bigint)
FROM scheduling_reservation
WHERE resource_id = ANY(%s) AND status IN ('hold', 'booked') AND upper(period) > %s AND upper(period) < %s
  AND lower(period) < %s AND (status = 'booked' OR expires_at > %s)
GROUP BY resource_id
"""


@dataclass
class Calendar:
    """One resource's calendar for a stretch of time; `busy` sorted and disjoint, with the buffers of what is booked."""

    resource: Resource
    open: Open
    busy: Spans = field(default_factory=list)

    def starts_on(self, day: date, *, length: int, place: UUID | None, now_s: int) -> Spans:
        """The moments of that day at which something of `length` seconds can begin here."""
        open_ = open_on(self.open, day, place=place, now_s=now_s, offered=True)
        if not open_:
            return []
        before, after = self.resource.before_minutes * 60, self.resource.after_minutes * 60
        near = _between(self.busy, open_[0][0] - before, open_[-1][1] + after)
        return intervals.starts(open_, near, length=length, before=before, after=after)


def _between(busy: Spans, start: int, end: int) -> Spans:
    """The stretches that meet [start, end), found by halving: a day is a small part of what was read."""
    first = bisect_right(busy, start, key=lambda span: span[1])
    return busy[first : bisect_left(busy, end, lo=first, key=lambda span: span[0])]


def busy_times(resource_ids: Sequence[UUID], starts_at: datetime, ends_at: datetime) -> dict[UUID, Spans]:
    """The busy stretches that meet [starts_at, ends_at), by resource, in one query along one index.

    Whole seconds, rounded outwards. Expired holds block nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(BUSY, [list(resource_ids), starts_at, ends_at + _LONGEST_BUSY, ends_at, now()])
        return {
            ident: intervals.normal(zip(lows, highs, strict=True)) for ident, lows, highs in cursor.fetchall()
        }


def seconds(starts_at: datetime, ends_at: datetime) -> Span:
    """Rounded outwards."""
    return floor(starts_at.timestamp()), ceil(ends_at.timestamp())


def _row(row: WeeklyHours) -> Weekly:
    return Weekly(
        row.weekday, row.opens_minute, row.closes_minute, row.place_id, row.valid_from, row.valid_to
    )


def _weekly(resources: Sequence[Resource]) -> dict[UUID, Week | None]:
    """Each resource's own hours, else its institution's, else None."""
    places = {resource.institution_id for resource in resources}
    ids = [resource.id for resource in resources]
    rows = _weekly_rows(resource_ids=tuple(ids), places=tuple(places))
    found: dict[UUID, list[Weekly]] = defaultdict(list)
    for row in rows:
        owner = row.resource_id or row.institution_id
        assert owner is not None
        found[owner].append(_row(row))
    return {
        resource.id: tuple(found[owner]) if (owner := _owner(resource, found)) is not None else None
        for resource in resources
    }


@prebuilt
def _weekly_rows(*, resource_ids: Value, places: Value) -> QuerySet[WeeklyHours]:
    return WeeklyHours.objects.filter(Q(resource_id__in=resource_ids) | Q(institution_id__in=places))


def week_of(owner: Resource | Institution) -> Week | None:
    """The hours that hold for a calendar, or for everything in a house without hours of its own; None: not written."""
    if isinstance(owner, Resource):
        return _weekly([owner])[owner.id]
    return tuple(_row(row) for row in WeeklyHours.objects.filter(institution=owner)) or None


def _owner(resource: Resource, found: dict[UUID, list[Weekly]]) -> UUID | None:
    return next((owner for owner in (resource.id, resource.institution_id) if owner in found), None)


def _exceptions(
    resources: Sequence[Resource], starts_at: datetime, ends_at: datetime
) -> dict[UUID, tuple[Spans, Spans]]:
    """(opened, closed) of each resource: its own and its institution's."""
    places = {resource.institution_id for resource in resources}
    rows = _exception_rows(
        resource_ids=tuple([resource.id for resource in resources]),
        places=tuple(places),
        period=DateTimeTZRange(starts_at, ends_at),
    )
    opened: dict[UUID, Spans] = defaultdict(list)
    closed: dict[UUID, Spans] = defaultdict(list)
    for row in rows:
        owner = row.resource_id or row.institution_id
        assert owner is not None
        (opened if row.open else closed)[owner].append(seconds(row.period.lower, row.period.upper))
    return {
        resource.id: (
            intervals.normal([*opened[resource.id], *opened[resource.institution_id]]),
            intervals.normal([*closed[resource.id], *closed[resource.institution_id]]),
        )
        for resource in resources
    }


@prebuilt
def _exception_rows(*, resource_ids: Value, places: Value, period: Value) -> QuerySet[CalendarException]:
    which = Q(resource_id__in=resource_ids) | Q(institution_id__in=places)
    return CalendarException.objects.filter(which, withdrawn_at=None, period__overlap=period)


def _releases(
    resources: Sequence[Resource], starts_at: datetime, ends_at: datetime
) -> dict[UUID, tuple[Released, ...]]:
    """The released times of those who are booked by release only."""
    by_release = [resource.id for resource in resources if resource.by_release]
    if not by_release:
        return {}
    rows = _released_rows(resource_ids=tuple(by_release), period=DateTimeTZRange(starts_at, ends_at))
    found: dict[UUID, list[Released]] = {ident: [] for ident in by_release}
    for row in rows:
        found[row.resource_id].append(Released(row.partner_id, seconds(row.period.lower, row.period.upper)))
    return {ident: tuple(released) for ident, released in found.items()}


@prebuilt
def _released_rows(*, resource_ids: Value, period: Value) -> QuerySet[ReleasedTime]:
    return ReleasedTime.objects.filter(
        resource_id__in=resource_ids, withdrawn_at=None, period__overlap=period
    )


def opening(resources: Sequence[Resource], starts_at: datetime, ends_at: datetime) -> dict[UUID, Open]:
    """When each resource is open in [starts_at, ends_at)."""
    weekly, released = _weekly(resources), _releases(resources, starts_at, ends_at)
    exceptions = _exceptions(resources, starts_at, ends_at)
    return {
        resource.id: Open(
            weekly=weekly[resource.id],
            opened=exceptions[resource.id][0],
            closed=exceptions[resource.id][1],
            released=released.get(resource.id),
        )
        for resource in resources
    }


@dataclass
class Calendars:
    """The calendars of some resources over [starts_at, ends_at); their busy time is read as far as it is asked for.

    Most searches end on their first days, so each reading reaches twice as far as the last one. It goes a little
    beyond what is asked: what cleans or warms up there reaches into it.
    """

    by_id: dict[UUID, Calendar]
    starts_at: datetime
    ends_at: datetime
    read_to: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.read_to = self.starts_at

    def __getitem__(self, resource_id: UUID) -> Calendar:
        return self.by_id[resource_id]

    def read(self, until: datetime) -> None:
        """Busy time is known up to `until`, at least."""
        while self.read_to < min(until, self.ends_at):
            reach = max(READ_FIRST, 2 * (self.read_to - self.starts_at))
            self._read_to(min(self.starts_at + reach, self.ends_at))

    def _read_to(self, end: datetime) -> None:
        margin = timedelta(minutes=BUFFER_MAX_MIN)
        for ident, spans in busy_times(list(self.by_id), self.read_to - margin, end + margin).items():
            calendar = self.by_id[ident]
            calendar.busy = intervals.normal([*calendar.busy, *spans])
        self.read_to = end


def calendars(resources: Sequence[Resource], starts_at: datetime, ends_at: datetime) -> Calendars:
    """The calendars of these resources over [starts_at, ends_at), no busy time read yet."""
    opens = opening(resources, starts_at, ends_at)
    found = {resource.id: Calendar(resource, opens[resource.id]) for resource in resources}
    return Calendars(found, starts_at, ends_at)


def closed_for(
    resources: Iterable[Resource], starts_at: datetime, ends_at: datetime, *, place: UUID | None
) -> list[dict[str, Any]]:
    """Which of the resources are not open for [starts_at, ends_at) at that place, as a refusal lists them.

    `{resource_id, kind, name, name_en, code: resource_closed|not_released}`. Buffers may lie outside open hours.
    """
    rows = {resource.id: resource for resource in resources}
    start, end = seconds(starts_at, ends_at)
    now_s = int(now().timestamp())
    days = [day_of(start), day_of(end - 1)]
    found = []
    for ident, calendar in opening(list(rows.values()), starts_at, ends_at).items():
        if _covered(calendar, days, start, end, place, now_s):
            continue
        unreleased = Open(weekly=calendar.weekly, opened=calendar.opened, closed=calendar.closed)
        code = "not_released" if _covered(unreleased, days, start, end, place, now_s) else "resource_closed"
        found.append(_closed_json(rows[ident], code))
    return sorted(found, key=lambda row: (row["kind"], row["resource_id"]))


def in_week(calendar: Open, starts_at: datetime, ends_at: datetime, *, place: UUID | None) -> bool:
    """Whether [starts_at, ends_at) lies in the calendar's hours at that place, whatever was released or closed since."""
    start, end = seconds(starts_at, ends_at)
    hours = Open(weekly=calendar.weekly, opened=calendar.opened)
    return _covered(hours, [day_of(start), day_of(end - 1)], start, end, place, 0)


def _covered(calendar: Open, days: list[date], start: int, end: int, place: UUID | None, now_s: int) -> bool:
    spans: Spans = []
    for day in dict.fromkeys(days):
        spans += open_on(calendar, day, place=place, now_s=now_s, offered=False)
    return intervals.covers(intervals.normal(spans), start, end)


def _closed_json(resource: Resource, code: str) -> dict[str, Any]:
    return {
        "resource_id": str(resource.id),
        "kind": resource.kind,
        "name": resource.name,
        "name_en": resource.name_en,
        "code": code,
    }

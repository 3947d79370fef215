"""Reads of turnovers: what a robot, a room or a probe still owes to its next patient. Nothing here names a patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from hospital.access.principals import Principal
from hospital.access.scopes import within
from hospital.common.clock import at_hand, shanghai_day, today
from hospital.common.errors import NotFound

from .models import Exam, Turnover, TurnoverTick
from .states import OVER, State
from .turnover_rules import CODES, ITEMS, Item, items_of, open_of

READ = "turnover.read"
_OVER = frozenset(str(state) for state in OVER)


@dataclass(frozen=True)
class Owed:
    """One turnover, as the exam that waits for it sees it: only the items of what both share."""

    turnover: Turnover
    items: tuple[Item, ...]


def with_ticks(rows: QuerySet[Turnover]) -> QuerySet[Turnover]:
    ticks = TurnoverTick.objects.select_related("by").order_by("step")
    related = rows.select_related("exam", "robot", "room", "probe")
    return related.prefetch_related(Prefetch("ticks", queryset=ticks))


def turnovers(principal: Principal, action: str = READ) -> QuerySet[Turnover]:
    return with_ticks(Turnover.objects.filter(within(principal, action, "turnover")))


def turnover_get(principal: Principal, turnover_id: UUID, action: str = READ) -> Turnover:
    """NotFound for what is not there and for what is not yours."""
    found = turnovers(principal, action).filter(id=turnover_id).first()
    if found is None:
        raise NotFound()
    return found


def newest_ticks(turnover: Turnover) -> dict[str, TurnoverTick]:
    """Item -> the tick that counts."""
    return {tick.item: tick for tick in turnover.ticks.all()}


def done_of(turnover: Turnover) -> list[str]:
    return [item for item, tick in newest_ticks(turnover).items() if tick.done]


def is_due(turnover: Turnover) -> bool:
    """The exam is over: the patient is off the couch."""
    return turnover.exam.state in _OVER


def open_items(turnover: Turnover) -> tuple[Item, ...]:
    return open_of(ITEMS, done_of(turnover))


def _newest(rows: QuerySet[Turnover], condition: Q) -> Turnover | None:
    return with_ticks(rows.filter(condition)).order_by("-begun_at", "-id").first()


def owed_before(exam: Exam) -> list[Owed]:
    """What the last exams on this robot, in this room and with this probe still owe before this one may begin.

    Only an exam that went live counts; none before, nothing owed. Once this one has begun nothing is asked any more.
    """
    if exam.started_at is not None:
        return []
    rows = Turnover.objects.exclude(exam_id=exam.id)
    asked = [Q(robot_id=exam.robot_id), Q(room_id=exam.room_id)]
    asked += [Q(probe_id=exam.probe_id)] if exam.probe_id else []
    newest = [_newest(rows, condition) for condition in asked]
    found = {row.id: row for row in newest if row is not None}
    owed = []
    for row in found.values():
        by = [one is not None and one.id == row.id for one in newest]
        items = items_of(by[0], by[1], len(by) > 2 and by[2])
        left = open_of(items, done_of(row))
        owed += [Owed(row, left)] if left else []
    return owed


def standing(principal: Principal) -> list[Turnover]:
    """The last turnover of each robot, room and probe within the caller's reach that is not done, or is today's."""
    ids: set[UUID] = set()
    reach = Turnover.objects.filter(within(principal, READ, "turnover"))
    for of in ("robot_id", "room_id", "probe_id"):
        newest = reach.exclude(**{of: None}).order_by(of, "-begun_at", "-id").distinct(of)
        ids.update(newest.values_list("id", flat=True))
    morning = shanghai_day(today())[0]
    rows = with_ticks(Turnover.objects.filter(id__in=ids)).order_by("begun_at", "id")
    return [row for row in rows if row.begun_at >= morning or open_items(row)]


def waiting_exams(turnover: Turnover) -> list[UUID]:
    """Exams at hand on the same robot, in the same room or with the same probe whose pages show what is owed."""
    shared = Q(robot_id=turnover.robot_id) | Q(room_id=turnover.room_id)
    if turnover.probe_id:
        shared |= Q(probe_id=turnover.probe_id)
    begin, end = at_hand()
    rows = Exam.objects.filter(shared, starts_at__gte=begin, starts_at__lt=end)
    states = [str(state) for state in (State.BOOKED, State.CHECKED_IN, State.READY)]
    return list(rows.filter(state__in=states).exclude(id=turnover.exam_id).values_list("id", flat=True))


def names_of(owed: Iterable[Owed]) -> list[dict[str, str]]:
    """What a refusal names, each item once, in the order of the list."""
    items = {item.code: item for row in owed for item in row.items}
    return [
        {"code": code, "name": items[code].name, "name_en": items[code].name_en}
        for code in CODES
        if code in items
    ]

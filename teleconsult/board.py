"""The booking desk's board: what one look at a day or a week shows, in a number of queries that does not grow with it.

Everybody at the desk sees the exams of their institutions, and of each calendar when it is busy or closed, never why:
a remote physician's other hospitals stay unnamed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from devices.fleet import selectors as fleet
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.clock import now, shanghai_day, today
from hospital.people import selectors as people
from hospital.scheduling import availability, hours
from hospital.scheduling import selectors as scheduling
from hospital.scheduling.intervals import Spans, subtract
from hospital.scheduling.models import Resource

from . import preflight, selectors, turnover
from .models import Exam, LinkQuality, Presence, QueueTicket, Turnover
from .states import CONNECTED, SCANNING

ACTION = "board.read"
FOUND_MAX = 40  # design value: exams one search at the board shows
LOOK_BACK = timedelta(days=30)  # design value: how far a search at the board reads the past
# What the board does not show is not read: questions and histories are the record's.
_HIDDEN = ("clinical_question", "history", "checklist__answers", "end_reason")


@dataclass(frozen=True)
class Line:
    """One calendar: `key` names it as a move does, `busy` and `closed` are seconds since 1970, sorted and disjoint."""

    kind: str
    key: UUID
    resource: Resource
    busy: Spans
    closed: Spans
    online: bool | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Link:
    """How an exam's two ends stand now: which pages were heard within 6 s, and the newest measurement in 5 min."""

    console: bool = False
    bedside: bool = False
    rtt_p95_ms: float | None = None
    good: bool | None = None


@dataclass(frozen=True)
class Look:
    """One look at the board."""

    day: date
    days: int
    lines: list[Line]
    exams: list[Exam]
    links: dict[UUID, Link] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)
    alarms: dict[UUID, list[str]] = field(default_factory=dict)
    turnovers: list[Turnover] = field(default_factory=list)


def _exams(principal: Principal) -> QuerySet[Exam]:
    return selectors.exams(principal, ACTION).defer(*_HIDDEN).order_by("starts_at", "id")


def _links(exams: Sequence[Exam], at: datetime) -> dict[UUID, Link]:
    ids = [exam.id for exam in exams if exam.state in CONNECTED]
    running = [exam.id for exam in exams if exam.state in SCANNING]
    fresh = Presence.objects.filter(exam_id__in=ids, last_seen_at__gte=at - selectors.PRESENT_WITHIN)
    there = set(fresh.values_list("exam_id", "role"))
    rows = LinkQuality.objects.filter(exam_id__in=running, at__gte=at - selectors.LINK_VALID_FOR)
    newest = {row.exam_id: row for row in rows.order_by("exam_id", "-at").distinct("exam_id")}
    return {
        ident: Link(
            console=(ident, "console") in there,
            bedside=(ident, "bedside") in there,
            rtt_p95_ms=newest[ident].rtt_p95_ms if ident in newest else None,
            good=newest[ident].good if ident in newest else None,
        )
        for ident in ids
    }


def _numbers(exams: Sequence[Exam]) -> dict[UUID, int]:
    """The queue numbers of those who have arrived."""
    rows = QueueTicket.objects.filter(exam_id__in=[exam.id for exam in exams])
    return dict(rows.values_list("exam_id", "number"))


def _remote(principal: Principal, exams: Sequence[Exam]) -> dict[UUID, str | None]:
    """Remote physicians who can be booked today, with what stands against each, and those who are booked."""
    found = people.practitioners(principal=principal, role="remote_physician", institution_id=None)
    known: dict[UUID, str | None] = {UUID(str(row["id"])): row["problem"] for row in found}
    return known | {exam.remote_physician_id: None for exam in exams if exam.remote_physician_id not in known}


def _named(principal: Principal, exams: Sequence[Exam]) -> list[tuple[str, UUID, Resource, dict[str, Any]]]:
    """(kind, key, calendar, what else is known), in the order in which the board offers them."""
    home = scheduling.resources(kind="", institution_ids=places(principal, ACTION))
    robots = {robot.resource_id: robot for robot in fleet.robots(principal)}
    remote = _remote(principal, exams)
    away = scheduling.people(remote)
    rows: list[tuple[str, UUID, Resource, dict[str, Any]]] = []
    for row in home:
        robot = robots.get(row.id)
        if row.kind == "room":
            rows.append(("room", row.id, row, {}))
        elif robot is not None and robot.revoked_at is None:
            rows.append(("robot", robot.id, row, {"online": fleet.is_online(robot)}))
        elif row.user_id is not None and row.user_id not in remote:
            rows.append(("bedside_physician", row.user_id, row, {}))
    rows += [
        ("remote_physician", row.user_id, row, {"problem": remote[row.user_id]})
        for row in away
        if row.user_id is not None
    ]
    return rows


def _lines(principal: Principal, exams: Sequence[Exam], days: list[date]) -> list[Line]:
    named = _named(principal, exams)
    resources = list({resource.id: resource for _, _, resource, _ in named}.values())
    start, end = shanghai_day(days[0])[0], shanghai_day(days[-1])[1]
    busy = availability.busy_times([row.id for row in resources], start, end)
    opens = availability.opening(resources, start, end)
    return [
        Line(kind, key, row, busy.get(row.id, []), _closed(opens[row.id], days), **more)
        for kind, key, row, more in named
    ]


def _closed(calendar: hours.Open, days: list[date]) -> Spans:
    """What is not open, day by day. Nobody wrote hours: nothing is closed."""
    now_s = int(now().timestamp())
    return [
        span
        for day in days
        for span in subtract(
            [(hours.midnight(day), hours.midnight(day + timedelta(days=1)))],
            hours.open_on(calendar, day, place=None, now_s=now_s, offered=False),
        )
    ]


def look(principal: Principal, *, day: date | None = None, days: int = 1) -> Look:
    """The board from a Shanghai day on; today by default."""
    first, at = day or today(), now()
    span = [first + timedelta(days=number) for number in range(days)]
    start, end = shanghai_day(span[0])[0], shanghai_day(span[-1])[1]
    exams = list(_exams(principal).filter(starts_at__gte=start, starts_at__lt=end))
    return Look(
        first,
        days,
        _lines(principal, exams, span),
        exams,
        _links(exams, at),
        _numbers(exams),
        preflight.alarms(exams),
        turnover.standing(principal) if span[0] <= today() <= span[-1] else [],
    )


def found(principal: Principal, q: str) -> list[Exam]:
    """Exams of the patients that a search names (name, pinyin, tails, MPI), those to come first."""
    if not q.strip():
        return []
    ids = [row.id for row in people.patient_search(principal=principal, q=q, action=ACTION)]
    at = now()
    rows = _exams(principal).filter(patient_id__in=ids, starts_at__gte=at - LOOK_BACK)[: FOUND_MAX * 4]
    return sorted(rows, key=lambda exam: (exam.ends_at < at, abs(exam.starts_at - at)))[:FOUND_MAX]

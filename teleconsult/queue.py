"""Reads of a room's queue: who waits, who was called, how late it will be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from hospital.access.principals import SYSTEM, Principal
from hospital.access.table import places
from hospital.common.clock import at_hand, now, today
from hospital.common.errors import NotFound
from hospital.scheduling import selectors as scheduling

from . import queue_rules, selectors
from .models import Exam, QueueTicket
from .states import PREPARING, SCANNING, State

WAITING = [str(state) for state in PREPARING]
RUNNING = [str(state) for state in SCANNING]


@dataclass(frozen=True)
class Place:
    """One in the queue; `begins_at` is predicted, None for who is not waiting."""

    ticket: QueueTicket
    exam: Exam
    begins_at: datetime | None = None


@dataclass(frozen=True)
class Room:
    """A room's queue of one day: those who wait in their order, those in the exam."""

    id: UUID
    name: str
    name_en: str
    waiting: list[Place]
    running: list[Place]


def tickets(exams: QuerySet[Exam], room_id: UUID, day: date) -> list[QueueTicket]:
    """The day's numbers of a room whose exams are not over, in their turn."""
    rows = QueueTicket.objects.select_related("exam__patient", "exam__exam_type").filter(
        exam__in=exams.filter(state__in=[*WAITING, *RUNNING]).values("id"), room_id=room_id, day=day
    )
    return list(rows.order_by("turn", "number"))


def durations(codes: Iterable[str], at: datetime) -> dict[str, list[float]]:
    """Minutes that the last exams of each type took, the newest first."""
    rows = Exam.objects.filter(
        exam_type_id__in=set(codes),
        started_at__isnull=False,
        ended_at__gt=at - timedelta(days=90),
        ended_at__lte=at,
    )
    found: dict[str, list[float]] = defaultdict(list)
    for code, start, end in rows.order_by("-ended_at").values_list("exam_type_id", "started_at", "ended_at")[
        :400
    ]:
        assert start is not None and end is not None
        found[code].append((end - start).total_seconds() / 60)
    return found


def _expected(exam: Exam, took: dict[str, list[float]]) -> float:
    planned = (exam.ends_at - exam.starts_at).total_seconds() / 60
    return queue_rules.expected_minutes(took.get(exam.exam_type_id, []), planned)


def _free_at(running: Sequence[Exam], took: dict[str, list[float]], at: datetime) -> datetime:
    """When the room's running exam will be over; a running one that is over its time is expected to end any moment."""
    ends = [exam.started_at + timedelta(minutes=_expected(exam, took)) for exam in running if exam.started_at]
    return max([at, *ends])


def _room(rows: list[QueueTicket], room: tuple[UUID, str, str], at: datetime) -> Room:
    took = durations([row.exam.exam_type_id for row in rows], at)
    running = [row for row in rows if row.exam.state in RUNNING]
    waiting = [row for row in rows if row.exam.state in WAITING]
    plan = [
        queue_rules.Planned(row.exam_id, row.exam.starts_at, _expected(row.exam, took)) for row in waiting
    ]
    begins = queue_rules.predicted(plan, _free_at([row.exam for row in running], took, at))
    return Room(
        *room,
        waiting=[Place(row, row.exam, begins[row.exam_id]) for row in waiting],
        running=[Place(row, row.exam) for row in running],
    )


def room_checked(principal: Principal, room_id: UUID, action: str) -> None:
    """NotFound for a room that is not of the caller's institutions."""
    if scheduling.room_institution(room_id) not in places(principal, action):
        raise NotFound()


def place_of(exam: Exam) -> Place | None:
    """An exam that somebody arrived for, with its number, as it is now."""
    row = QueueTicket.objects.filter(exam_id=exam.id).first()
    return Place(row, selectors.exam_get(SYSTEM, exam.id)) if row else None


def room_queue(principal: Principal, room_id: UUID) -> Room:
    """Today's queue of a room of the caller's institutions. NotFound for any other."""
    room_checked(principal, room_id, "queue.read")
    exams = selectors.exams(principal, "queue.read")
    return _room(tickets(exams, room_id, today()), (room_id, *scheduling.room_named(room_id)), now())


def late_places(at: datetime) -> list[Place]:
    """Everybody who waits today in any room, will begin more than 20 minutes late, and was not told."""
    exams = selectors.exams(SYSTEM, "queue.read")
    rooms = QueueTicket.objects.filter(day=today(), exam__state__in=WAITING, told_late_at=None)
    found = []
    for room_id in set(rooms.values_list("room_id", flat=True)):
        room = _room(tickets(exams, room_id, today()), (room_id, "", ""), at)
        found += [
            place
            for place in room.waiting
            if place.ticket.told_late_at is None
            and place.begins_at is not None
            and queue_rules.too_late(place.exam.starts_at, place.begins_at)
        ]
    return found


def arriving(principal: Principal, patient_ids: Iterable[UUID]) -> list[Exam]:
    """Exams at hand of these patients that somebody can arrive for, or has arrived for."""
    rows = selectors.exams_on(principal, span=at_hand(), state=None, action="arrival.check_in")
    return list(rows.filter(patient_id__in=list(patient_ids), state__in=[State.BOOKED, State.CHECKED_IN]))

"""Arrival and queue: a number on arrival, who is called next, where a passed number returns."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F, Max

from hospital.access.principals import Principal
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.people import selectors as people
from hospital.scheduling import services as scheduling_services

from .. import queue, queue_rules, selectors, slip
from ..models import Exam, QueueTicket
from ..states import Command, State
from .steps import exam_locked, noted, part_checked, step

ARRIVE = "arrival.check_in"
CALL = "queue.call"


@transaction.atomic
def exam_check_in(*, principal: Principal, exam_id: UUID) -> Exam:
    """The patient is there: the state, and a number for the room and day."""
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.CHECK_IN)
    exam.checked_in_at = now()
    step(exam, Command.CHECK_IN, principal)
    _numbered(exam)
    return exam


def _numbered(exam: Exam) -> QueueTicket:
    """The next number of the room's day. The constraint has the last word; the lock lets nobody meet it."""
    starts_at = exam.starts_at.astimezone(SHANGHAI)
    scheduling_services.resource_lock(exam.room_id)
    day = QueueTicket.objects.filter(room_id=exam.room_id, day=starts_at.date())
    last = day.aggregate(last=Max("number"))["last"] or 0
    return QueueTicket.objects.create(
        exam=exam,
        room_id=exam.room_id,
        day=starts_at.date(),
        number=last + 1,
        turn=starts_at.hour * 60 + starts_at.minute,
    )


def _patients(principal: Principal, said: queue_rules.Said) -> list[UUID]:
    found = people.patients_shown(
        principal=principal,
        action=ARRIVE,
        document_number=said.document_number,
        phone_tail=said.phone_tail,
        name=said.name,
    )
    return [row.id for row in found]


def _arriving(principal: Principal, said: queue_rules.Said) -> list[Exam]:
    if said.token:
        exam_id = slip.exam_of(said.token)
        return [selectors.exam_get(principal, exam_id, ARRIVE)] if exam_id else []
    return queue.arriving(principal, _patients(principal, said))


@transaction.atomic
def arrival_check_in(*, principal: Principal, said: str) -> Exam:
    """Check in who stands at the desk, by a slip's code, a document, or a phone's last four and the name.

    Again is the same number. Of several exams today the first that nobody arrived for. Invalid `arrival_unread`;
    NotFound `nobody_arrives` when nothing is booked today; Conflict `arrival_ambiguous` for several patients.
    """
    shown = queue_rules.said_of(said)
    if shown is None:
        raise Invalid("arrival_unread", field="said")
    found = _arriving(principal, shown)
    if not found:
        raise NotFound("nobody_arrives")
    if len({exam.patient_id for exam in found}) > 1:
        raise Conflict("arrival_ambiguous")
    exam = next((row for row in found if row.state == State.BOOKED), found[0])
    if exam.state == State.CHECKED_IN:
        return exam
    return exam_check_in(principal=principal, exam_id=exam.id)


def _called(principal: Principal, ticket: QueueTicket) -> Exam:
    QueueTicket.objects.filter(id=ticket.id).update(called_at=now(), calls_n=F("calls_n") + 1)
    noted(ticket.exam, principal, CALL)
    return ticket.exam


def _awaits_call(ticket: QueueTicket) -> bool:
    return ticket.called_at is None and ticket.exam.state in queue.WAITING


def _uncalled(principal: Principal, room_id: UUID, exam: Exam | None = None) -> list[QueueTicket]:
    """With the room's queue locked: the numbers that wait for their call, in their turn."""
    scheduling_services.resource_lock(room_id)
    day = (exam.starts_at if exam else now()).astimezone(SHANGHAI).date()
    return [row for row in queue.tickets(selectors.exams(principal, CALL), room_id, day) if _awaits_call(row)]


@transaction.atomic
def queue_call_next(*, principal: Principal, room_id: UUID) -> Exam:
    """Call whose turn it is. NotFound for another hospital's room; Conflict `queue_empty`."""
    queue.room_checked(principal, room_id, CALL)
    waiting = _uncalled(principal, room_id)
    if not waiting:
        raise Conflict("queue_empty")
    return _called(principal, waiting[0])


def _ticket(principal: Principal, exam_id: UUID) -> QueueTicket:
    """Conflict `not_waiting` for who has no number or is not waiting any more."""
    exam = selectors.exam_get(principal, exam_id, CALL)
    scheduling_services.resource_lock(exam.room_id)
    ticket = QueueTicket.objects.select_related("exam").filter(exam_id=exam_id).first()
    if ticket is None or ticket.exam.state not in queue.WAITING:
        raise Conflict("not_waiting")
    return ticket


@transaction.atomic
def queue_call(*, principal: Principal, exam_id: UUID) -> Exam:
    """Call this number, also again."""
    return _called(principal, _ticket(principal, exam_id))


@transaction.atomic
def queue_pass(*, principal: Principal, exam_id: UUID) -> Exam:
    """Called and not there: the number comes again after the next two. Conflict `not_called`."""
    ticket = _ticket(principal, exam_id)
    if _awaits_call(ticket):
        raise Conflict("not_called")
    others = [row.turn for row in _uncalled(principal, ticket.room_id, ticket.exam)]
    QueueTicket.objects.filter(id=ticket.id).update(
        turn=queue_rules.turn_after(ticket.turn, others), called_at=None, passes_n=F("passes_n") + 1
    )
    noted(ticket.exam, principal, "queue.pass")
    return ticket.exam

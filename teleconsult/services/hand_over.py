"""Who stands at the bedside now: a change of person on the room's tablet, and what it means for an exam there."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from devices.fleet.push import push_exam
from hospital.access import tablets
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_token
from hospital.access.table import allowed
from hospital.access.tablets import Person, Signed
from hospital.common.errors import Conflict, Forbidden, NotFound
from hospital.scheduling import services as scheduling_services

from .. import selectors
from ..models import BedsideHandOver, Exam
from ..states import CONNECTED, State
from .steps import noted


@transaction.atomic
def bedside_take(*, principal: Principal, exam_id: UUID) -> Exam:
    """The caller, a bedside physician at the tablet of the exam's room, is its bedside from here on.

    Forbidden `bedside_physician_needed` for the bedside's other roles; NotFound away from the room; Conflict
    `illegal_transition` when the exam is not open, `two_different_physicians` for its remote physician. The one who
    stood there loses the part with it; the arm, its stop and its lease are not touched.
    """
    if not allowed(principal, "exam.bedside_take"):
        raise Forbidden("bedside_physician_needed")
    seat = principal.seat
    exam = selectors.exam_get(principal, exam_id, "exam.bedside_take")
    if seat is None or exam.room_id != seat.room_id:
        raise NotFound()
    Exam.objects.select_for_update().get(id=exam_id)
    exam = selectors.exam_get(principal, exam_id, "exam.bedside_take")
    if exam.bedside_physician_id == principal.id:
        return exam
    if State(exam.state) not in CONNECTED:
        raise Conflict("illegal_transition", state=exam.state, command="bedside_take")
    if exam.remote_physician_id == principal.id:
        raise Conflict("two_different_physicians")
    return _handed_over(exam, principal, seat.tablet_id)


def _handed_over(exam: Exam, principal: Principal, tablet_id: UUID) -> Exam:
    before = exam.bedside_physician
    moved = scheduling_services.person_replaced(
        appointment_id=exam.appointment_id, before_id=before.id, after_id=principal.id
    )
    exam.bedside_physician_id = principal.id
    exam.save(update_fields=["bedside_physician"])
    BedsideHandOver.objects.create(
        exam=exam,
        before=before,
        after_id=principal.id,
        tablet_id=tablet_id,
        state=exam.state,
        calendar_moved=moved,
    )
    noted(exam, principal, "exam.bedside_take", reason=f"{before.id} -> {principal.id}")
    push_exam(exam.id, {"type": "bedside_changed", "from": before.name, "to": principal.name})
    return exam


def bedside_change(
    *, request: HttpRequest, signed: Signed, person: Person, exam_id: UUID | None, agent: str
) -> Principal:
    """Change the person on a paired tablet, and hand over the exam that is open on it, in one go or not at all.

    Unauthenticated `tablet_refused`; with an exam also what `bedside_take` refuses: then whoever stood there still does.
    """
    tablets.person_proven(signed=signed, person=person)
    with transaction.atomic():
        row = tablets.seat_taken(
            signed=signed, user_id=person.user_id, before=tablets.session_token_of(request), agent=agent
        )
        principal = principal_of_token(row)
        if exam_id is not None:
            bedside_take(principal=principal, exam_id=exam_id)
    tablets.seat_session(request=request, row=row)
    return principal

"""An emergency takes the time of planned exams: audited, with a reason and a fresh proof of identity."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from devices.fleet import selectors as fleet
from hospital.access.principals import Principal
from hospital.access.proofs import recently_proven
from hospital.common.clock import today
from hospital.common.errors import Conflict
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services

from .. import selectors
from ..models import Exam, ExamRequest, SlotOffer
from ..states import State
from ..states_requests import OPEN, ROUTINE, STAT, UNPAID, WAITING
from ..telling import patient_told
from . import requests, waiting
from .booking import exam_book, exam_ended_unseen
from .steps import noted, reason_checked
from .team import procedures_of, team_checked

ACTION = "exam.displace"
SEARCHED_DAYS = 30  # design value: how far a new time is looked for


@transaction.atomic
def exam_displace(
    *, principal: Principal, reason: str, starts_at: datetime, priority: str = STAT, **booking: Any
) -> Exam:
    """Book an emergency, `booking` as in `exam_book`, in the place of planned exams that stand in its way.

    What gives way is cancelled, its patient told and put at the front of the waiting list, where a free time is
    looked for at once. Conflict `cannot_displace` with `exams[]` when one of them is no longer only booked, is no
    routine exam, or is another institution's; then nothing is written. Forbidden `step_up_required`; Invalid
    `reason_required`; else as in `exam_book`.
    """
    recently_proven(principal=principal)
    why = reason_checked(reason)
    for exam in _in_the_way(principal, starts_at, booking):
        _gives_way(exam, principal, why)
    done = exam_book(principal=principal, starts_at=starts_at, priority=priority, **booking)
    noted(done, principal, ACTION, why)
    return done


def _in_the_way(principal: Principal, starts_at: datetime, booking: dict[str, Any]) -> list[Exam]:
    """The planned exams there, locked in id order; kept times are given back."""
    kind = scheduling.exam_type_get(booking["exam_type"])
    team = team_checked(
        kind,
        remote_id=booking["remote_physician_id"],
        bedside_id=booking["bedside_physician_id"],
        assistant_id=booking.get("assistant_id"),
        robot=fleet.robot_within(principal, ACTION, booking["robot_id"]),
        room_id=booking["room_id"],
        starts_at=starts_at,
        procedures=procedures_of(kind, booking["patient_id"], booking.get("other_procedures", ())),
    )
    periods = scheduling.busy_periods(team.calendars, starts_at, team.ends_at)
    appointment_ids, hold_ids = scheduling.in_the_way(periods)
    reach = selectors.exams(principal, ACTION).values("id")
    rows = Exam.objects.select_for_update(of=("self",)).filter(appointment_id__in=appointment_ids)
    found = list(rows.select_related("patient", "room", "requesting_institution").order_by("id"))
    mine = set(
        Exam.objects.filter(id__in=reach, appointment_id__in=appointment_ids).values_list("id", flat=True)
    )
    fixed = [exam for exam in found if not _may_give_way(exam) or exam.id not in mine]
    if fixed or len(found) < len(appointment_ids):
        raise Conflict("cannot_displace", exams=[str(exam.id) for exam in fixed if exam.id in mine])
    _holds_end(hold_ids)
    return found


def _may_give_way(exam: Exam) -> bool:
    return exam.state == State.BOOKED and exam.priority == ROUTINE


def _holds_end(hold_ids: list[UUID]) -> None:
    """A time somebody only thinks about, or that is on offer, is no exam."""
    for offer in (
        SlotOffer.objects.select_for_update().filter(hold_id__in=hold_ids, state=OPEN).order_by("id")
    ):
        requests.offer_step(offer, "revoke", "staff")
    for hold_id in hold_ids:
        scheduling_services.hold_release(hold_id=hold_id)


def _gives_way(exam: Exam, principal: Principal, why: str) -> None:
    exam_ended_unseen(exam, principal, code="displaced", reason=why)
    patient_told(exam, "exam_displaced")
    earlier = ExamRequest.objects.filter(exam=exam).first()
    row = ExamRequest.objects.create(
        patient=exam.patient,
        exam_type_id=exam.exam_type_id,
        institution_id=exam.requesting_institution_id,
        requested_by_id=earlier.requested_by_id if earlier else None,
        clinical_question=exam.clinical_question,
        history=exam.history,
        fee=earlier.fee if earlier else UNPAID,
        state=WAITING,
        asked_at=earlier.asked_at if earlier else exam.created_at,
        reason="displaced",
    )
    requests.noted(row, principal, "request.wait", why)
    waiting.entry_write(row, earliest=today(), latest=today() + timedelta(days=SEARCHED_DAYS), front=True)

"""What an exam does when the fleet reports something; runs in the reporter's transaction."""

from __future__ import annotations

from devices.fleet.events import LeaseEnded, RobotChanged, RobotReported
from devices.fleet.push import push_exam, push_exam_changed, push_notice
from hospital.access.principals import SYSTEM
from hospital.common.clock import now
from hospital.keeping.events import RecordRestricting
from hospital.messages.events import MessageUndelivered, NoticeGiven, NoticesRead
from hospital.people.consents import ConsentWithdrawn
from hospital.people.scopes import of_readable
from hospital.scheduling.events import BookedTimeClosed, TimeFreed

from . import services, telling
from .against import STANDING
from .models import Exam, ExamRequest
from .rules_waiting import NOTICE
from .states import State
from .states_requests import OPEN_REQUESTS

BEDSIDE_ABSENT = "BEDSIDE_ABSENT"  # devices.wire StopCause name


def on_robot_reported(event: RobotReported) -> None:
    if event.exam_id is None:
        return
    if event.kind == "stop" and str(event.data.get("cause", "")).upper() == BEDSIDE_ABSENT:
        services.exam_pause_by_system(exam_id=event.exam_id, reason="bedside_absent")
    push_exam(event.exam_id, {"type": "robot_event", "kind": event.kind, "data": event.data})


def on_robot_changed(event: RobotChanged) -> None:
    if event.exam_id is not None:
        push_exam_changed(event.exam_id)


def on_consent_withdrawn(event: ConsentWithdrawn) -> None:
    if event.exam_id is not None:
        services.consent_gone(principal=event.by, exam_id=event.exam_id, kind=event.kind, reason=event.reason)


def on_lease_ended(event: LeaseEnded) -> None:
    push_exam(event.exam_id, {"type": "lease_lost", "code": event.code, "epoch": event.epoch}, to="console")
    push_exam_changed(event.exam_id)


def on_record_restricting(event: RecordRestricting) -> None:
    """What was still to come is cancelled: nobody would find the patient any more."""
    waiting = Exam.objects.filter(patient_id=event.patient_id, state=State.BOOKED)
    for exam_id in list(waiting.values_list("id", flat=True)):
        services.exam_cancel(principal=SYSTEM, exam_id=exam_id, reason="erasure asked by the patient")
    asked = ExamRequest.objects.filter(patient_id=event.patient_id, state__in=OPEN_REQUESTS)
    for request_id in list(asked.values_list("id", flat=True)):
        services.request_withdraw(
            principal=SYSTEM, request_id=request_id, reason="erasure asked by the patient"
        )


def on_notices(event: NoticeGiven | NoticesRead) -> None:
    push_notice(event.user_id)


def on_message_undelivered(event: MessageUndelivered) -> None:
    if event.about_kind == telling.EXAM:
        telling.not_reached(event)


def on_booked_time_closed(event: BookedTimeClosed) -> None:
    """Where who closed it has a list, only the desk of another house hears of its exam: it has nothing else."""
    rows = Exam.objects.filter(of_readable(), appointment_id__in=event.appointment_ids, state__in=STANDING)
    concerned = rows.exclude(requesting_institution_id=event.institution_id) if event.listed else rows
    related = ("exam_type", "room", "requesting_institution")
    for exam in concerned.select_related(*related).order_by("starts_at", "id"):
        telling.in_closed_time(exam)


def on_time_freed(event: TimeFreed) -> None:
    """Whoever waits is looked at by the next poll: no nudge for each cancellation. What is left of a time that is too
    close to be offered helps nobody."""
    if event.ends_at - now() > NOTICE:
        services.serve_later(event.starts_at, event.ends_at, due_at=now())

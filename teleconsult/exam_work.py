"""Due work of exams: each handler reads the exam again and does nothing about a time that it no longer has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hospital.access.principals import SYSTEM
from hospital.common.clock import now
from hospital.common.work import worker
from hospital.people.scopes import of_readable
from hospital.scheduling.exam_times import reminder_moments

from . import later, services, telling
from .models import Exam
from .services import preflighting
from .states import PREPARING, State


def _exam(payload: dict[str, Any]) -> Exam | None:
    """The exam, its row locked, when it still is at the time this work was written for."""
    found = Exam.objects.select_for_update(of=("self",)).select_related(
        "patient", "exam_type", "room", "requesting_institution"
    )
    exam = found.filter(of_readable(), id=payload["exam_id"]).first()
    if exam is None or exam.starts_at != datetime.fromisoformat(payload["starts_at"]):
        return None
    return exam


@worker(later.REMIND)
def remind(payload: dict[str, Any]) -> None:
    """Nothing for a reminder the type no longer has, nor when a later one is due already."""
    exam = _exam(payload)
    if exam is None or exam.state != State.BOOKED or exam.starts_at <= now():
        return
    moments, mine = (
        reminder_moments(exam.starts_at, later.moments_of(exam)),
        datetime.fromisoformat(payload["at"]),
    )
    if mine not in moments or any(mine < moment <= now() for moment in moments):
        return
    telling.patient_told(exam, "exam_reminder")
    telling.family_reminded(exam)


@worker(later.PREFLIGHT)
def preflight(payload: dict[str, Any]) -> None:
    exam = _exam(payload)
    if exam is not None:
        preflighting.preflight_due(exam=exam)


@worker(later.LATE)
def late(payload: dict[str, Any]) -> None:
    exam = _exam(payload)
    if exam is not None and State(exam.state) in PREPARING | {State.BOOKED}:
        telling.late(exam)


@worker(later.NO_SHOW)
def no_show(payload: dict[str, Any]) -> None:
    """Nobody checked in: the place is given back. Whoever comes after all is booked anew."""
    exam = _exam(payload)
    if exam is not None and exam.state == State.BOOKED:
        services.exam_no_show(principal=SYSTEM, exam_id=exam.id)


@worker(later.UNSIGNED)
def unsigned(payload: dict[str, Any]) -> None:
    exam = _exam(payload)
    if exam is not None and exam.state == State.ENDED:
        telling.unsigned(exam, to_head=payload["who"] == "head")

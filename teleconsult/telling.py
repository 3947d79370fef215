"""Who hears that a booking changed: the patient by SMS, the team in their pages. Sent through the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from hospital.common.clock import SHANGHAI
from hospital.messages.services import IN_APP, message_send

from .models import Exam

WHEN = "%Y-%m-%d %H:%M"


def when(moment: datetime) -> str:
    """As people in the house read it."""
    return moment.astimezone(SHANGHAI).strftime(WHEN)


def context_of(exam: Exam, **more: str) -> dict[str, str]:
    """What the texts about a booking are filled with; none of it says why somebody is cared for."""
    place = exam.requesting_institution
    return {
        "when": when(exam.starts_at),
        "place": place.name,
        "place_en": place.name_en or place.name,
        "room": exam.room.name,
    } | more


def team_of(exam: Exam) -> set[UUID]:
    """The people of an exam."""
    found = {exam.remote_physician_id, exam.bedside_physician_id}
    return found | ({exam.assistant_id} if exam.assistant_id else set())


def patient_told(exam: Exam, template: str, **more: str) -> None:
    """One SMS to the number on file."""
    if exam.patient.phone:
        message_send(
            to=exam.patient.phone, channel="sms", template=template, context=context_of(exam, **more)
        )


def team_told(exam: Exam, user_ids: Iterable[UUID], template: str, **more: str) -> None:
    """One notice in the pages for each of them."""
    for user_id in sorted(user_ids):
        message_send(to=str(user_id), channel=IN_APP, template=template, context=context_of(exam, **more))

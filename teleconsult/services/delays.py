"""Who waits is told once when it will be more than 20 minutes late."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from hospital.access.principals import SYSTEM
from hospital.common.clock import SHANGHAI, now
from hospital.messages.services import message_send

from .. import queue
from ..models import Exam, QueueTicket
from .steps import noted

TEMPLATE = "exam_delayed"


def late_told() -> int:
    """Tell everybody who was not told yet; how many were."""
    return sum(_told(place.exam.id, place.begins_at) for place in queue.late_places(now()) if place.begins_at)


@transaction.atomic
def _told(exam_id: UUID, begins_at: datetime) -> bool:
    """One UPDATE decides between two sweeps at once."""
    untold = QueueTicket.objects.filter(exam_id=exam_id, told_late_at=None)
    if not untold.update(told_late_at=now()):
        return False
    exam = Exam.objects.select_related("patient", "room", "requesting_institution").get(id=exam_id)
    if exam.patient.phone:
        message_send(
            to=exam.patient.phone,
            channel="sms",
            template=TEMPLATE,
            context={"at": begins_at.astimezone(SHANGHAI).strftime("%H:%M"), "place": exam.room.name},
            expires_at=begins_at,
        )
    noted(exam, SYSTEM, "queue.told_late")
    return True

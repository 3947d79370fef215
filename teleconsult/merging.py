"""What exams have to say when two registrations of a patient become one, or two again."""

from __future__ import annotations

from uuid import UUID

from hospital.common.errors import Conflict

from .models import Exam
from .states import PREPARING, SCANNING


def no_exam_open(source_id: UUID, survivor_id: UUID) -> None:
    """Nobody's name changes while they are called, identified or scanned (HAZ-04). Conflict `merge_exam_open`."""
    busy = Exam.objects.filter(patient_id__in=[source_id, survivor_id], state__in=PREPARING | SCANNING)
    exams = [str(one) for one in busy.order_by("id").values_list("id", flat=True)]
    if exams:
        raise Conflict("merge_exam_open", exams=exams)

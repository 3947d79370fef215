"""Exams that stand against a closed time: leave, maintenance or a closed house came after the booking.

Read from the calendars as they are, so that whatever was moved, cancelled or opened again is gone from it by itself.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.reads import Shown
from hospital.people.scopes import of_readable
from hospital.scheduling import selectors as scheduling

from .models import Exam
from .states import PREPARING, State

AGAINST = "calendar.against"
STANDING = [str(state) for state in (State.BOOKED, *sorted(PREPARING))]


def exams_against(principal: Principal) -> QuerySet[Exam]:
    """Of the caller's institutions, and those of others that need a calendar which the caller's institution closed."""
    closed, here = scheduling.against_closed(), places(principal, AGAINST)
    own = Q(requesting_institution_id__in=here)
    lent = Q(appointment_id__in=closed.filter(resource__institution_id__in=here).values("appointment_id"))
    rows = Exam.objects.select_related("exam_type", "requesting_institution", "room")
    rows = rows.filter(
        of_readable(), own | lent, state__in=STANDING, appointment_id__in=closed.values("appointment_id")
    )
    shut = Prefetch("appointment__reservations", queryset=closed, to_attr="closed")
    return rows.prefetch_related(shut).order_by("starts_at", "id")


def _named(row: Any) -> dict[str, str]:
    return {"name": row.name, "name_en": row.name_en}


def against_json(exam: Exam, principal: Principal) -> dict[str, Any]:
    """Time, place and who is closed; nothing of the patient. `exam_id` where the caller's desk can open it."""
    kind, mine = exam.exam_type, exam.requesting_institution_id in places(principal, "exam.read")
    shut: list[Any] = getattr(exam.appointment, "closed", [])
    return {
        "exam_id": str(exam.id) if mine else None,
        "state": exam.state,
        "starts_at": exam.starts_at.isoformat(),
        "ends_at": exam.ends_at.isoformat(),
        "exam_type": {"code": kind.code, "name_zh": kind.name_zh, "name_en": kind.name_en},
        "institution": {
            "id": str(exam.requesting_institution_id),
            **_named(exam.requesting_institution),
        },
        "room": _named(exam.room),
        "closed": [
            {
                "resource_id": str(row.resource_id),
                "institution_id": str(row.resource.institution_id),
                "kind": row.resource.kind,
                **_named(row.resource),
            }
            for row in shut
        ],
    }


def against_shown(exams: list[Exam]) -> Shown:
    """A list: one row of the log, with all its exams."""
    return Shown(
        kind="exams",
        patient_ids=tuple(dict.fromkeys(exam.patient_id for exam in exams)),
        institution_id=exams[0].requesting_institution_id if exams else None,
        why="desk",
        details={"shown": [str(exam.id) for exam in exams]},
    )

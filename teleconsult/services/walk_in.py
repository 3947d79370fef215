"""Who comes without a booking fills a gap: the ordinary search, the ordinary booking, and the number."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from hospital.access.principals import Principal
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import Conflict

from .. import finding
from ..models import Exam
from .arrival import exam_check_in
from .booking import exam_book

TRIES_N = 3  # design value: times that go meanwhile before somebody is told that none is free
_ROLES = ("remote_physician", "bedside_physician", "assistant", "robot", "room")


def _gaps(principal: Principal, exam_type: str) -> list[dict[str, Any]]:
    """The free times of what is left of today."""
    wish = finding.Wish(exam_type=exam_type, starts_from=now(), days=1)
    end = shanghai_day(today())[1]
    rows = finding.times_find(principal, wish, size=TRIES_N).results
    return [row for row in rows if datetime.fromisoformat(row["starts_at"]) < end - timedelta(minutes=1)]


def _booked(principal: Principal, gap: dict[str, Any], what: dict[str, Any]) -> Exam:
    team: dict[str, Any] = {
        f"{role}_id": UUID(gap["free"][role][0]) for role in _ROLES if gap["free"].get(role)
    }
    return exam_book(principal=principal, starts_at=datetime.fromisoformat(gap["starts_at"]), **team, **what)


def walk_in(
    *, principal: Principal, patient_id: UUID, exam_type: str, clinical_question: str, history: str = ""
) -> Exam:
    """Book the next free time of today for who stands at the desk, and check them in; all or nothing.

    Conflict `no_gap_today`; else errors as in `exam_book`. A time that somebody else takes meanwhile is not a
    refusal: the next one is tried.
    """
    what = {
        "patient_id": patient_id,
        "exam_type": exam_type,
        "clinical_question": clinical_question,
        "history": history,
    }
    for gap in _gaps(principal, exam_type):
        try:
            with transaction.atomic():
                exam = _booked(principal, gap, what)
                return exam_check_in(principal=principal, exam_id=exam.id)
        except Conflict as error:
            if error.code != "taken":
                raise
    raise Conflict("no_gap_today")

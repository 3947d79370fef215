"""The screen in the waiting room, and the slip a patient goes home with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.common.clock import day_of
from hospital.common.qr import qr_rows
from hospital.people.rules import age_on

from .. import queue, selectors, slip
from ..models import Exam
from ..queue_views import room_json, room_shown
from ..shown import exam_shown
from .shell import page, show, shows
from .texts import TEXTS


@require_GET
@page("page.calls")
def calls(request: HttpRequest, principal: Principal, room_id: UUID) -> HttpResponse:
    room = queue.room_queue(principal, room_id)
    shows(request, room_shown(principal, room))
    spoken = {"call": TEXTS["calls.spoken"][0], "star": TEXTS["calls.star"][0]}  # whoever set the page
    return show(request, "calls.html", queue=room_json(room), spoken=spoken)


def _sheet(exam: Exam) -> dict[str, Any]:
    place = queue.place_of(exam)
    return {
        "exam": exam,
        "age": age_on(exam.patient.birth_date, day_of(exam.starts_at)),
        "document_tail": exam.patient.document_number[-4:],
        "number": place.ticket.number if place else None,
        "qr": qr_rows(slip.scanned_of(exam.id)),
    }


@require_GET
@page("page.slip")
def slip_page(request: HttpRequest, principal: Principal, exam_id: UUID) -> HttpResponse:
    """In large print: when, where, how to prepare, what to bring, and the code that checks in."""
    exam = selectors.exam_get(principal, exam_id, "page.slip")
    shows(request, exam_shown(principal, exam))
    return show(request, "slip.html", **_sheet(exam))

"""The staff pages as doors: permission, one selector, render. What people do there goes through /api/v1."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from devices.wire.ctl import PROMPTS
from hospital.access import keys, sessions
from hospital.access.principals import Principal
from hospital.access.services import page_sign_out
from hospital.access.table import allowed
from hospital.common.clock import at_hand, now, today
from hospital.common.errors import NotFound
from hospital.common.middleware import LIVE_PERMISSIONS
from hospital.messages import selectors as messages
from hospital.records import selectors as records

from .. import board, reporting, selectors, turnover
from ..board_views import board_json
from ..report_views import report_json
from ..representations import exam_json, exam_summary
from ..shown import exam_shown, exams_shown
from ..turnover_views import turnover_json
from .pages_sign_in import way_back
from .printed import printed_report
from .shell import hospital_of, nav_of, page, show, shows
from .texts import LANGUAGES, TEXTS, language_of, text

LANGUAGE_COOKIE_S = 365 * 24 * 3600


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    page_sign_out(request=request)
    return HttpResponseRedirect("/console/sign-in/?out")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keeps the chosen language in a cookie and returns to where the person was."""
    answer = HttpResponseRedirect(way_back(request, request.POST.get("next", "")))
    wanted = request.POST.get("lang", "")
    if wanted in LANGUAGES:
        answer.set_cookie(
            "lang", wanted, max_age=LANGUAGE_COOKIE_S, samesite="Lax", secure=request.is_secure()
        )
    return answer


@page("page.home")
def home(request: HttpRequest, principal: Principal) -> HttpResponse:
    """To the first page that this person's roles open."""
    found = nav_of(principal)
    if found:
        return HttpResponseRedirect(found[0][0])
    sentence = text("home.nothing", language_of(request))
    return show(request, "error.html", sentence=sentence, status=403)


@require_GET
@page("page.account", catalogue=True)
def account(request: HttpRequest, principal: Principal) -> HttpResponse:
    """What the house has to tell one, and one's own sign-ins, security keys and password."""
    mine = {"sessions": sessions.sessions_of(principal), "keys": keys.keys_of(principal)}
    may = {"feeds": allowed(principal, "feed.own")}
    return show(request, "account.html", notices=messages.notices_of(principal.id), may=may, **mine)


def _day(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return today()


def _rows(request: HttpRequest, principal: Principal) -> list[dict[str, Any]]:
    exams = list(selectors.exams_on(principal, span=at_hand(), state=None))
    shows(request, exams_shown(principal, exams))
    return [exam_summary(exam, principal) for exam in exams]


@require_GET
@page("page.desk")
def desk(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The board of one day; the page reads the week, and everything after, from the board's door."""
    look = board.look(principal, day=_day(request))
    shows(request, exams_shown(principal, look.exams))
    desk = {
        "day": look.day.isoformat(),
        "hospital": hospital_of(principal, language_of(request)),
        "may_displace": allowed(principal, "exam.displace"),
    }
    return show(request, "desk.html", board=board_json(look, principal, language_of(request)), desk=desk)


@require_GET
@page("page.bedside")
def bedside_list(request: HttpRequest, principal: Principal) -> HttpResponse:
    rows = _rows(request, principal)
    room_id = str(principal.seat.room_id) if principal.seat else None
    may = {"open": allowed(principal, "page.exam_bedside"), "room_id": room_id}
    owed = [turnover_json(row) for row in turnover.standing(principal)]
    return show(request, "bedside_list.html", exams=rows, turnovers=owed, may=may)


@require_GET
@page("page.my_day")
def my_day(request: HttpRequest, principal: Principal) -> HttpResponse:
    return show(request, "my_day.html", exams=_rows(request, principal))


def _live(request: HttpRequest, principal: Principal, exam: Any, role: str, template: str) -> HttpResponse:
    config = {
        "exam_id": str(exam.id),
        "role": role,
        "api": "/api/v1",
        "ws": f"/ws/exams/{exam.id}/{role}/",
        "lang": language_of(request),
        "user_id": str(principal.id),
        "user_name": principal.name,
        "server_time_ms": int(now().timestamp() * 1000),
    }
    words = {
        key: TEXTS[f"bed.prompt.{key}"] for key in PROMPTS
    }  # the patient reads Chinese, whoever set the page
    shown = exam_json(exam, principal, language_of(request))
    answer = show(request, template, exam=shown, page_config=config, prompt_words=words)
    answer["Permissions-Policy"] = LIVE_PERMISSIONS
    return answer


@require_GET
@page("page.exam_console")
def exam_console(request: HttpRequest, principal: Principal, exam_id: UUID) -> HttpResponse:
    exam = selectors.exam_get(principal, exam_id, "page.exam_console")
    shows(request, exam_shown(principal, exam, urgent=True))
    return _live(request, principal, exam, "console", "exam.html")


@require_GET
@page("page.exam_bedside")
def exam_bedside(request: HttpRequest, principal: Principal, exam_id: UUID) -> HttpResponse:
    exam = selectors.exam_get(principal, exam_id, "page.exam_bedside")
    shows(request, exam_shown(principal, exam, urgent=True))
    return _live(request, principal, exam, "bedside", "bedside_exam.html")


@require_GET
@page("page.report")
def report(request: HttpRequest, principal: Principal, exam_id: UUID) -> HttpResponse:
    exam = reporting.exam_to_read(principal, exam_id)
    shows(request, exam_shown(principal, exam, kind="report"))
    body = report_json(exam, records.report_current(exam.id))
    return show(request, "report.html", exam=exam_json(exam, principal, language_of(request)), report=body)


@require_GET
@page("page.report_print")
def report_print(request: HttpRequest, principal: Principal, report_id: UUID) -> HttpResponse:
    found, exam = reporting.report_to_read(principal, report_id)
    shows(request, exam_shown(principal, exam, kind="report", object_id=found.id))
    sheet = printed_report(exam_json(exam, principal), report_json(exam, found), language_of(request))
    return show(request, "print.html", **sheet)


@require_GET
@page("page.mailbox")
def mailbox(request: HttpRequest, principal: Principal) -> HttpResponse:
    """What would have left by SMS; only where nothing leaves the house."""
    if not settings.EMBEDDED:
        raise NotFound()
    return show(request, "mailbox.html", messages=messages.mailbox(limit=100))


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """No such page: the frame stays, so that people find back."""
    sentence = text("error.status_404", language_of(request))
    return show(request, "error.html", sentence=sentence, status=404)

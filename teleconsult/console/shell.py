"""What every page has around its content: who is signed in, where to go, which words. And who is let in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie

from hospital.access import selectors as access
from hospital.access import sessions
from hospital.access.principals import Principal
from hospital.access.table import allowed, require
from hospital.common.error_texts import title
from hospital.common.errors import DomainError
from hospital.common.reads import Shown, read_recorded

from .texts import language_of, text, texts_in

SIGN_IN = "/console/sign-in/"
# (action that opens the page, address, text key), in the order in which the header shows them.
NAV = (
    ("page.desk", "/console/desk/", "nav.desk"),
    ("page.identity", "/console/identity/", "nav.identity"),
    ("page.bedside", "/console/bedside/", "nav.bedside"),
    ("page.my_day", "/console/my-day/", "nav.my_day"),
    ("page.figures", "/console/figures/", "nav.figures"),
    ("page.requests", "/console/requests/", "nav.requests"),
    ("page.calendars", "/console/calendars/", "nav.calendars"),
    ("page.exam_types", "/console/exam-types/", "nav.exam_types"),
    ("page.papers", "/console/papers/", "nav.papers"),
    ("page.admin_system", "/console/admin/system/", "nav.admin_system"),
    ("page.admin_security", "/console/admin/security/", "nav.admin_security"),
    ("page.admin_audit", "/console/admin/audit/", "nav.admin_audit"),
    ("page.keeping", "/console/keeping/", "nav.keeping"),
    ("page.tablets", "/console/admin/tablets/", "nav.tablets"),
    ("page.mailbox", "/console/mailbox/", "nav.mailbox"),
)
Page = Callable[..., HttpResponse]


def principal_of(request: HttpRequest) -> Principal | None:
    """The signed-in member of staff, or None."""
    found = getattr(request, "principal", None)
    return found if isinstance(found, Principal) and found.kind == "staff" else None


def nav_of(principal: Principal) -> list[tuple[str, str]]:
    """(address, text key) of the pages this person may open."""
    shown = NAV if settings.EMBEDDED else NAV[:-1]
    return [(href, key) for action, href, key in shown if allowed(principal, action)]


def hospital_of(principal: Principal, language: str) -> str:
    """Where the person works, as the page's language names it."""
    names = access.institution_names(ids=principal.institution_ids)
    return "、".join(row["name_en" if language == "en" else "name"] for row in names.values())


def _page(request: HttpRequest) -> dict[str, Any]:
    principal, language = principal_of(request), language_of(request)
    page: dict[str, Any] = {"language": language, "nav": []}
    if principal is None:
        return page
    return page | {
        "name": principal.name,
        "idle_s": sessions.idle_s_of(principal.roles),
        "institution": hospital_of(principal, language),
        "notices": allowed(principal, "notice.socket"),
        "nav": [
            {"href": href, "key": key, "current": request.path.startswith(href)}
            for href, key in nav_of(principal)
        ],
    }


def show(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Render with the page's frame and its scripts' texts; `status` in the context is also the answer's."""
    frame = {"page": _page(request), "texts": texts_in(language_of(request))}
    return render(request, f"console/{template}", frame | context, status=context.get("status", 200))


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refused page as a sentence: the error's own, or the one of its status."""
    language = language_of(request)
    sentence = (
        text(f"error.status_{error.status}", language)
        if error.status in (403, 404)
        else title(error.code, language)
    )
    return show(request, "error.html", sentence=sentence, status=error.status)


def shows(request: HttpRequest, shown: Shown) -> None:
    """What a page's answer shows, said by its view after the selector."""
    request.shown = shown  # type: ignore[attr-defined]


def _recorded(request: HttpRequest, principal: Principal, action: str, ids: list[Any]) -> None:
    """The page's read goes on record before the page leaves."""
    first = next((value for value in ids if isinstance(value, UUID)), None)
    read_recorded(principal, action, getattr(request, "shown", None) or Shown(object_id=first))


def page(action: str, *, catalogue: bool = False) -> Callable[[Page], Page]:
    """Signed in and permitted by the table, or sent to sign in, or refused with a sentence.

    A `catalogue` shows nothing about a patient; every other page's read is recorded.
    """

    def wrap(view: Page) -> Page:
        @never_cache
        @ensure_csrf_cookie
        @functools.wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            principal = principal_of(request)
            if principal is None:
                return HttpResponseRedirect(f"{SIGN_IN}?{urlencode({'next': request.get_full_path()})}")
            try:
                require(principal, action)
                answer = view(request, principal, *args, **kwargs)
                if answer.status_code == 200 and not catalogue:
                    _recorded(request, principal, action, list(kwargs.values()))
                return answer
            except DomainError as error:
                return refusal(request, error)

        return door

    return wrap

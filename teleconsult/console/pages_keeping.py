"""Pages of keeping: requests for erasure and their printed answer, restricted records, legal holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.access.table import allowed
from hospital.keeping import selectors
from hospital.keeping.representations import request_json, request_shown

from .shell import page, show, shows
from .texts import TEXTS, language_of, text


@require_GET
@page("page.keeping", catalogue=True)
def keeping(request: HttpRequest, principal: Principal) -> HttpResponse:
    """A frame: what stands in it comes from /api/v1. The desk asks and reopens, the administrators keep holds."""
    may = {"asks": allowed(principal, "erasure.ask"), "holds": allowed(principal, "hold.set")}
    return show(request, "keeping.html", may=may, page_config=may)


@require_GET
@page("page.erasure_print")
def erasure_print(request: HttpRequest, principal: Principal, request_id: UUID) -> HttpResponse:
    """What the patient takes along: the receipt while the request waits, then its answer. Without a name: the record
    it would come from is erased or readable nowhere, so the name is written by hand."""
    row = selectors.request_get(principal=principal, request_id=request_id, action="page.erasure_print")
    shows(request, request_shown(row))
    language = language_of(request)
    key = f"keeping.waits.{row.waits_for}"
    why = text(key if key in TEXTS else "keeping.waits.", language)
    asked = request_json(row)
    waits = text(f"keeping.print_waits{'_late' if asked['overdue'] else ''}", language, why=why)
    stays = _by_reason(asked["stays"])
    return show(
        request, "erasure_print.html", asked=asked, stays=stays, waits=waits, institution=row.institution
    )


def _by_reason(stays: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Lines with the same day and reason together: what an old person reads stays on one sheet."""
    found: dict[tuple[str | None, str], list[dict[str, Any]]] = {}
    for line in stays:
        found.setdefault((line["until"], line["why_en"]), []).append(line)
    return list(found.values())

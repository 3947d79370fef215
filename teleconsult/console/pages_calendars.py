"""What calendars are made of, and the rules of exam types: frames around the doors of scheduling."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access import selectors as access
from hospital.access.principals import Principal
from hospital.access.table import allowed, places
from hospital.scheduling import selectors as scheduling
from hospital.scheduling.representations import exam_type_json, resource_json
from hospital.scheduling.rules import BUFFER_MAX_MIN, EXCEPTION_REASONS, ORDER_KINDS

from .shell import page, show


def _named(row: object) -> dict[str, str]:
    return {name: str(getattr(row, name)) for name in ("id", "name", "name_en")}


@require_GET
@page("page.calendars", catalogue=True)
def calendars(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The calendars that the caller keeps; hours, exceptions and releases come from /api/v1."""
    kept = places(principal, "resource.keep")
    everybody = access.institutions_all()
    body = {
        "resources": [resource_json(row) for row in scheduling.resources(kind="", institution_ids=kept)],
        "places": [_named(row) for row in everybody if row.id in kept],
        "partners": [_named(row) for row in everybody],
        "reasons": EXCEPTION_REASONS,
        "exam_types": [
            {"code": kind.code, "name_zh": kind.name_zh, "name_en": kind.name_en}
            for kind in scheduling.exam_types()
        ],
        "buffer_max": BUFFER_MAX_MIN,
        "sees_against": allowed(principal, "calendar.against"),
    }
    return show(request, "calendars.html", body=body)


@require_GET
@page("page.exam_types", catalogue=True)
def exam_types(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The exam types whose rules the caller keeps."""
    kept = places(principal, "exam_type.keep")
    mine = [exam_type_json(kind) for kind in scheduling.exam_types() if kind.keeper_id in kept]
    return show(request, "exam_types.html", body={"types": mine, "order_kinds": ORDER_KINDS})

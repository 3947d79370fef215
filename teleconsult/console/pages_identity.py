"""The page where people decide who is who."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.people import reviews
from hospital.people.api_identity import cases_shown
from hospital.people.representations import review_json

from .shell import page, show, shows


@require_GET
@page("page.identity")
def identity(request: HttpRequest, principal: Principal) -> HttpResponse:
    found = reviews.cases(principal)
    shows(request, cases_shown(found))
    return show(request, "identity.html", reviews=[review_json(case) for case in found])

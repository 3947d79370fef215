"""The page of figures for the head of department."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal

from .shell import page, show


@require_GET
@page("page.figures", catalogue=True)
def figures(request: HttpRequest, principal: Principal) -> HttpResponse:
    """A frame: what stands in it comes from /api/v1/figures."""
    return show(request, "figures.html")

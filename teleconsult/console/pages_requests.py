"""The requests inbox, and the page behind the link in an offer's message."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.access.table import allowed

from .shell import page, show


@require_GET
@page("page.requests", catalogue=True)
def requests_page(request: HttpRequest, principal: Principal) -> HttpResponse:
    """A frame: what stands in it comes from /api/v1."""
    may = {"keeps": allowed(principal, "request.keep")}
    return show(request, "requests.html", page_config=may)


@never_cache
@ensure_csrf_cookie
@require_GET
def offer(request: HttpRequest) -> HttpResponse:
    """Open to nobody in particular: the secret behind `#`, which no server sees, is what opens an offer."""
    return show(request, "offer.html")

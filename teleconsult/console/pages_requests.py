"""The requests inbox, and the page behind the link in an offer's message."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from hospital.access import selectors as access
from hospital.access.principals import Principal
from hospital.access.table import allowed, places

from .shell import page, show


@require_GET
@page("page.requests", catalogue=True)
def requests_page(request: HttpRequest, principal: Principal) -> HttpResponse:
    """A frame: what stands in it comes from /api/v1."""
    searches = allowed(principal, "patient.search")
    asks = allowed(principal, "request.add") and (searches or allowed(principal, "patient.find"))
    found = access.institution_names(ids=places(principal, "request.add")) if asks else {}
    may = {
        "keeps": allowed(principal, "request.keep"),
        "searches": searches,
        "places": [{"id": str(ident), **names} for ident, names in found.items()],
    }
    return show(request, "requests.html", page_config=may, asks=asks)


@never_cache
@ensure_csrf_cookie
@require_GET
def offer(request: HttpRequest) -> HttpResponse:
    """Open to nobody in particular: the secret behind `#`, which no server sees, is what opens an offer."""
    return show(request, "offer.html")

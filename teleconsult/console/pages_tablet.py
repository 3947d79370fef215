"""The pages of bedside tablets: the tablet's own, open without a sign-in, and the list of them at the desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.access.table import allowed

from .shell import page, principal_of, show


@never_cache
@ensure_csrf_cookie
@require_GET
def tablet(request: HttpRequest) -> HttpResponse:
    """Open to nobody in particular: what it shows is asked with the tablet's key."""
    principal = principal_of(request)
    full = principal is not None and not principal.bedside_only and allowed(principal, "tablet.open")
    return show(request, "tablet.html", tablet={"user_id": str(principal.id) if principal and full else None})


@require_GET
@page("page.tablets", catalogue=True)
def tablets(request: HttpRequest, principal: Principal) -> HttpResponse:
    return show(request, "admin_tablets.html")

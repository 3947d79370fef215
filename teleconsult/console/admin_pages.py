"""The administrators' pages as doors: a frame; what stands in it comes from /api/v1, asked by its script."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from hospital.access import selectors as access
from hospital.access.principals import Principal

from .shell import page, show


@require_GET
@page("page.admin_system", catalogue=True)
def system(request: HttpRequest, principal: Principal) -> HttpResponse:
    return show(request, "admin_system.html")


@require_GET
@page("page.admin_security", catalogue=True)
def security(request: HttpRequest, principal: Principal) -> HttpResponse:
    names = [
        {"id": str(row.id), "name": row.name, "name_en": row.name_en}
        for row in access.institutions_all()
        if row.id not in principal.institution_ids
    ]
    return show(request, "admin_security.html", institutions=names)


@require_GET
@page("page.admin_audit", catalogue=True)
def audit(request: HttpRequest, principal: Principal) -> HttpResponse:
    return show(request, "admin_audit.html")


@never_cache
@ensure_csrf_cookie
@require_GET
def activate(request: HttpRequest) -> HttpResponse:
    """Open to nobody in particular: the code on paper is what opens an account."""
    return show(request, "activate.html")

"""Numbers for a monitoring system: given on this machine, or to who knows the token. To others there is nothing here."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .views import not_found

# A request with one of these came through a proxy. Its address is then what somebody wrote into a header, and a proxy
# on this machine would make the whole world local.
FORWARDED = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)


def _here(request: HttpRequest) -> bool:
    """Asked by a program on this machine, without a proxy between."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a UNIX socket has no address: a proxy listens in front of it
        return False


def _knows_the_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; 404 for whoever may not read it."""
    if not (_here(request) or _knows_the_token(request)):
        return not_found(request, LookupError())
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Media and images come from this machine only; blob: is the frozen frame and the worker.
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


class SecurityHeaders:
    """The same headers on every answer; pages need camera, microphone, gamepad and wake lock, nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy",
            "microphone=(self), camera=(self), gamepad=(self), screen-wake-lock=(self), geolocation=()",
        )
        return response

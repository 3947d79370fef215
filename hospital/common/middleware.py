"""The same defences on every answer, and what no address accepts."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .problems import problem_response

# Pages and their scripts: everything comes from this server, nothing stands inline. `data:` and `blob:` are pictures
# and sound that a page made itself: the frozen frame, the calipers, the other side's voice.
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Data are never a page: opened by themselves they load and run nothing.
DATA_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_TYPES = ("text/html", "text/javascript", "application/javascript")
_DENIED = (
    *("accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection"),
    *("magnetometer", "microphone", "midi", "payment", "publickey-credentials-create"),
    *("publickey-credentials-get", "screen-wake-lock", "serial", "usb", "web-share", "xr-spatial-tracking"),
)


def permissions_policy(*allowed: str) -> str:
    """Permissions-Policy: of what browsers guard only `allowed`, for our own pages alone."""
    return ", ".join(f"{name}=({'self' if name in allowed else ''})" for name in _DENIED)


# Any page may sound its bell and use a security key; microphone, gamepad and the rest open on live pages only, where
# an exam is accepted with a touch and no key is made.
PAGE_PERMISSIONS = permissions_policy("autoplay", "publickey-credentials-create", "publickey-credentials-get")
LIVE_PERMISSIONS = permissions_policy(
    "autoplay", "gamepad", "microphone", "publickey-credentials-get", "screen-wake-lock"
)
Handler = Callable[[HttpRequest], HttpResponse]


class SecurityHeaders:
    """A view that needs other permissions sets its own header; what has no word on caching is not kept by anybody."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        headers = response.headers
        headers.setdefault("Content-Security-Policy", PAGE_CSP if kind in PAGE_TYPES else DATA_CSP)
        headers.setdefault("Permissions-Policy", PAGE_PERMISSIONS)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store")
        return response


def _has_nul(request: HttpRequest) -> bool:
    """In the path, the query or a cookie (whose quoted form can spell one): no database text can hold it."""
    if "\0" in request.path or any("\0" in value for value in request.COOKIES.values()):
        return True
    return any("\0" in text for name, values in request.GET.lists() for text in (name, *values))


class WellFormed:
    """400 `malformed` for what no address accepts, before any view or query sees it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_nul(request):
            return problem_response(request, "malformed", 400)
        return self.get_response(request)

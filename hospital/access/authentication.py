"""How a REST request proves who it is: a bearer token, or (for the pages' own scripts) session plus CSRF."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from hospital.common.errors import Forbidden, Unauthenticated

from . import peers, selectors, sessions
from .principals import Principal

SCHEME = "Bearer "
PEER_SCHEME = "Peer "
BACKGROUND = "X-Background"  # a page asks by itself: an answer, but no sign of a person


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        header = request.headers.get("Authorization", "")
        if not header.startswith(SCHEME):
            return None
        principal = selectors.principal_of_bearer(header[len(SCHEME) :])
        if principal is None:
            raise Unauthenticated("not_authenticated")
        if BACKGROUND not in request.headers:
            sessions.token_touch(token_id=principal.token_id, used_at=principal.used_at)
        return principal, "bearer"

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PeerAuthentication(BaseAuthentication):
    """`Authorization: Peer <jwt>`, signed by another institution's key, each token once."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        header = request.headers.get("Authorization", "")
        if not header.startswith(PEER_SCHEME):
            return None
        return peers.peer_authenticate(token=header[len(PEER_SCHEME) :]), "peer"

    def authenticate_header(self, request: Request) -> str:
        return "Peer"


class PageSessionAuthentication(SessionAuthentication):
    """The signed-in page's session; unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        principal = getattr(request._request, "principal", None)
        if principal is None:
            return None
        self.enforce_csrf(request)
        return principal, "session"

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except Exception as error:
            raise Forbidden("csrf_failed") from error


def principal_of(request: Request) -> Principal:
    """Who sent a request that a door let through; Unauthenticated for nobody."""
    found = getattr(request, "user", None)
    if not isinstance(found, Principal):
        raise Unauthenticated("not_authenticated")
    return found

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from hospital.audit.services import audit_record, request_address

from . import selectors, sessions
from .authentication import BACKGROUND
from .principals import Principal
from .services import SESSION_KEY

ADDRESS_MAX = 45


def address_of(request: HttpRequest) -> str:
    """The peer's network address. Behind a proxy the server itself must be told to trust it (uvicorn does)."""
    return str(request.META.get("REMOTE_ADDR", ""))[:ADDRESS_MAX]


class PrincipalMiddleware:
    """`request.principal` for pages: the session's person, or None. Notes each refusal of somebody who is known.

    It stands outside every transaction, so the refusal's row stays when the refused deed is rolled back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token_id = request.session.get(SESSION_KEY)
        principal = selectors.principal_of_token_id(token_id) if token_id else None
        request.principal = principal  # type: ignore[attr-defined]
        if principal is not None and BACKGROUND not in request.headers:
            sessions.token_touch(token_id=principal.token_id, used_at=principal.used_at)
        known = request_address.set(address_of(request))
        try:
            response = self.get_response(request)
            if response.status_code in (403, 404):
                _note_refusal(request, response)
            return response
        finally:
            request_address.reset(known)


def _principal(request: HttpRequest) -> Principal | None:
    """Of the token (DRF puts it on the request) or of the session."""
    for name in ("user", "principal"):
        found = getattr(request, name, None)
        if isinstance(found, Principal):
            return found
    return None


def _note_refusal(request: HttpRequest, response: Any) -> None:
    principal, match = _principal(request), request.resolver_match
    if principal is None or match is None:
        return
    door = getattr(match.func, "view_class", None) or getattr(match.func, "cls", None)
    action = getattr(door, "actions", {}).get(request.method) or getattr(match.func, "action", None)
    ids = [value for value in match.kwargs.values() if isinstance(value, UUID)]
    data = getattr(response, "data", None)
    code = data.get("code") if isinstance(data, dict) else None
    audit_record(
        principal=principal,
        action=action or f"{request.method} {match.route}"[:60],
        object_kind="address",
        object_id=ids[0] if ids else None,
        outcome="refused",
        reason=str(code or response.status_code),
        details={"path": request.path[:300]},
        urgent=True,  # a log that can't be written must not turn a refusal into a crash
    )

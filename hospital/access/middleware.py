from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from . import selectors
from .services import SESSION_KEY


class PrincipalMiddleware:
    """`request.principal` for pages: the session's person, or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token_id = request.session.get(SESSION_KEY)
        request.principal = selectors.principal_of_token_id(token_id) if token_id else None  # type: ignore[attr-defined]
        return self.get_response(request)

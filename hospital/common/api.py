"""The base of every REST door: authenticated, permitted by the table, repeatable, reads recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import idempotency
from .errors import DomainError
from .models import IdempotentRequest
from .reads import Shown, read_recorded

PUBLIC = "public"
Check = Callable[[Any, str], None]
_permit: list[Check] = []


class _Replay(Exception):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def register_permission_check(check: Check) -> None:
    """`check(principal, action)` raises when not allowed; access registers the table's."""
    _permit[:] = [check]


def permit(principal: Any, action: str) -> None:
    """Default deny: without a registered table nothing is allowed."""
    if not _permit:
        raise RuntimeError("no permission table registered")
    _permit[0](principal, action)


class Door(APIView):
    """`actions` maps each HTTP method to an action of the permission table, or to PUBLIC.

    A method without a row is refused before any handler runs. What a GET answers is recorded before it leaves:
    handlers say what they show with `shown`; a `catalogue` holds nothing about a patient and is not recorded.
    """

    actions: ClassVar[dict[str, str]] = {}
    also: ClassVar[tuple[int, ...]] = ()  # refusals that don't follow from what the door is (see `schema`)
    catalogue: ClassVar[bool] = False
    _idempotent: IdempotentRequest | None = None
    _shown: Shown | None = None

    def shown(self, shown: Shown) -> None:
        """Called by a handler after its selector: what the answer will show."""
        self._shown = shown

    def _note_read(self, request: Request, response: Any) -> Any:
        """The answer, when its read is on record; else the refusal that takes its place."""
        action = self.actions.get(request.method or "", PUBLIC)
        if self.catalogue or request.method != "GET" or action == PUBLIC or response.status_code >= 300:
            return response
        try:
            read_recorded(request.user, action, self._shown or Shown(object_id=self._first_id()))
        except DomainError as error:
            return self.handle_exception(error)
        return response

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """What may be repeated is one transaction with its key and its answer."""
        if not self._wants_idempotency(request):
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        wanted = self._wants_idempotency(request._request)
        body = request._request.body if wanted else b""
        super().initial(request, *args, **kwargs)
        action = self.actions.get(request.method or "")
        if action is None:
            self.http_method_not_allowed(request)
        elif action != PUBLIC:
            permit(request.user, action)
        if wanted:
            self._begin(request, body)

    def _first_id(self) -> UUID | None:
        return next((value for value in self.kwargs.values() if isinstance(value, UUID)), None)

    def _note_replay(self) -> None:
        """A kept answer that is shown again is a read; a repeated stop still does not wait for the log."""
        again = Shown(kind="answer", object_id=self._first_id(), why="repeated", urgent=True)
        read_recorded(self.request.user, self.actions["POST"], again)

    def _wants_idempotency(self, request: HttpRequest) -> bool:
        """Public doors have no identity to bind a key to."""
        known = self.actions.get("POST", PUBLIC) != PUBLIC
        json_body = (request.content_type or "").startswith("application/json")
        return known and request.method == "POST" and "Idempotency-Key" in request.headers and json_body

    def _begin(self, request: Request, body: bytes) -> None:
        principal_id = getattr(request.user, "id", None)
        if not isinstance(principal_id, UUID):
            return
        found = idempotency.begin(
            principal_id=principal_id,
            key=request.headers["Idempotency-Key"],
            sha256=idempotency.request_sha256("POST", request.path, body),
        )
        if isinstance(found, IdempotentRequest):
            self._idempotent = found
        else:
            raise _Replay(*found)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replay):
            self._note_replay()
            return Response(exc.body, status=exc.status, headers={"Idempotent-Replayed": "true"})
        if self._idempotent is not None and isinstance(exc, DatabaseError):
            transaction.set_rollback(True)  # nothing more can be written in it
            self._idempotent = None
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = self._note_read(request, response)
        final = super().finalize_response(request, response, *args, **kwargs)
        if self._idempotent is not None and isinstance(response, Response):
            answer = json.loads(JSONRenderer().render(response.data) or b"null")
            idempotency.finish(row=self._idempotent, status=response.status_code, answer=json.dumps(answer))
        final.headers.setdefault("Cache-Control", "no-store")
        return final


def checked(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """`data` as `kind` reads them; ValidationError (422 `invalid`) for what it does not accept."""
    given = kind(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def parsed(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body of a request, checked."""
    return checked(kind, request.data)


def page_of(
    rows: Any,
    request: Request,
    render: Callable[[Any], Any],
    *,
    size: int = 100,
    shown: Callable[[list[Any]], None] | None = None,
) -> Response:
    """`{results, next}`: `next` is the address of the next page or null. `?page=` counts from 1.

    `shown` gets the rows of this page, for the record of the read.
    """
    raw = request.query_params.get("page", "1")
    page = max(1, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 1
    found = list(rows[(page - 1) * size : page * size + 1])
    if shown is not None:
        shown(found[:size])
    query = request.query_params.copy()
    query["page"] = str(page + 1)
    after = f"{request.path}?{query.urlencode()}" if len(found) > size else None
    return Response({"results": [render(row) for row in found[:size]], "next": after})

"""RFC 9457 problem documents: one shape for every refusal, with a stable `code`."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from .error_texts import title
from .errors import DomainError

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
_DRF_CODES: dict[type[Exception], str] = {
    drf.ValidationError: "invalid",
    drf.ParseError: "malformed",
    drf.NotAuthenticated: "not_authenticated",
    drf.AuthenticationFailed: "not_authenticated",
    drf.PermissionDenied: "not_permitted",
    drf.NotFound: "not_found",
    drf.MethodNotAllowed: "method_not_allowed",
    drf.UnsupportedMediaType: "unsupported_media_type",
    drf.NotAcceptable: "not_acceptable",
    drf.Throttled: "too_many",
}


def language_of(request: Any) -> str:
    header = request.META.get("HTTP_ACCEPT_LANGUAGE", "") if request is not None else ""
    return "en" if header.lower().startswith("en") else "zh"


def problem(code: str, status: int, language: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "about:blank", "title": title(code, language), "status": status, "code": code, **data}


def _translate(error: Exception) -> tuple[str, int, dict[str, Any]]:
    if isinstance(error, DomainError):
        return error.code, error.status, error.data
    if isinstance(error, Http404):
        return "not_found", 404, {}
    if isinstance(error, PermissionDenied):
        return "not_permitted", 403, {}
    if isinstance(error, OverflowError | DataError):
        # A date at the end of the calendar, a number no column holds: what was asked is wrong, not this program.
        log.warning("value_out_of_range", error=type(error).__name__)
        return "invalid", 422, {}
    if isinstance(error, drf.APIException):
        code = next((c for kind, c in _DRF_CODES.items() if isinstance(error, kind)), "invalid")
        status = 422 if isinstance(error, drf.ValidationError) else error.status_code
        return code, status, {"errors": error.detail} if isinstance(error, drf.ValidationError) else {}
    raise error


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook. What is not ours is not hidden: it goes on to Django's 500 and the log."""
    try:
        code, status, data = _translate(error)
    except Exception:
        return None
    body = problem(code, status, language_of(context.get("request")), data)
    headers = {"Retry-After": str(data["retry_after_s"])} if "retry_after_s" in data else None
    return Response(body, status=status, content_type=MEDIA_TYPE, headers=headers)


def problem_response(request: HttpRequest, code: str, status: int) -> JsonResponse:
    """For what never reaches a door: unknown addresses, crashes, CSRF."""
    return JsonResponse(
        problem(code, status, language_of(request), {}), status=status, content_type=MEDIA_TYPE
    )

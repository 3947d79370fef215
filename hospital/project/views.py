"""Health, schema, and what answers when no door does."""

from __future__ import annotations

import contextlib

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView

from devices.fleet.selectors import robot_problems
from hospital.audit.selectors import audit_problems
from hospital.common.error_texts import title
from hospital.common.problems import problem_response
from hospital.common.valkey import client


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/console/")


def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers. Says nothing about the others."""
    return JsonResponse({"status": "ok"})


def database_problem() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except Exception as error:
        return type(error).__name__
    return None


def redis_problem() -> str | None:
    try:
        client().ping()
    except Exception as error:
        return type(error).__name__
    return None


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when exams can be booked and run; 503 with the reasons. Notes are things to know, not reasons to wait."""
    problems = {"database": database_problem(), "redis": redis_problem()}
    failed = {name: problem for name, problem in problems.items() if problem}
    notes = [] if failed else robot_problems() + audit_problems()
    status = 503 if failed else 200
    return JsonResponse({"ready": not failed, "problems": failed, "notes": notes}, status=status)


class Schema(SpectacularAPIView):
    """OpenAPI 3.1 as JSON, without sign-in."""

    authentication_classes = ()
    renderer_classes = [OpenApiJsonRenderer]  # noqa: RUF012 the base declares an instance variable


def _answer(request: HttpRequest, code: str, status: int) -> HttpResponse:
    if request.path.startswith("/console"):
        language = request.COOKIES.get("lang", "zh")
        context = {
            "sentence": title(code, language),
            "status": status,
            "page": {"language": language, "nav": []},
        }
        with contextlib.suppress(Exception):  # a broken frame must not hide the answer
            return HttpResponse(
                render_to_string("console/error.html", context, request=request), status=status
            )
    return problem_response(request, code, status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A host that is not ours, a form that can't be read."""
    return _answer(request, "malformed", 400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, "not_found", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, "server_error", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, "csrf_failed", 403)

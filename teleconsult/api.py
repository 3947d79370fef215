"""REST doors of the exam: parse, one service or selector, answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, page_of, parsed
from hospital.common.clock import at_hand, shanghai_day
from hospital.common.errors import Invalid
from hospital.common.problems import language_of

from . import inputs, selectors, services
from .representations import exam_booked, exam_json, exam_summary
from .shown import exam_shown, exams_shown
from .states import State

EXAM = {
    200: OpenApiTypes.OBJECT,
    404: OpenApiTypes.OBJECT,
    409: OpenApiTypes.OBJECT,
    422: OpenApiTypes.OBJECT,
}


def _answer(exam: Any, request: Request, status: int = 200) -> Response:
    fresh = selectors.exam_get(principal_of(request), exam.id)
    return Response(exam_json(fresh, principal_of(request), language_of(request)), status=status)


def _booked(exam: Any, request: Request, status: int = 200) -> Response:
    """For deeds whose service returns the exam as it then is."""
    return Response(exam_booked(exam, principal_of(request)), status=status)


class ExamsDoor(Door):
    actions: ClassVar = {"GET": "exam.read", "POST": "exam.book"}

    @extend_schema(
        parameters=[
            OpenApiParameter("day", date),
            OpenApiParameter(
                "at_hand", bool, description="today's, and near midnight those within three hours"
            ),
            OpenApiParameter("state", str),
            OpenApiParameter("page", int),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        day, state = request.query_params.get("day"), request.query_params.get("state")
        try:
            span = shanghai_day(date.fromisoformat(day)) if day else None
        except ValueError:
            raise Invalid("invalid", field="day") from None
        if request.query_params.get("at_hand") == "true":
            span = at_hand()
        if state and state not in {str(known) for known in State}:
            raise Invalid("invalid", field="state")
        principal = principal_of(request)
        return page_of(
            selectors.exams_on(principal, span=span, state=state),
            request,
            lambda exam: exam_summary(exam, principal),
            shown=lambda exams: self.shown(exams_shown(principal, exams)),
        )

    @extend_schema(request=inputs.Book, responses={201: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        exam = services.exam_book(principal=principal_of(request), **parsed(inputs.Book, request))
        return _booked(exam, request, 201)


class ExamDoor(Door):
    actions: ClassVar = {"GET": "exam.read"}

    @extend_schema(responses=EXAM)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam = selectors.exam_get(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam))
        return Response(exam_json(exam, principal_of(request), language_of(request)))


def command_door(
    name: str,
    action: str,
    service: Callable[..., Any],
    body: type[serializers.Serializer[Any]] = inputs.Nothing,
    *,
    status: int = 200,
    answer: Callable[[Any, Request, int], Response] = _answer,
) -> type[Door]:
    """One POST door that gives one command to one exam and answers with the exam as it then is."""

    class CommandDoor(Door):
        actions: ClassVar = {"POST": action}

        @extend_schema(
            operation_id=f"exam_{name}", request=body, responses={**EXAM, status: OpenApiTypes.OBJECT}
        )
        def post(self, request: Request, exam_id: UUID) -> Response:
            exam = service(principal=principal_of(request), exam_id=exam_id, **parsed(body, request))
            return answer(exam, request, status)

    CommandDoor.__name__ = CommandDoor.__qualname__ = f"Exam{name.title().replace('_', '')}Door"
    return CommandDoor


COMMANDS: dict[str, type[Door]] = {
    "check-in": command_door("check_in", "exam.check_in", services.exam_check_in),
    "identify": command_door("identify", "exam.identify", services.exam_identify, inputs.Identify),
    "checklist": command_door("checklist", "exam.checklist", services.checklist_answer, inputs.Answers),
    "checklist/agree": command_door("checklist_agree", "exam.checklist", services.checklist_agree),
    "consents": command_door("consents", "exam.consent", services.exam_consent, inputs.Consent, status=201),
    "consents/withdraw": command_door(
        "consents_withdraw", "exam.consent", services.exam_consent_withdraw, inputs.Withdraw
    ),
    "self-test": command_door("self_test", "exam.self_test", services.exam_self_test, status=202),
    "ready": command_door("ready", "exam.ready", services.exam_ready),
    "start": command_door("start", "exam.start", services.exam_start),
    "pause": command_door("pause", "exam.pause", services.exam_pause, inputs.MaybeReason),
    "resume": command_door("resume", "exam.resume", services.exam_resume),
    "end": command_door("end", "exam.end", services.exam_end),
    "abort": command_door("abort", "exam.abort", services.exam_abort, inputs.Abort),
    "cancel": command_door("cancel", "exam.cancel", services.exam_cancel, inputs.Reason, answer=_booked),
    "no-show": command_door("no_show", "exam.no_show", services.exam_no_show, answer=_booked),
    "move": command_door("move", "exam.move", services.exam_move, inputs.Move, answer=_booked),
}


class LeaseDoor(Door):
    """POST takes control for the caller's connected console page, DELETE gives it back."""

    actions: ClassVar = {"POST": "exam.lease", "DELETE": "exam.lease"}

    @extend_schema(request=None, responses=EXAM)
    def post(self, request: Request, exam_id: UUID) -> Response:
        return _answer(services.lease_take(principal=principal_of(request), exam_id=exam_id), request)

    @extend_schema(request=None, responses=EXAM)
    def delete(self, request: Request, exam_id: UUID) -> Response:
        return _answer(services.lease_give_back(principal=principal_of(request), exam_id=exam_id), request)

"""REST doors of the booking desk's board."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, checked, page_of
from hospital.common.problems import language_of

from . import against, board, inputs
from .board_views import board_json, exam_on_board
from .shown import exams_shown


class BoardDoor(Door):
    """A day, or up to a week, of the caller's institutions: exams, calendars, who is busy or closed when.

    `busy` and `closed` are stretches `[from, to)` in seconds since 1970; `key` is what a move names the line by.
    """

    actions: ClassVar = {"GET": "board.read"}

    @extend_schema(parameters=[inputs.BoardDays], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        look = board.look(principal, **checked(inputs.BoardDays, request.query_params))
        self.shown(exams_shown(principal, look.exams))
        return Response(board_json(look, principal, language_of(request)))


class BoardSearchDoor(Door):
    """Exams of the last 30 days and to come, by the patient's name, pinyin, tails or number; the next one first."""

    actions: ClassVar = {"GET": "board.read"}

    @extend_schema(parameters=[inputs.BoardSearch], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        found = board.found(principal, checked(inputs.BoardSearch, request.query_params)["q"])
        self.shown(exams_shown(principal, found))
        return Response({"results": [exam_on_board(exam, principal) for exam in found], "next": None})


class AgainstDoor(Door):
    """Exams ahead that lie in closed time: leave, maintenance, a closed house. They stand until somebody moves them."""

    actions: ClassVar = {"GET": against.AGAINST}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        return page_of(
            against.exams_against(principal),
            request,
            lambda exam: against.against_json(exam, principal),
            shown=lambda exams: self.shown(against.against_shown(exams)),
        )

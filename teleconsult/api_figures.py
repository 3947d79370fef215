"""REST doors of the figures for the head of department: what the page draws, and the same as a file."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, checked
from hospital.common.clock import today

from .figures import counts, file, selectors

YEARS = range(2000, 2101)


class FiguresAsked(serializers.Serializer[Any]):
    months = serializers.IntegerField(min_value=1, max_value=counts.MONTHS_MAX, default=12)
    until = serializers.DateField(
        required=False, help_text="any day of the last month; this month when left out"
    )
    institution = serializers.UUIDField(required=False)

    def validate_until(self, value: date) -> date:
        if value.year not in YEARS:
            raise serializers.ValidationError("year")
        return value


class FiguresFileAsked(FiguresAsked):
    part = serializers.ChoiceField(choices=file.PARTS, default="months")


def _figures(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    months = counts.months_until(asked.get("until") or today(), asked["months"])
    return selectors.figures(principal_of(request), months=months, institution_id=asked.get("institution"))


class FiguresDoor(Door):
    """Exams of each month counted and timed, by institution and operator; use of robots and rooms. No patient in it."""

    actions: ClassVar = {"GET": "figures.read"}
    catalogue = True

    @extend_schema(parameters=[FiguresAsked], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(_figures(request, checked(FiguresAsked, request.query_params)))


class FiguresFileDoor(Door):
    """One table of the figures as a file for a spreadsheet."""

    actions: ClassVar = {"GET": "figures.read"}
    catalogue = True

    @extend_schema(parameters=[FiguresFileAsked], responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        asked = checked(FiguresFileAsked, request.query_params)
        found = _figures(request, asked)
        answer = HttpResponse(
            file.written(file.rows(found, asked["part"])), content_type="text/csv; charset=utf-8"
        )
        name = f"figures-{asked['part']}-{found['months'][0]}-{found['months'][-1]}.csv"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

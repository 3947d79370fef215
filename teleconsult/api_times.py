"""REST doors of finding a time and of keeping it while somebody decides."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, checked, parsed
from hospital.common.clock import now
from hospital.common.error_texts import title
from hospital.common.errors import Invalid
from hospital.common.problems import language_of
from hospital.scheduling.exam_times import Procedure
from hospital.scheduling.inputs import NearTimeField

from . import finding, inputs, services


def _procedure(text: str) -> Procedure:
    """`code@time`, the time as in ISO 8601 with its zone."""
    code, _, at = text.partition("@")
    try:
        return Procedure(code, NearTimeField().run_validation(at))
    except serializers.ValidationError:
        raise Invalid("invalid", field="procedure") from None


def _wish(asked: dict[str, Any]) -> finding.Wish:
    return finding.Wish(
        exam_type=asked["exam_type"],
        starts_from=max(asked.get("starts_from") or now(), now()),
        days=asked["days"],
        place_ids=frozenset(asked["place"]),
        person_ids=frozenset(asked["person"]),
        language=asked["language"],
        part_of_day=asked["part_of_day"],
        procedures=tuple(_procedure(text) for text in asked["procedure"]),
    )


class TimesDoor(Door):
    """The times at which everybody and everything that an exam needs is free, earliest first.

    `free` names for each role all who can be chosen; `notices` say what makes the answer less sure.
    """

    actions: ClassVar = {"GET": "exam.find_time"}
    catalogue = True

    @extend_schema(parameters=[inputs.Times], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        query = request.query_params
        asked = checked(inputs.Times, query)
        page = asked["page"]
        found = finding.times_find(principal_of(request), _wish(asked), page=page)
        onwards = query.copy()
        onwards["page"] = str(page + 1)
        language = language_of(request)
        return Response(
            {
                "results": found.results,
                "next": f"{request.path}?{onwards.urlencode()}" if found.more else None,
                "who": found.who,
                "notices": [row | {"title": title(row["code"], language)} for row in found.notices],
            }
        )


class TimeHoldsDoor(Door):
    """Keep one time for ten minutes: everybody and everything, or nothing."""

    actions: ClassVar = {"POST": "exam.hold"}

    @extend_schema(request=inputs.Team, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        hold_id, expires_at = services.exam_hold(
            principal=principal_of(request), **parsed(inputs.Team, request)
        )
        return Response({"id": str(hold_id), "expires_at": expires_at.isoformat()}, status=201)


class TimeHoldDoor(Door):
    """Give a kept time back early."""

    actions: ClassVar = {"DELETE": "exam.hold"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, time_hold_id: UUID) -> Response:
        services.exam_hold_release(principal=principal_of(request), hold_id=time_hold_id)
        return Response(status=204)

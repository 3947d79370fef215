"""REST doors of the turnover between two exams."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed

from . import services, turnover
from .turnover_rules import CODES, MEANS
from .turnover_views import turnover_json

ANSWERS = {200: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT, 422: OpenApiTypes.OBJECT}


class TurnoverSign(serializers.Serializer[Any]):
    """`means`: with what the probe was disinfected; empty for every other item."""

    item = serializers.ChoiceField(choices=CODES)
    means = serializers.ChoiceField(choices=("", *MEANS), default="")


class TurnoverTakeBack(serializers.Serializer[Any]):
    item = serializers.ChoiceField(choices=CODES)
    reason = serializers.CharField(max_length=500)


class TurnoversDoor(Door):
    """The last turnover of each robot, room and probe of the caller's institutions: what is done, by whom, what not."""

    actions: ClassVar = {"GET": turnover.READ}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = turnover.standing(principal_of(request))
        return Response({"results": [turnover_json(row) for row in rows], "next": None})


class TurnoverSignDoor(Door):
    """The caller did this item."""

    actions: ClassVar = {"POST": "turnover.sign"}

    @extend_schema(request=TurnoverSign, responses=ANSWERS)
    def post(self, request: Request, turnover_id: UUID) -> Response:
        given = parsed(TurnoverSign, request)
        row = services.turnover_sign(principal=principal_of(request), turnover_id=turnover_id, **given)
        return Response(turnover_json(row))


class TurnoverTakeBackDoor(Door):
    """A signature was wrong: the item is open again, both rows stay on record."""

    actions: ClassVar = {"POST": "turnover.sign"}

    @extend_schema(request=TurnoverTakeBack, responses=ANSWERS)
    def post(self, request: Request, turnover_id: UUID) -> Response:
        given = parsed(TurnoverTakeBack, request)
        row = services.turnover_take_back(principal=principal_of(request), turnover_id=turnover_id, **given)
        return Response(turnover_json(row))

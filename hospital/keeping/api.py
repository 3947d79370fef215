"""Doors of keeping: legal holds for security and audit administrators, erasure requests for them and the desk."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.access.proofs import recently_proven
from hospital.common.api import Door, page_of, parsed
from hospital.common.reads import Shown

from . import selectors, services
from .representations import hold_json, request_json, request_shown

STANDING, WAITING = OpenApiParameter("standing", bool), OpenApiParameter("waiting", bool)
PAGE = OpenApiParameter("page", int)


def asked(request: Request, name: str) -> bool:
    """A question that is off unless it says `true` or `1`."""
    return request.query_params.get(name, "").lower() in ("1", "true")


class HoldInput(serializers.Serializer[Any]):
    subject_kind = serializers.ChoiceField(choices=("patient", "robot"))
    subject = serializers.CharField(max_length=60)
    case_number = serializers.CharField(max_length=120)
    reason = serializers.CharField(max_length=services.TEXT_MAX)
    until = serializers.DateField(required=False, default=None, allow_null=True)


class LiftInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=services.TEXT_MAX)


class HoldsDoor(Door):
    """What may not be erased, for which case; the subject is found by its number and shown by its id."""

    actions: ClassVar = {"GET": "hold.read", "POST": "hold.set"}

    @extend_schema(parameters=[STANDING, PAGE], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="holds", why="hold"))
        reader = principal_of(request)
        rows = selectors.holds(reader, standing=asked(request, "standing"))
        return page_of(rows, request, lambda row: hold_json(row, reader))

    @extend_schema(request=HoldInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        data = parsed(HoldInput, request)
        reader = principal_of(request)
        row = services.hold_set(principal=reader, **data)
        return Response(hold_json(row, reader), status=201)


class HoldLiftDoor(Door):
    actions: ClassVar = {"POST": "hold.lift"}

    @extend_schema(request=LiftInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, hold_id: UUID) -> Response:
        data = parsed(LiftInput, request)
        reader = principal_of(request)
        recently_proven(principal=reader)
        row = services.hold_lift(principal=reader, hold_id=hold_id, **data)
        return Response(hold_json(row, reader))


class ErasureRequestsDoor(Door):
    """The requests of the caller's hospital, without names: the paper's number tells whose it is."""

    actions: ClassVar = {"GET": "erasure.read"}

    @extend_schema(parameters=[WAITING, PAGE], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return page_of(
            selectors.requests(principal_of(request), waiting=asked(request, "waiting")),
            request,
            request_json,
            shown=lambda rows: self.shown(
                Shown(
                    kind="erasure_requests", patient_ids=tuple(row.patient_id for row in rows), why="erasure"
                )
            ),
        )


class ErasureRequestDoor(Door):
    actions: ClassVar = {"GET": "erasure.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, request_id: UUID) -> Response:
        row = selectors.request_get(principal=principal_of(request), request_id=request_id)
        self.shown(request_shown(row))
        return Response(request_json(row))

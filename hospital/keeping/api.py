"""Doors of keeping: legal holds for security and audit administrators, answers to erasure requests for the desk."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, page_of
from hospital.common.reads import Shown

from . import selectors, services
from .representations import hold_json, request_json


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

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="holds", why="hold"))
        return page_of(selectors.holds(principal_of(request)), request, hold_json)

    @extend_schema(request=HoldInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        data = HoldInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = services.hold_set(principal=principal_of(request), **data.validated_data)
        return Response(hold_json(row), status=201)


class HoldLiftDoor(Door):
    actions: ClassVar = {"POST": "hold.lift"}

    @extend_schema(request=LiftInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, hold_id: UUID) -> Response:
        data = LiftInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = services.hold_lift(principal=principal_of(request), hold_id=hold_id, **data.validated_data)
        return Response(hold_json(row))


class ErasureRequestsDoor(Door):
    """The requests of the caller's hospital, without names: the paper's number tells whose it is."""

    actions: ClassVar = {"GET": "erasure.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return page_of(
            selectors.requests(principal_of(request)),
            request,
            request_json,
            shown=lambda rows: self.shown(
                Shown(kind="erasure_requests", patient_ids=tuple(row.patient_id for row in rows), why="desk")
            ),
        )


class ErasureRequestDoor(Door):
    actions: ClassVar = {"GET": "erasure.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, request_id: UUID) -> Response:
        row = selectors.request_get(principal=principal_of(request), request_id=request_id)
        self.shown(
            Shown(
                kind="erasure_request",
                object_id=row.id,
                patient_ids=(row.patient_id,),
                institution_id=row.institution_id,
                why="desk",
            )
        )
        return Response(request_json(row))

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed

from . import break_glass
from .representations import break_glass_json


class OpenInput(serializers.Serializer[Any]):
    document_number = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=500)


class ReviewInput(serializers.Serializer[Any]):
    verdict = serializers.CharField(max_length=13)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class BreakGlassDoor(Door):
    """Open a record in an emergency; reviewers list what was opened."""

    actions: ClassVar = {"GET": "break_glass.review", "POST": "break_glass.open"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = [break_glass_json(row) for row in break_glass.to_review(principal_of(request))]
        return Response({"results": rows, "next": None})

    @extend_schema(request=OpenInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        row = break_glass.break_glass_open(principal=principal_of(request), **parsed(OpenInput, request))
        body = {"id": str(row.id), "patient_id": str(row.patient_id), "ends_at": row.ends_at.isoformat()}
        return Response(body, status=201)


class ReviewDoor(Door):
    actions: ClassVar = {"POST": "break_glass.review"}

    @extend_schema(request=ReviewInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, entry_id: UUID) -> Response:
        row = break_glass.break_glass_review(
            principal=principal_of(request), entry_id=entry_id, **parsed(ReviewInput, request)
        )
        return Response(break_glass_json(row))

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.access.table import places
from hospital.common.api import Door
from hospital.common.errors import Invalid

from . import selectors
from .representations import exam_type_json, resource_json
from .rules import KINDS


class ExamTypesDoor(Door):
    actions: ClassVar = {"GET": "exam_type.list"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        results = [exam_type_json(kind) for kind in selectors.exam_types()]
        return Response({"results": results, "next": None})


class ResourcesDoor(Door):
    """Rooms, robots, probes and people of the caller's institutions."""

    actions: ClassVar = {"GET": "resource.list"}
    catalogue = True

    @extend_schema(parameters=[OpenApiParameter("kind", str, enum=KINDS)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        if kind and kind not in KINDS:
            raise Invalid("invalid", field="kind")
        mine = places(principal_of(request), "resource.list")
        results = [resource_json(row) for row in selectors.resources(kind=kind, institution_ids=mine)]
        return Response({"results": results, "next": None})

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

KINDS = ("person", "room", "robot")


class ExamTypesDoor(Door):
    actions: ClassVar = {"GET": "exam_type.list"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        results = [
            {
                "code": kind.code,
                "name_zh": kind.name_zh,
                "name_en": kind.name_en,
                "minutes": kind.minutes,
                "service": kind.service,
                "preparation_zh": kind.preparation_zh,
                "preparation_en": kind.preparation_en,
                "views": kind.views,
            }
            for kind in selectors.exam_types()
        ]
        return Response({"results": results, "next": None})


class ResourcesDoor(Door):
    """Rooms, robots and people of the caller's institutions."""

    actions: ClassVar = {"GET": "resource.list"}
    catalogue = True

    @extend_schema(parameters=[OpenApiParameter("kind", str, enum=KINDS)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        if kind and kind not in KINDS:
            raise Invalid("invalid", field="kind")
        results = [
            {
                "id": str(row.id),
                "kind": row.kind,
                "name": row.name,
                "name_en": row.name_en,
                "user_id": str(row.user_id) if row.user_id else None,
                "institution_id": str(row.institution_id),
                "institution": row.institution.name,
            }
            for row in selectors.resources(
                kind=kind, institution_ids=places(principal_of(request), "resource.list")
            )
        ]
        return Response({"results": results, "next": None})

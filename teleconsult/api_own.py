"""REST doors for a patient's own bookings: other times, moving, cancelling. The desk's services do it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, checked, parsed

from . import inputs, selectors, services
from .representations import exam_for_patient


def _own(request: Request, exam_id: UUID) -> Response:
    return Response(exam_for_patient(selectors.exam_get(principal_of(request), exam_id, "me.book")))


class MyExamTimesDoor(Door):
    """When one's booking could be instead, earliest first: no names."""

    actions: ClassVar = {"GET": "me.book"}

    @extend_schema(parameters=[inputs.OwnTimes], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        asked: dict[str, Any] = checked(inputs.OwnTimes, request.query_params)
        asked.setdefault("starts_from", None)
        found = services.own_times(principal_of(request), exam_id, **asked)
        onwards = request.query_params.copy()
        onwards["page"] = str(asked["page"] + 1)
        return Response(
            {
                "results": [{name: row[name] for name in ("starts_at", "ends_at")} for row in found.results],
                "next": f"{request.path}?{onwards.urlencode()}" if found.more else None,
            }
        )


class MyExamMoveDoor(Door):
    actions: ClassVar = {"POST": "me.book"}

    @extend_schema(request=inputs.MoveOwn, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, exam_id: UUID) -> Response:
        services.own_move(principal=principal_of(request), exam_id=exam_id, **parsed(inputs.MoveOwn, request))
        return _own(request, exam_id)


class MyExamCancelDoor(Door):
    actions: ClassVar = {"POST": "me.book"}

    @extend_schema(request=inputs.Reason, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, exam_id: UUID) -> Response:
        services.exam_cancel(
            principal=principal_of(request), exam_id=exam_id, **parsed(inputs.Reason, request)
        )
        return _own(request, exam_id)

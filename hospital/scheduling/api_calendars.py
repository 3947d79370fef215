"""REST doors of calendars: hours, exceptions, released times, what a resource is good for, an exam type's rules."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, page_of, parsed

from . import inputs, services_calendars, services_closures, services_weeks
from .representations import exam_type_json, exception_json, hours_json, released_json, resource_json


class ExamTypeDoor(Door):
    """The rules of one exam type, written anew."""

    actions: ClassVar = {"PUT": "exam_type.keep"}

    @extend_schema(request=inputs.ExamTypeInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, code: str) -> Response:
        fields = parsed(inputs.ExamTypeInput, request)
        return Response(
            exam_type_json(
                services_calendars.exam_type_keep(principal=principal_of(request), code=code, **fields)
            )
        )


class ResourceDoor(Door):
    """Buffers, languages and qualifications of one resource."""

    actions: ClassVar = {"PUT": "resource.keep"}

    @extend_schema(request=inputs.ResourceInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, resource_id: UUID) -> Response:
        fields = parsed(inputs.ResourceInput, request)
        row = services_calendars.resource_keep(
            principal=principal_of(request), resource_id=resource_id, **fields
        )
        return Response(resource_json(row))


class ResourceHoursDoor(Door):
    """The week of one resource; empty means that its institution's hours hold."""

    actions: ClassVar = {"GET": "resource.keep", "PUT": "resource.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, resource_id: UUID) -> Response:
        row = services_calendars.resource_kept(principal_of(request), resource_id)
        return Response(
            {"hours": [hours_json(one) for one in services_weeks.weekly_hours(resource_id=row.id)]}
        )

    @extend_schema(request=inputs.WeekInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, resource_id: UUID) -> Response:
        left = services_weeks.resource_hours_set(
            principal=principal_of(request),
            resource_id=resource_id,
            rows=parsed(inputs.WeekInput, request)["hours"],
        )
        return Response(self.get(request, resource_id).data | {"appointments": left})


class InstitutionHoursDoor(Door):
    """The week of everything in an institution that has no hours of its own."""

    actions: ClassVar = {"GET": "resource.keep", "PUT": "resource.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, institution_id: UUID) -> Response:
        place = services_calendars.institution_kept(principal_of(request), institution_id)
        return Response(
            {"hours": [hours_json(one) for one in services_weeks.weekly_hours(institution_id=place.id)]}
        )

    @extend_schema(request=inputs.WeekInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, institution_id: UUID) -> Response:
        left = services_weeks.institution_hours_set(
            principal=principal_of(request),
            institution_id=institution_id,
            rows=parsed(inputs.WeekInput, request)["hours"],
        )
        return Response(self.get(request, institution_id).data | {"appointments": left})


class ResourceExceptionsDoor(Door):
    """Leave, maintenance, closed days and extra sessions that still lie ahead."""

    actions: ClassVar = {"GET": "resource.keep", "POST": "resource.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, resource_id: UUID) -> Response:
        return page_of(
            services_calendars.exceptions_of(principal_of(request), resource_id), request, exception_json
        )

    @extend_schema(request=inputs.ExceptionInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, resource_id: UUID) -> Response:
        row, met = services_calendars.exception_add(
            principal=principal_of(request), resource_id=resource_id, **parsed(inputs.ExceptionInput, request)
        )
        return Response(exception_json(row) | {"appointments": met}, status=201)


class ResourceExceptionDoor(Door):
    actions: ClassVar = {"DELETE": "resource.keep"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, resource_id: UUID, exception_id: UUID) -> Response:
        services_calendars.exception_withdraw(
            principal=principal_of(request), resource_id=resource_id, exception_id=exception_id
        )
        return Response(status=204)


class InstitutionExceptionsDoor(Door):
    """Days on which a whole house is closed, or open beside its week."""

    actions: ClassVar = {"GET": "resource.keep", "POST": "resource.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, institution_id: UUID) -> Response:
        rows = services_closures.house_exceptions_of(principal_of(request), institution_id)
        return page_of(rows, request, exception_json)

    @extend_schema(request=inputs.ExceptionInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, institution_id: UUID) -> Response:
        row, met = services_closures.house_exception_add(
            principal=principal_of(request),
            institution_id=institution_id,
            **parsed(inputs.ExceptionInput, request),
        )
        return Response(exception_json(row) | {"appointments": met}, status=201)


class InstitutionExceptionDoor(Door):
    actions: ClassVar = {"DELETE": "resource.keep"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, institution_id: UUID, exception_id: UUID) -> Response:
        services_closures.house_exception_withdraw(
            principal=principal_of(request), institution_id=institution_id, exception_id=exception_id
        )
        return Response(status=204)


class ReleasedTimesDoor(Door):
    """Times for which an expert's hospital gives the expert to partners."""

    actions: ClassVar = {"GET": "resource.keep", "POST": "resource.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, resource_id: UUID) -> Response:
        return page_of(
            services_calendars.released_of(principal_of(request), resource_id), request, released_json
        )

    @extend_schema(request=inputs.ReleaseInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, resource_id: UUID) -> Response:
        row = services_calendars.released_add(
            principal=principal_of(request), resource_id=resource_id, **parsed(inputs.ReleaseInput, request)
        )
        return Response(released_json(row), status=201)


class ReleasedTimeDoor(Door):
    actions: ClassVar = {"DELETE": "resource.keep"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, resource_id: UUID, released_id: UUID) -> Response:
        services_calendars.released_withdraw(
            principal=principal_of(request), resource_id=resource_id, released_id=released_id
        )
        return Response(status=204)

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import PUBLIC, Door

from . import selectors, services
from .authentication import principal_of


class StaffInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    totp = serializers.CharField(max_length=6)


class StepUpInput(serializers.Serializer[Any]):
    totp = serializers.CharField(max_length=6)


def _parsed(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    data = kind(data=request.data)
    data.is_valid(raise_exception=True)
    return dict(data.validated_data)


class StaffDoor(Door):
    """Password and TOTP together; the answer never says which was wrong."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}

    @extend_schema(request=StaffInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = _parsed(StaffInput, request)
        token, row = services.staff_sign_in(
            username=given["username"], password=given["password"], code=given["totp"]
        )
        principal = selectors.principal_of_token_id(row.id)
        assert principal is not None
        roles = [{"institution_id": str(place), "role": role} for place, role in principal.memberships]
        user = {"id": str(principal.id), "name": principal.name, "roles": roles}
        return Response({"access": token, "expires_at": row.expires_at.isoformat(), "user": user})


class StepUpDoor(Door):
    actions: ClassVar = {"POST": "auth.step_up"}

    @extend_schema(request=StepUpInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        ends = services.step_up(principal=principal_of(request), code=_parsed(StepUpInput, request)["totp"])
        return Response({"expires_at": ends.isoformat()})


class TicketDoor(Door):
    actions: ClassVar = {"POST": "auth.ticket"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        ticket, expires_at = services.ticket_issue(principal=principal_of(request))
        return Response({"ticket": ticket, "expires_at": expires_at.isoformat()}, status=201)

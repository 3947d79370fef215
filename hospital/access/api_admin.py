"""The system administrator's doors."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import Door, page_of, parsed
from hospital.common.reads import Shown

from . import administration, staffing
from .authentication import principal_of

USERNAME = r"^[a-z0-9][a-z0-9._-]{2,59}$"


class InstitutionInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    name_en = serializers.CharField(max_length=120)
    short_name = serializers.CharField(max_length=20)
    region_code = serializers.RegexField(r"^[0-9]{6}$")
    uscc = serializers.CharField(max_length=18, min_length=18)


class MemberInput(serializers.Serializer[Any]):
    username = serializers.RegexField(USERNAME, max_length=60)
    name = serializers.CharField(max_length=80)
    institution_id = serializers.UUIDField()
    role = serializers.CharField(max_length=20)


class RoleInput(serializers.Serializer[Any]):
    institution_id = serializers.UUIDField()
    role = serializers.CharField(max_length=20)


def listing(rows: list[dict[str, Any]]) -> Response:
    return Response({"results": rows, "next": None})


class InstitutionsDoor(Door):
    actions: ClassVar = {"GET": "admin.institutions", "POST": "admin.institutions"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return listing(administration.institutions_json(principal_of(request)))

    @extend_schema(request=InstitutionInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        row = staffing.institution_add(principal=principal_of(request), **parsed(InstitutionInput, request))
        return Response({"id": str(row.id), "name": row.name}, status=201)


class StaffListDoor(Door):
    """Accounts of the caller's institutions; a new one answers with its activation code, once."""

    actions: ClassVar = {"GET": "admin.staff", "POST": "admin.staff"}

    @extend_schema(
        parameters=[OpenApiParameter("q", str), OpenApiParameter("page", int)], responses=OpenApiTypes.OBJECT
    )
    def get(self, request: Request) -> Response:
        principal, text = principal_of(request), request.query_params.get("q", "")[:80].strip()
        found = administration.staff_of(principal, "admin.staff", text)
        self.shown(Shown(kind="staff"))
        return page_of(
            found, request, lambda user: administration.accounts_json(principal, [user])[0], size=50
        )

    @extend_schema(request=MemberInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        user, code = staffing.member_add(principal=principal_of(request), **parsed(MemberInput, request))
        return Response({"id": str(user.id), "username": user.username, "code": code}, status=201)


class DeactivateDoor(Door):
    actions: ClassVar = {"POST": "admin.staff"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, user_id: UUID) -> Response:
        staffing.member_deactivate(principal=principal_of(request), user_id=user_id)
        return Response(status=204)


class ResetDoor(Door):
    """Ask for new factors; the security administrator agrees and gets the code."""

    actions: ClassVar = {"POST": "admin.staff"}

    @extend_schema(request=None, responses={202: OpenApiTypes.OBJECT})
    def post(self, request: Request, user_id: UUID) -> Response:
        row = staffing.reset_ask(principal=principal_of(request), user_id=user_id)
        return Response({"id": str(row.id)}, status=202)


class RolesDoor(Door):
    actions: ClassVar = {"POST": "admin.staff"}

    @extend_schema(request=RoleInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, user_id: UUID) -> Response:
        row = staffing.role_give(
            principal=principal_of(request), user_id=user_id, **parsed(RoleInput, request)
        )
        return Response({"id": str(row.id)}, status=201)


class RoleDoor(Door):
    actions: ClassVar = {"DELETE": "admin.staff"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, membership_id: UUID) -> Response:
        staffing.role_take(principal=principal_of(request), membership_id=membership_id)
        return Response(status=204)

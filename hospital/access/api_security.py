"""The security administrator's doors, and the one through which a person first gets into an account."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import PUBLIC, Door, page_of, parsed
from hospital.common.reads import Shown

from . import activation, administration, guarding
from .api_admin import listing
from .authentication import principal_of


class AdministratorInput(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    institution_id = serializers.UUIDField()
    role = serializers.CharField(max_length=20)


class LockInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class ActivationInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=60)
    code = serializers.CharField(max_length=40)


class ActivationFinishInput(ActivationInput):
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    totp = serializers.CharField(max_length=6)


class AccountsDoor(Door):
    """Accounts of the caller's institutions with what concerns their safety."""

    actions: ClassVar = {"GET": "admin.security"}

    @extend_schema(
        parameters=[OpenApiParameter("q", str), OpenApiParameter("page", int)], responses=OpenApiTypes.OBJECT
    )
    def get(self, request: Request) -> Response:
        principal, text = principal_of(request), request.query_params.get("q", "")[:80].strip()
        found = administration.staff_of(principal, "admin.security", text)
        self.shown(Shown(kind="staff"))
        return page_of(
            found, request, lambda user: administration.accounts_json(principal, [user])[0], size=50
        )


class LockDoor(Door):
    actions: ClassVar = {"POST": "admin.security"}

    @extend_schema(request=LockInput, responses={204: None})
    def post(self, request: Request, user_id: UUID) -> Response:
        guarding.account_lock(principal=principal_of(request), user_id=user_id, **parsed(LockInput, request))
        return Response(status=204)


class UnlockDoor(Door):
    actions: ClassVar = {"POST": "admin.security"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, user_id: UUID) -> Response:
        guarding.account_unlock(principal=principal_of(request), user_id=user_id)
        return Response(status=204)


class AdministratorsDoor(Door):
    actions: ClassVar = {"POST": "admin.security"}

    @extend_schema(request=AdministratorInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        row = guarding.administrator_grant(
            principal=principal_of(request), **parsed(AdministratorInput, request)
        )
        return Response({"id": str(row.id)}, status=201)


class AdministratorDoor(Door):
    actions: ClassVar = {"DELETE": "admin.security"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, membership_id: UUID) -> Response:
        guarding.administrator_revoke(principal=principal_of(request), membership_id=membership_id)
        return Response(status=204)


class StaffSessionsDoor(Door):
    actions: ClassVar = {"GET": "admin.security"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="sessions"))
        return listing(administration.sessions_json(principal_of(request)))


class StaffSessionDoor(Door):
    actions: ClassVar = {"DELETE": "admin.security"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        guarding.session_end(principal=principal_of(request), session_id=session_id)
        return Response(status=204)


class ResetsDoor(Door):
    actions: ClassVar = {"GET": "admin.security"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="resets"))
        return listing(administration.resets_json(principal_of(request)))


class ResetApproveDoor(Door):
    """The second person's yes: answers with the activation code, once."""

    actions: ClassVar = {"POST": "admin.security"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, activation_id: UUID) -> Response:
        code = guarding.reset_approve(principal=principal_of(request), activation_id=activation_id)
        return Response({"code": code}, status=201)


class FailuresDoor(Door):
    actions: ClassVar = {"GET": "admin.security"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="failures"))
        return listing(administration.failures_json(principal_of(request)))


class KeyStateDoor(Door):
    actions: ClassVar = {"GET": "admin.security"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(administration.keys_json())


class PermissionsDoor(Door):
    actions: ClassVar = {"GET": "admin.security"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(administration.permissions_json())


class ActivateDoor(Door):
    """The secret for the person's authenticator, for the code they were handed."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401,)

    @extend_schema(request=ActivationInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        secret, address = activation.activation_begin(**parsed(ActivationInput, request))
        return Response({"totp_secret": secret, "otpauth": address})


class ActivateFinishDoor(Door):
    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401,)

    @extend_schema(request=ActivationFinishInput, responses={204: None})
    def post(self, request: Request) -> Response:
        activation.activation_finish(**parsed(ActivationFinishInput, request))
        return Response(status=204)

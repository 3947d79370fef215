from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import PUBLIC, Door, parsed

from . import refresh, selectors, services, sessions
from .authentication import principal_of
from .keys import Deed, Touch
from .table import PROVEN_DEEDS


class FactorInput(serializers.Serializer[Any]):
    """A TOTP code, or a key's touch: the challenge's id and what the browser answered to it."""

    totp = serializers.CharField(max_length=6, required=False)
    challenge_id = serializers.UUIDField(required=False)
    credential = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        touched = "challenge_id" in attrs and "credential" in attrs
        if touched == ("totp" in attrs):
            raise serializers.ValidationError({"totp": ["required"]})
        return attrs


def touch_in(given: dict[str, Any]) -> Touch | None:
    if "credential" not in given:
        return None
    return Touch(challenge_id=given["challenge_id"], credential=given["credential"])


class StaffInput(FactorInput):
    username = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    new_password = serializers.CharField(
        max_length=200, trim_whitespace=False, required=False, default="", allow_blank=True
    )


class PasswordInput(FactorInput):
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    new_password = serializers.CharField(max_length=200, trim_whitespace=False)


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=80)


class DeedInput(serializers.Serializer[Any]):
    """What a proof is to be good for; nothing: any one signature within 10 minutes."""

    action = serializers.ChoiceField(
        choices=sorted(PROVEN_DEEDS), required=False, default="", allow_blank=True
    )
    object_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    version = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)


class StepUpInput(FactorInput, DeedInput):
    pass


def deed_in(given: dict[str, Any]) -> Deed:
    return Deed(action=given["action"], object_id=given["object_id"], version=given["version"])


class StaffDoor(Door):
    """Password and TOTP code or key together; the answer never says which was wrong."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401, 403, 429)

    @extend_schema(request=StaffInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = parsed(StaffInput, request)
        token, row = services.staff_sign_in(
            username=given["username"],
            password=given["password"],
            code=given.get("totp", ""),
            touch=touch_in(given),
            new_password=given["new_password"],
            agent=request.headers.get("User-Agent", ""),
        )
        principal = selectors.principal_of_token_id(row.id)
        assert principal is not None
        roles = [{"institution_id": str(place), "role": role} for place, role in principal.memberships]
        user = {"id": str(principal.id), "name": principal.name, "roles": roles}
        return Response({"access": token, "expires_at": row.expires_at.isoformat(), "user": user})


class StepUpDoor(Door):
    actions: ClassVar = {"POST": "auth.step_up"}
    also: ClassVar = (429,)

    @extend_schema(request=StepUpInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = parsed(StepUpInput, request)
        ends = services.step_up(
            principal=principal_of(request),
            code=given.get("totp", ""),
            touch=touch_in(given),
            deed=deed_in(given),
        )
        return Response({"expires_at": ends.isoformat()})


class TicketDoor(Door):
    actions: ClassVar = {"POST": "auth.ticket"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        ticket, expires_at = services.ticket_issue(principal=principal_of(request))
        return Response({"ticket": ticket, "expires_at": expires_at.isoformat()}, status=201)


class PatientRefreshDoor(Door):
    """The next access token and the next refresh token; each refresh token works once."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401,)

    @extend_schema(request=RefreshInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        token, row, following = refresh.refresh_exchange(refresh=parsed(RefreshInput, request)["refresh"])
        return Response({"access": token, "expires_at": row.expires_at.isoformat(), "refresh": following})


class SessionsDoor(Door):
    """One's own open sign-ins; asking for them is also how a page says that somebody is still there."""

    actions: ClassVar = {"GET": "auth.sessions"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"results": sessions.sessions_of(principal_of(request)), "next": None})


class SessionDoor(Door):
    actions: ClassVar = {"DELETE": "auth.session_end"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        sessions.session_revoke(principal=principal_of(request), session_id=session_id)
        return Response(status=204)


class PasswordDoor(Door):
    actions: ClassVar = {"POST": "auth.password"}
    also: ClassVar = (429,)

    @extend_schema(request=PasswordInput, responses={204: None})
    def post(self, request: Request) -> Response:
        given = parsed(PasswordInput, request)
        services.password_change(
            principal=principal_of(request),
            password=given["password"],
            new_password=given["new_password"],
            code=given.get("totp", ""),
            touch=touch_in(given),
        )
        return Response(status=204)

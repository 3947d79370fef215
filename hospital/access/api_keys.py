"""REST doors of one's own factors: security keys, what they sign, and the change to another authenticator."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import PUBLIC, Door, parsed
from hospital.common.qr import qr_rows

from . import keys, new_totp
from .api import DeedInput, deed_in
from .authentication import principal_of
from .keys import Deed
from .proofs import proof_consume, recently_proven

ADD = Deed(action="auth.key_add")


class KeyInput(serializers.Serializer[Any]):
    challenge_id = serializers.UUIDField()
    credential = serializers.DictField()
    name = serializers.CharField(max_length=60)


class NewTotpInput(serializers.Serializer[Any]):
    totp = serializers.CharField(max_length=6)


class SignInChallengeDoor(Door):
    """What any key may sign to be the second factor of one sign-in within two minutes."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (429,)

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        return Response(keys.sign_in_challenge(), status=201)


class ProofChallengeDoor(Door):
    """What the caller's key signs as a fresh proof, good for the one deed named here."""

    actions: ClassVar = {"POST": "auth.step_up"}

    @extend_schema(request=DeedInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        deed = deed_in(parsed(DeedInput, request))
        return Response(keys.proof_challenge(principal=principal_of(request), deed=deed), status=201)


class KeyOptionsDoor(Door):
    """What a new key is made with; uses up a fresh proof for `auth.key_add`."""

    actions: ClassVar = {"POST": "auth.keys"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        proof_consume(principal=principal_of(request), deed=ADD)
        return Response(keys.register_challenge(principal=principal_of(request)), status=201)


class KeysDoor(Door):
    actions: ClassVar = {"GET": "auth.keys", "POST": "auth.keys"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"results": keys.keys_of(principal_of(request)), "next": None})

    @extend_schema(request=KeyInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        key = keys.key_register(principal=principal_of(request), **parsed(KeyInput, request))
        return Response({"id": str(key.id), "name": key.name}, status=201)


class KeyDoor(Door):
    actions: ClassVar = {"DELETE": "auth.keys"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        recently_proven(principal=principal_of(request))
        keys.key_remove(principal=principal_of(request), key_id=key_id)
        return Response(status=204)


class NewTotpDoor(Door):
    """A new authenticator's secret, told once, as text, address and QR code; uses up a fresh proof for `auth.totp`."""

    actions: ClassVar = {"POST": "auth.totp"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        secret, address, ends = new_totp.totp_change_begin(principal=principal_of(request))
        body = {"totp_secret": secret, "otpauth": address, "qr": qr_rows(address)}
        return Response(body | {"expires_at": ends.isoformat()}, status=201)


class NewTotpConfirmDoor(Door):
    """A first code of the new authenticator: from here it counts instead of the old one."""

    actions: ClassVar = {"POST": "auth.totp"}

    @extend_schema(request=NewTotpInput, responses={204: None})
    def post(self, request: Request) -> Response:
        given = parsed(NewTotpInput, request)
        new_totp.totp_change_confirm(principal=principal_of(request), code=given["totp"])
        return Response(status=204)

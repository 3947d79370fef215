"""REST doors of identity providers, for the security administrator of the hospital that trusts them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.common.api import Door, parsed

from . import providers
from .authentication import principal_of
from .proofs import recently_proven


class ProviderInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=("staff", "city"))
    name = serializers.CharField(max_length=60)
    name_en = serializers.CharField(max_length=60)
    issuer = serializers.CharField(max_length=300)
    client_id = serializers.CharField(max_length=200)
    client_secret = serializers.CharField(max_length=300)
    trusted_acr = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=10, default=list
    )
    document_claim = serializers.CharField(max_length=60, default="", allow_blank=True)
    redirect_uris = serializers.ListField(
        child=serializers.CharField(max_length=300), max_length=10, default=list
    )


class SubjectInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=60)
    subject = serializers.CharField(max_length=255)


def provider_json(provider: Any) -> dict[str, Any]:
    """Without the secret: nobody reads it again."""
    names = (
        "kind",
        "name",
        "name_en",
        "issuer",
        "client_id",
        "trusted_acr",
        "document_claim",
        "redirect_uris",
    )
    subjects = [
        {"id": str(row.id), "subject": row.subject, "username": row.user.username}
        for row in provider.subjects.all()
    ]
    shown = {name: getattr(provider, name) for name in names}
    return {"id": str(provider.id), **shown, "active": provider.is_active, "subjects": subjects}


class ProvidersDoor(Door):
    actions: ClassVar = {"GET": "auth.providers", "POST": "auth.providers"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        found = providers.providers_of(principal_of(request))
        return Response({"results": [provider_json(one) for one in found], "next": None})

    @extend_schema(request=ProviderInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        recently_proven(principal=principal_of(request))
        fields = parsed(ProviderInput, request)
        return Response(
            provider_json(providers.provider_create(principal=principal_of(request), **fields)), status=201
        )


class ProviderDoor(Door):
    actions: ClassVar = {"DELETE": "auth.providers"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, provider_id: UUID) -> Response:
        providers.provider_end(principal=principal_of(request), provider_id=provider_id)
        return Response(status=204)


class ProviderTestDoor(Door):
    """`outcome` says what a sign-in would meet now: ok, unreachable, description, keys, client_refused, unclear."""

    actions: ClassVar = {"POST": "auth.providers"}

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, provider_id: UUID) -> Response:
        outcome = providers.provider_test(principal=principal_of(request), provider_id=provider_id)
        return Response({"outcome": outcome})


class SubjectsDoor(Door):
    actions: ClassVar = {"POST": "auth.providers"}

    @extend_schema(request=SubjectInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, provider_id: UUID) -> Response:
        recently_proven(principal=principal_of(request))
        given = parsed(SubjectInput, request)
        row = providers.subject_map(principal=principal_of(request), provider_id=provider_id, **given)
        return Response({"id": str(row.id)}, status=201)


class SubjectDoor(Door):
    actions: ClassVar = {"DELETE": "auth.providers"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, provider_id: UUID, subject_id: UUID) -> Response:
        providers.subject_unmap(
            principal=principal_of(request), provider_id=provider_id, subject_id=subject_id
        )
        return Response(status=204)

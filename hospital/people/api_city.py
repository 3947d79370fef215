"""REST doors of patients' sign-in by a city's identity provider."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.providers import providers_open
from hospital.common.api import PUBLIC, Door, parsed

from . import city, selectors
from .representations import patient_named


class BeginInput(serializers.Serializer[Any]):
    provider_id = serializers.UUIDField()
    redirect_uri = serializers.CharField(max_length=300)


class EndInput(serializers.Serializer[Any]):
    state = serializers.CharField(max_length=100)
    code = serializers.CharField(max_length=2000)
    binding = serializers.CharField(max_length=100)
    iss = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class CityDoor(Door):
    """GET lists the providers; POST says where to send the person, and the secret to come back with."""

    authentication_classes = ()
    actions: ClassVar = {"GET": PUBLIC, "POST": PUBLIC}
    also: ClassVar = (429, 503)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        found = [
            {"id": str(one.id), "name": one.name, "name_en": one.name_en} for one in providers_open("city")
        ]
        return Response({"results": found, "next": None})

    @extend_schema(request=BeginInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(BeginInput, request)
        binding = secrets.token_urlsafe(32)
        url = city.city_begin(binding=binding, **given)
        return Response({"authorization_url": url, "binding": binding}, status=201)


class CityTokenDoor(Door):
    """The same answer as by one-time code."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401, 429, 503)

    @extend_schema(request=EndInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = parsed(EndInput, request)
        token, row, refresh = city.city_sign_in(
            state=given["state"], code=given["code"], binding=given["binding"], issuer=given["iss"]
        )
        assert row.account_id is not None
        patients = [patient_named(patient) for patient in selectors.patients_of_account(row.account_id)]
        body = {"access": token, "expires_at": row.expires_at.isoformat(), "refresh": refresh}
        return Response(body | {"patients": patients})

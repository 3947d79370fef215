"""Doors of agreements, licences, registrations and privileges."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed
from hospital.common.errors import Invalid

from . import agreements, licences, registry
from .representations_papers import agreement_json, privilege_json, registration_json

DOCUMENT_MAX_CHARS = 28 * 1024 * 1024


class AgreementInput(serializers.Serializer[Any]):
    """`document` is the PDF in base64."""

    inviting_id = serializers.UUIDField()
    invited_id = serializers.UUIDField()
    services = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    document = serializers.CharField(max_length=DOCUMENT_MAX_CHARS)


class SignatoryInput(serializers.Serializer[Any]):
    signatory = serializers.CharField(max_length=80)


class PaperReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class LicenceInput(serializers.Serializer[Any]):
    licence_number = serializers.CharField(max_length=40)
    licence_expires_on = serializers.DateField()
    practice_started_on = serializers.DateField()
    standing = serializers.CharField(max_length=10)
    scope = serializers.CharField(max_length=60)


class RegistrationInput(serializers.Serializer[Any]):
    institution_id = serializers.UUIDField()
    kind = serializers.CharField(max_length=6)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(required=False, default=None, allow_null=True)
    paper = serializers.CharField(max_length=120)


class PrivilegeInput(serializers.Serializer[Any]):
    level = serializers.CharField(max_length=11)
    simulator_hours = serializers.IntegerField(min_value=0, max_value=9999)
    supervised_exams = serializers.IntegerField(min_value=0, max_value=9999)
    valid_to = serializers.DateField()
    basis = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


def _document(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("data:application/pdf;base64,"), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("agreement_document", field="document") from None


class AgreementsDoor(Door):
    actions: ClassVar = {"GET": "agreement.keep", "POST": "agreement.keep"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = [agreement_json(row) for row in agreements.agreements(principal_of(request))]
        return Response({"results": rows, "next": None})

    @extend_schema(request=AgreementInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(AgreementInput, request)
        given["document"] = _document(given["document"])
        row = agreements.agreement_write(principal=principal_of(request), **given)
        return Response(agreement_json(row), status=201)


class AgreementSignDoor(Door):
    actions: ClassVar = {"POST": "agreement.keep"}

    @extend_schema(request=SignatoryInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, agreement_id: UUID) -> Response:
        row = agreements.agreement_sign(
            principal=principal_of(request), agreement_id=agreement_id, **parsed(SignatoryInput, request)
        )
        return Response(agreement_json(row))


class AgreementEndDoor(Door):
    actions: ClassVar = {"POST": "agreement.keep"}

    @extend_schema(request=PaperReasonInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, agreement_id: UUID) -> Response:
        row = agreements.agreement_end(
            principal=principal_of(request), agreement_id=agreement_id, **parsed(PaperReasonInput, request)
        )
        return Response(agreement_json(row))


class AgreementDocumentDoor(Door):
    actions: ClassVar = {"GET": "agreement.keep"}
    catalogue = True

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, agreement_id: UUID) -> HttpResponse:
        row = agreements.agreement_get(principal_of(request), agreement_id)
        response = HttpResponse(agreements.agreement_document(row), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{row.id}.pdf"'
        response["Cache-Control"] = "no-store"
        return response


class RegistryDoor(Door):
    """The physicians of the caller's institutions with their papers, and what stands against booking them today."""

    actions: ClassVar = {"GET": "registry.read"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"results": registry.physicians(principal_of(request)), "next": None})


class LicenceDoor(Door):
    actions: ClassVar = {"PUT": "registry.keep"}

    @extend_schema(request=LicenceInput, responses={204: None})
    def put(self, request: Request, user_id: UUID) -> Response:
        licences.licence_keep(
            principal=principal_of(request), user_id=user_id, **parsed(LicenceInput, request)
        )
        return Response(status=204)


class RegistrationsDoor(Door):
    actions: ClassVar = {"POST": "registry.keep"}

    @extend_schema(request=RegistrationInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, user_id: UUID) -> Response:
        row = licences.registration_add(
            principal=principal_of(request), user_id=user_id, **parsed(RegistrationInput, request)
        )
        return Response(registration_json(row), status=201)


class RegistrationEndDoor(Door):
    actions: ClassVar = {"POST": "registry.keep"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, registration_id: UUID) -> Response:
        licences.registration_end(principal=principal_of(request), registration_id=registration_id)
        return Response(status=204)


class PrivilegesDoor(Door):
    actions: ClassVar = {"POST": "privilege.grant"}

    @extend_schema(request=PrivilegeInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, user_id: UUID) -> Response:
        row = licences.privilege_grant(
            principal=principal_of(request), user_id=user_id, **parsed(PrivilegeInput, request)
        )
        return Response(privilege_json(row), status=201)


class PrivilegeRevokeDoor(Door):
    actions: ClassVar = {"POST": "privilege.grant"}

    @extend_schema(request=PaperReasonInput, responses={204: None})
    def post(self, request: Request, privilege_id: UUID) -> Response:
        licences.privilege_revoke(
            principal=principal_of(request), privilege_id=privilege_id, **parsed(PaperReasonInput, request)
        )
        return Response(status=204)

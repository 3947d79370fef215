from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.access.middleware import address_of
from hospital.access.table import STAFF
from hospital.common.api import PUBLIC, Door, parsed
from hospital.common.errors import Invalid
from hospital.common.reads import Shown, read_recorded

from . import accounts, search, selectors, services
from .representations import patient_found, patient_full, patient_hit, patient_named
from .shown import desk_shown


class PatientInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    document_type = serializers.CharField(max_length=2, default="01")
    document_number = serializers.CharField(max_length=40)
    birth_date = serializers.DateField()
    sex = serializers.CharField(max_length=1)
    phone = serializers.CharField(max_length=20)


class TokenInput(serializers.Serializer[Any]):
    phone = serializers.CharField(max_length=20)
    code = serializers.CharField(max_length=6)
    document_number = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)


class PatientsDoor(Door):
    """Search shows masked rows; registering shows the new patient (200: the one on file) and points out namesakes."""

    actions: ClassVar = {"GET": "patient.search", "POST": "patient.register"}

    @extend_schema(parameters=[OpenApiParameter("q", str)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        q = request.query_params.get("q", "")[:80]
        found = selectors.patient_search(principal=principal_of(request), q=q)
        named = search.name_index(q)
        self.shown(Shown(kind="patient", patient_ids=tuple(patient.id for patient in found), why="desk"))
        return Response({"results": [patient_hit(patient, named) for patient in found], "next": None})

    @extend_schema(request=PatientInput, responses={201: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        found = services.patient_admit(principal=principal_of(request), **parsed(PatientInput, request))
        body = patient_full(found.patient) | {
            "namesakes": [patient_found(row) for row in found.namesakes],
            "linked": found.linked,
            "reviews_n": found.reviews_n,
        }
        return Response(body, status=200 if found.linked else 201)


class PatientNamedInput(serializers.Serializer[Any]):
    number = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True, default=None)


class PatientsNamedDoor(Door):
    """Who is named exactly, masked: by a document or phone number, or by name and birth date.

    A POST, so that no number stands in an address; it is a read all the same, and on record before it leaves.
    """

    actions: ClassVar = {"POST": "patient.find"}

    @extend_schema(request=PatientNamedInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        principal, asked = principal_of(request), parsed(PatientNamedInput, request)
        found = selectors.patients_named(principal=principal, **asked)
        shown = Shown(kind="patient", patient_ids=tuple(patient.id for patient in found), why="request")
        read_recorded(principal, "patient.find", shown)
        named = search.name_index(asked["name"])
        return Response({"results": [patient_hit(patient, named) for patient in found]})


class PatientDoor(Door):
    actions: ClassVar = {"GET": "patient.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(principal=principal_of(request), patient_id=patient_id)
        self.shown(desk_shown(patient))
        return Response(patient_full(patient))


class CodeInput(serializers.Serializer[Any]):
    phone = serializers.CharField(max_length=20)
    channel = serializers.ChoiceField(choices=("sms", "voice"), default="sms")


class PatientCodeDoor(Door):
    """The same answer whether anybody has this phone or not."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}

    also: ClassVar = (429,)

    @extend_schema(request=CodeInput, responses={202: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(CodeInput, request)
        life_s = accounts.patient_code_send(address=address_of(request._request), **given)
        return Response({"expires_in_s": life_s}, status=202)


class PatientTokenDoor(Door):
    """Phone, one-time code and, once, the document number."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}

    also: ClassVar = (401, 403, 429)

    @extend_schema(request=TokenInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        token, row, refresh = accounts.patient_sign_in(**parsed(TokenInput, request))
        assert row.account_id is not None
        patients = [patient_named(patient) for patient in selectors.patients_of_account(row.account_id)]
        body = {"access": token, "expires_at": row.expires_at.isoformat(), "refresh": refresh}
        return Response(body | {"patients": patients})


class ConsentTextDoor(Door):
    actions: ClassVar = {"GET": "consent_text.read"}
    catalogue = True

    @extend_schema(parameters=[OpenApiParameter("kind", str)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        text = selectors.consent_text_current(request.query_params.get("kind", "remote_exam"))
        return Response(
            {
                "kind": text.kind,
                "version": text.version,
                "body_zh": text.body_zh,
                "body_en": text.body_en,
                "sha256": text.sha256,
            }
        )


class PractitionersDoor(Door):
    actions: ClassVar = {"GET": "practitioner.list"}
    catalogue = True

    @extend_schema(
        parameters=[OpenApiParameter("role", str), OpenApiParameter("institution", str)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        role, place = request.query_params.get("role", ""), request.query_params.get("institution")
        if role not in STAFF:
            raise Invalid("invalid", field="role")
        try:
            institution_id = UUID(place) if place else None
        except ValueError:
            raise Invalid("invalid", field="institution") from None
        found = selectors.practitioners(
            principal=principal_of(request), role=role, institution_id=institution_id
        )
        return Response({"results": found, "next": None})

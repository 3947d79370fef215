"""Doors of consents that belong to a patient: wristband monitoring and transfer; and the withdrawal of any."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed

from . import consents, selectors
from .representations import consent_json
from .shown import desk_shown


class ConsentInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=("wristband_monitoring", "transfer"))
    receiver_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    text_version = serializers.CharField(max_length=40)
    given_by = serializers.ChoiceField(choices=("patient", "guardian"))
    method = serializers.ChoiceField(choices=("signature", "witness"))
    guardian_name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    guardian_relation = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    signature_png = serializers.CharField(max_length=400_000, required=False, default="", allow_blank=True)
    witness_name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class PatientConsentsDoor(Door):
    """All consents of a patient, and a new one that is bound to no exam."""

    actions: ClassVar = {"GET": "patient.consents", "POST": "patient.consent"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.consents")
        rows = selectors.consents(principal, "patient.consents").filter(patient=patient)
        self.shown(desk_shown(patient, kind="consents"))
        return Response({"results": [consent_json(row) for row in rows], "next": None})

    @extend_schema(request=ConsentInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.consent")
        row = consents.consent_record(
            principal=principal, patient_id=patient.id, **parsed(ConsentInput, request)
        )
        return Response(consent_json(row), status=201)


class ConsentWithdrawDoor(Door):
    actions: ClassVar = {"POST": "patient.consent"}

    @extend_schema(request=ReasonInput, responses={204: None})
    def post(self, request: Request, consent_id: UUID) -> Response:
        consents.consent_take_back(
            principal=principal_of(request),
            action="patient.consent",
            consent_id=consent_id,
            **parsed(ReasonInput, request),
        )
        return Response(status=204)

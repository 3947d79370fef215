"""Doors of delegation: for the patient's app, for the delegate's app, and for the desk with a paper in hand."""

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

from . import delegates, selectors
from .representations import delegation_json


class DelegateInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    relation = serializers.CharField(max_length=40)
    phone = serializers.CharField(max_length=20)
    scopes = serializers.ListField(child=serializers.CharField(max_length=10), max_length=5)
    days = serializers.IntegerField()


class PaperInput(DelegateInput):
    paper = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)


class MyDelegatesDoor(Door):
    """The patient's own delegates."""

    actions: ClassVar = {"GET": "me.delegates", "POST": "me.delegates"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = delegates.own_patient(principal_of(request), patient_id)
        rows = [delegation_json(row) for row in delegates.delegations_of(patient)]
        return Response({"results": rows, "next": None})

    @extend_schema(request=DelegateInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = delegates.own_patient(principal, patient_id)
        row = delegates.delegation_grant(
            principal=principal, patient=patient, **parsed(DelegateInput, request)
        )
        return Response(delegation_json(row), status=201)


class MyDelegateDoor(Door):
    actions: ClassVar = {"DELETE": "me.delegates"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, patient_id: UUID, delegation_id: UUID) -> Response:
        principal = principal_of(request)
        patient = delegates.own_patient(principal, patient_id)
        delegates.delegation_revoke(principal=principal, patient=patient, delegation_id=delegation_id)
        return Response(status=204)


class MyDelegationDoor(Door):
    """The delegate gives it back."""

    actions: ClassVar = {"DELETE": "me.delegations"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, delegation_id: UUID) -> Response:
        delegates.delegation_give_back(principal=principal_of(request), delegation_id=delegation_id)
        return Response(status=204)


class PatientDelegatesDoor(Door):
    actions: ClassVar = {"GET": "patient.read", "POST": "patient.delegate"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(principal=principal_of(request), patient_id=patient_id)
        rows = [delegation_json(row) for row in delegates.delegations_of(patient)]
        return Response({"results": rows, "next": None})

    @extend_schema(request=PaperInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.delegate")
        row = delegates.delegation_grant(principal=principal, patient=patient, **parsed(PaperInput, request))
        return Response(delegation_json(row), status=201)


class PatientDelegateDoor(Door):
    actions: ClassVar = {"DELETE": "patient.delegate"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, patient_id: UUID, delegation_id: UUID) -> Response:
        principal = principal_of(request)
        patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.delegate")
        delegates.delegation_revoke(principal=principal, patient=patient, delegation_id=delegation_id)
        return Response(status=204)

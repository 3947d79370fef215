"""Doors about the log: who read a record, and a full number shown against a reason that stays on record."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, page_of, parsed
from hospital.common.errors import Invalid
from hospital.common.reads import Shown

from . import accesses


class RevealInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class MyAccessesDoor(Door):
    """Who read the caller's record: the patient's own view of the log. `patient` chooses among several."""

    actions: ClassVar = {"GET": "me.accesses"}

    @extend_schema(
        parameters=[OpenApiParameter("patient", UUID), OpenApiParameter("page", int)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        raw = request.query_params.get("patient")
        try:
            wanted = UUID(raw) if raw else None
        except ValueError:
            raise Invalid("invalid", field="patient") from None
        patient, found = accesses.accesses_for(principal=principal_of(request), patient_id=wanted)
        self.shown(Shown(kind="accesses", object_id=patient, patient_ids=(patient,), why="own"))
        return page_of(found, request, accesses.Row(), size=50)


class RevealDoor(Door):
    """Full document number and phone of one patient: masked everywhere else, on record here (PI-12)."""

    actions: ClassVar = {"POST": "patient.reveal"}

    @extend_schema(request=RevealInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, patient_id: UUID) -> Response:
        patient = accesses.patient_reveal(
            principal=principal_of(request), patient_id=patient_id, **parsed(RevealInput, request)
        )
        return Response(
            {
                "id": str(patient.id),
                "document_type": patient.document_type,
                "document_number": patient.document_number,
                "phone": patient.phone,
            }
        )

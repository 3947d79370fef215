"""Doors of a patient's rights: a copy of everything, corrections, consents and their withdrawal, identity checks."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed
from hospital.common.errors import Invalid
from hospital.common.reads import Shown

from . import archives, corrections, delegates, selectors, services, verification
from .representations import (
    archive_json,
    consent_for_patient,
    correction_for_patient,
    correction_json,
    correction_row,
    verification_json,
)


class CorrectionInput(serializers.Serializer[Any]):
    field = serializers.CharField(max_length=20)
    wanted = serializers.CharField(max_length=120)
    reason = serializers.CharField(max_length=1000)
    proof = serializers.CharField(required=False, default="", allow_blank=True, max_length=7_000_000)


class AnswerInput(serializers.Serializer[Any]):
    accepted = serializers.BooleanField()
    answer = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class VerifyInput(serializers.Serializer[Any]):
    seen = serializers.CharField(max_length=20)
    passport_line = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)


def zip_response(data: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return answer


class MyArchiveDoor(Door):
    """Everything about one patient as one ZIP; 202 with a job when it is large. `patient` chooses among several."""

    actions: ClassVar = {"GET": "me.archive"}

    @extend_schema(
        parameters=[OpenApiParameter("patient", UUID)],
        responses={200: OpenApiTypes.BINARY, 202: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponse | Response:
        raw = request.query_params.get("patient")
        try:
            wanted = UUID(raw) if raw else None
        except ValueError:
            raise Invalid("invalid", field="patient") from None
        patient, made = archives.archive_or_job(principal=principal_of(request), patient_id=wanted)
        self.shown(Shown(kind="archive", object_id=patient.id, patient_ids=(patient.id,), why="own"))
        if isinstance(made, bytes):
            return zip_response(made, patient.mpi)
        return Response(archive_json(made), status=202)


class ArchiveDoor(Door):
    """How far the job is; `url` appears when the file is ready."""

    actions: ClassVar = {"GET": "me.archive"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, archive_id: UUID) -> Response:
        row = archives.archive_get(principal=principal_of(request), archive_id=archive_id)
        self.shown(Shown(kind="archive", object_id=row.id, patient_ids=(row.patient_id,), why="own"))
        return Response(archive_json(row))


class ArchiveFileDoor(Door):
    """The file, once: a POST, for fetching it changes what is there."""

    actions: ClassVar = {"POST": "me.archive"}

    @extend_schema(request=None, responses={200: OpenApiTypes.BINARY})
    def post(self, request: Request, archive_id: UUID) -> HttpResponse:
        row, data = archives.archive_take(principal=principal_of(request), archive_id=archive_id)
        return zip_response(data, str(row.id))


class MyCorrectionsDoor(Door):
    """The patient's own requests and a new one; a delegate does not change who the patient is."""

    actions: ClassVar = {"GET": "me.corrections", "POST": "me.corrections"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = delegates.own_patient(principal_of(request), patient_id)
        rows = [correction_for_patient(row) for row in corrections.corrections_of(patient)]
        self.shown(Shown(kind="corrections", object_id=patient.id, patient_ids=(patient.id,), why="own"))
        return Response({"results": rows, "next": None})

    @extend_schema(request=CorrectionInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = delegates.own_patient(principal, patient_id)
        row = corrections.correction_ask(
            principal=principal, patient=patient, **parsed(CorrectionInput, request)
        )
        return Response(correction_for_patient(row), status=201)


class CorrectionsDoor(Door):
    actions: ClassVar = {"GET": "correction.decide"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = corrections.to_answer(principal_of(request))
        self.shown(corrections_shown(rows))
        return Response({"results": [correction_row(row) for row in rows], "next": None})


def corrections_shown(rows: list[Any]) -> Shown:
    return Shown(
        kind="corrections", patient_ids=tuple(dict.fromkeys(row.patient_id for row in rows)), why="desk"
    )


class CorrectionDoor(Door):
    """One request with both values: what is on file and what is wanted."""

    actions: ClassVar = {"GET": "correction.decide"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, correction_id: UUID) -> Response:
        row = corrections.correction_get(principal_of(request), correction_id)
        self.shown(Shown(kind="correction", object_id=row.id, patient_ids=(row.patient_id,), why="desk"))
        return Response(correction_json(row))


class CorrectionDecisionDoor(Door):
    actions: ClassVar = {"POST": "correction.decide"}

    @extend_schema(request=AnswerInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, correction_id: UUID) -> Response:
        row = corrections.correction_decide(
            principal=principal_of(request), correction_id=correction_id, **parsed(AnswerInput, request)
        )
        return Response(correction_json(row))


class CorrectionProofDoor(Door):
    """The picture the patient sent with the request."""

    actions: ClassVar = {"GET": "correction.decide"}

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, correction_id: UUID) -> HttpResponse:
        row, data, media_type = corrections.proof_get(principal_of(request), correction_id)
        self.shown(Shown(kind="proof", object_id=row.id, patient_ids=(row.patient_id,), why="desk"))
        answer = HttpResponse(data, content_type=media_type)
        answer["Content-Security-Policy"] = "sandbox"
        return answer


class MyConsentsDoor(Door):
    """What was consented to, with the whole text, and what was withdrawn."""

    actions: ClassVar = {"GET": "me.consents"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        principal = principal_of(request)
        patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="me.consents")
        rows = [
            consent_for_patient(row)
            for row in selectors.consents(principal, "me.consents").filter(patient=patient)
        ]
        self.shown(Shown(kind="consents", object_id=patient.id, patient_ids=(patient.id,), why="own"))
        return Response({"results": rows, "next": None})


class MyConsentDoor(Door):
    """Withdrawing is as easy as consenting was: one request, no reason needed (PIPL 15, PI-03)."""

    actions: ClassVar = {"DELETE": "me.consents"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, consent_id: UUID) -> Response:
        services.consent_withdraw_own(principal=principal_of(request), consent_id=consent_id)
        return Response(status=204)


class VerifyDoor(Door):
    """The desk saw the card, or asks the authority that the installation chose."""

    actions: ClassVar = {"POST": "patient.verify"}

    @extend_schema(request=VerifyInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        row = verification.patient_verify(
            principal=principal_of(request), patient_id=patient_id, **parsed(VerifyInput, request)
        )
        return Response(verification_json(row), status=201)

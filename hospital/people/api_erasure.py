"""Doors of erasure: for the patient's app, for the desk with a paper in hand, and for the patient who comes back."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.access.proofs import recently_proven
from hospital.common.api import Door, page_of, parsed
from hospital.common.reads import Shown
from hospital.keeping.representations import request_json
from hospital.keeping.selectors import requests_of_account

from . import erasure
from .representations import patient_full


class OwnInput(serializers.Serializer[Any]):
    patient_id = serializers.UUIDField()


class ErasurePaperInput(serializers.Serializer[Any]):
    paper = serializers.CharField(max_length=120)


class ReopenInput(ErasurePaperInput):
    document_number = serializers.CharField(max_length=40)


class MyErasureDoor(Door):
    """What the law lets go goes now, the rest is only stored; the answer says what, until when and why."""

    actions: ClassVar = {"GET": "me.erasure", "POST": "me.erasure"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return page_of(
            requests_of_account(principal_of(request)),
            request,
            request_json,
            shown=lambda rows: self.shown(
                Shown(kind="erasure_requests", patient_ids=tuple(row.patient_id for row in rows), why="own")
            ),
        )

    @extend_schema(request=OwnInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        data = parsed(OwnInput, request)
        row = erasure.erasure_ask_own(principal=principal_of(request), **data)
        return Response(request_json(row), status=201)


class PatientErasureDoor(Door):
    """The desk says what a request would do, then enters the paper that the patient signed."""

    actions: ClassVar = {"GET": "erasure.ask", "POST": "erasure.ask"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient, answer = erasure.erasure_foreseen(principal=principal_of(request), patient_id=patient_id)
        self.shown(
            Shown(
                kind="erasure_foreseen",
                object_id=patient.id,
                patient_ids=(patient.id,),
                institution_id=patient.institution_id,
                why="erasure",
            )
        )
        return Response(answer)

    @extend_schema(request=ErasurePaperInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, patient_id: UUID) -> Response:
        data = parsed(ErasurePaperInput, request)
        recently_proven(principal=principal_of(request))  # what is erased is gone
        row = erasure.erasure_ask_on_paper(principal=principal_of(request), patient_id=patient_id, **data)
        return Response(request_json(row), status=201)


class ReopenDoor(Door):
    """A patient came back: the document and a signed paper make the record readable again."""

    actions: ClassVar = {"POST": "restriction.lift"}

    @extend_schema(request=ReopenInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        data = parsed(ReopenInput, request)
        patient = erasure.record_reopen(principal=principal_of(request), **data)
        return Response(patient_full(patient))

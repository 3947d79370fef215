"""Doors of how a patient wants to be told: at the desk, and in the patient's own app."""

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
from hospital.common.reads import Shown
from hospital.messages.kinds import KINDS, LANGUAGES, PHONE_CHANNELS

from . import selectors, wishes
from .shown import desk_shown


class WishesInput(serializers.Serializer[Any]):
    language = serializers.ChoiceField(choices=LANGUAGES)
    channel = serializers.ChoiceField(choices=PHONE_CHANNELS)
    refused = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), max_length=len(KINDS), allow_empty=True
    )


class PatientWishesDoor(Door):
    """A patient's language, SMS or call, and which messages they refuse."""

    actions: ClassVar = {"GET": "patient.messages", "PUT": "patient.messages"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(
            principal=principal_of(request), patient_id=patient_id, action="patient.messages"
        )
        self.shown(desk_shown(patient, kind="messages"))
        return Response(wishes.wishes_json(patient.id))

    @extend_schema(request=WishesInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, patient_id: UUID) -> Response:
        patient = wishes.wishes_set(
            principal=principal_of(request),
            action="patient.messages",
            patient_id=patient_id,
            **parsed(WishesInput, request),
        )
        self.shown(desk_shown(patient, kind="messages"))
        return Response(wishes.wishes_json(patient.id))


class MyWishesDoor(Door):
    """The same by the patient."""

    actions: ClassVar = {"GET": "me.messages", "PUT": "me.messages"}

    def _mine(self, patient_id: UUID) -> Response:
        self.shown(Shown(kind="messages", object_id=patient_id, patient_ids=(patient_id,), why="own"))
        return Response(wishes.wishes_json(patient_id))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(
            principal=principal_of(request), patient_id=patient_id, action="me.messages"
        )
        return self._mine(patient.id)

    @extend_schema(request=WishesInput, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, patient_id: UUID) -> Response:
        patient = wishes.wishes_set(
            principal=principal_of(request),
            action="me.messages",
            patient_id=patient_id,
            **parsed(WishesInput, request),
        )
        return self._mine(patient.id)

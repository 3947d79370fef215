"""Doors of who is who: the queue of possible doubles, its decisions, merges and their undoing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed
from hospital.common.errors import Invalid
from hospital.common.reads import Shown

from . import reviews
from .representations import merge_json, review_json, review_row

STATUSES = ("open", "same", "distinct")


class RegistrationPairInput(serializers.Serializer[Any]):
    first_id = serializers.UUIDField()
    second_id = serializers.UUIDField()


class DecisionInput(serializers.Serializer[Any]):
    verdict = serializers.CharField(max_length=10)
    note = serializers.CharField(max_length=500)
    survivor_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class UndoInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


def cases_shown(found: list[reviews.Case]) -> Shown:
    """A page or answer with these reviews: all registrations on it, of any hospital."""
    sides = [side.id for case in found for side in (case.left, case.right) if side is not None]
    return Shown(kind="duplicate_review", patient_ids=tuple(dict.fromkeys(sides)), why="desk")


class ReviewsDoor(Door):
    """Registrations that may be one person, masked; `q` searches them as the desk does, also by pinyin."""

    actions: ClassVar = {"GET": "duplicate.review", "POST": "duplicate.open"}

    @extend_schema(
        parameters=[OpenApiParameter("q", str), OpenApiParameter("status", str, enum=STATUSES)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        status = request.query_params.get("status", "open")
        if status not in STATUSES:
            raise Invalid("invalid", field="status")
        q = request.query_params.get("q", "")[:80]
        found = reviews.cases(principal_of(request), q=q, status=status)
        self.shown(cases_shown(found))
        return Response({"results": [review_row(case) for case in found], "next": None})

    @extend_schema(request=RegistrationPairInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        row = reviews.review_open(principal=principal_of(request), **parsed(RegistrationPairInput, request))
        return Response({"id": str(row.id), "reasons": row.reasons}, status=201)


class ReviewDoor(Door):
    """Both registrations side by side, those of the reader's hospital with their names."""

    actions: ClassVar = {"GET": "duplicate.review"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, review_id: UUID) -> Response:
        case = reviews.case_get(principal_of(request), review_id)
        self.shown(replace(cases_shown([case]), object_id=review_id))
        return Response(review_json(case))


class DecisionDoor(Door):
    """One person or two: with a fresh proof of identity, once."""

    actions: ClassVar = {"POST": "patient.merge"}

    @extend_schema(request=DecisionInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, review_id: UUID) -> Response:
        row = reviews.review_decide(
            principal=principal_of(request), review_id=review_id, **parsed(DecisionInput, request)
        )
        merge = merge_json(row.merge) if row.merge else None
        return Response({"id": str(row.id), "status": row.status, "merge": merge})


class UndoDoor(Door):
    actions: ClassVar = {"POST": "patient.merge"}

    @extend_schema(request=UndoInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, merge_id: UUID) -> Response:
        row = reviews.merge_undo(
            principal=principal_of(request), merge_id=merge_id, **parsed(UndoInput, request)
        )
        return Response(merge_json(row))

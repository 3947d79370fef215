from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, checked, page_of, parsed
from hospital.common.clock import now
from hospital.common.reads import Shown

from . import auditing

OUTCOMES = ("done", "read", "refused")
ADDRESS = r"^[a-z_.]+$"


class EntriesQuery(serializers.Serializer[Any]):
    actor = serializers.CharField(max_length=80, required=False)
    patient = serializers.CharField(max_length=40, required=False)
    object_id = serializers.UUIDField(required=False)
    action = serializers.RegexField(ADDRESS, max_length=60, required=False)
    outcome = serializers.ChoiceField(choices=OUTCOMES, required=False)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


class RangeInput(serializers.Serializer[Any]):
    start = serializers.DateTimeField(required=False, default=None, allow_null=True)
    end = serializers.DateTimeField(required=False, default=None, allow_null=True)


class AuditEntriesDoor(Door):
    """The log of the caller's institutions, searched; `start` and `end` are moments, the end not included."""

    actions: ClassVar = {"GET": "audit.read"}

    @extend_schema(parameters=[EntriesQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        asked = {name: value for name, value in request.query_params.items() if value and name != "page"}
        found = auditing.entries(principal_of(request), **checked(EntriesQuery, asked))
        self.shown(Shown(kind="audit", details={"asked": asked}))
        names: dict[UUID, str] = {}
        return page_of(
            found,
            request,
            lambda row: auditing.entry_json(row, names),
            shown=lambda rows: names.update(auditing.named(rows)),
        )


class AuditEntryDoor(Door):
    actions: ClassVar = {"GET": "audit.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, audit_id: UUID) -> Response:
        row, seal = auditing.entry(principal_of(request), audit_id)
        self.shown(Shown(kind="audit", object_id=row.id))
        return Response(auditing.whole_json(row, seal))


class AuditStateDoor(Door):
    """Head, unsealed tail, checkpoints: how far the log is sealed and signed."""

    actions: ClassVar = {"GET": "audit.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.shown(Shown(kind="audit"))
        return Response(auditing.state(principal_of(request)))


class AuditVerifyDoor(Door):
    actions: ClassVar = {"POST": "audit.verify"}

    @extend_schema(request=RangeInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        return Response(auditing.verify(principal=principal_of(request), **parsed(RangeInput, request)))


class AuditExportDoor(Door):
    """A signed part of the log as a file that checks itself; needs a fresh proof of identity."""

    actions: ClassVar = {"POST": "audit.export"}

    @extend_schema(request=RangeInput, responses={(200, "application/jsonl"): OpenApiTypes.BINARY})
    def post(self, request: Request) -> HttpResponse:
        data = auditing.export(principal=principal_of(request), **parsed(RangeInput, request))
        answer = HttpResponse(data, content_type="application/jsonl")
        answer["Content-Disposition"] = f'attachment; filename="audit-{now():%Y%m%dT%H%M%SZ}.jsonl"'
        return answer

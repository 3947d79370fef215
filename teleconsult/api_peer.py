"""REST doors for other institutions' systems: signed reports and their pictures, by consent and agreement."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import PeerAuthentication, principal_of
from hospital.common.api import Door, parsed
from hospital.common.errors import Invalid
from hospital.common.reads import Shown, read_recorded

from . import peer_reading, reporting
from .api_reports import FORMS, picture_response
from .report_views import report_for_peer


class PatientNamed(serializers.Serializer[Any]):
    document_number = serializers.CharField(max_length=40)


def _shown(exam: Any, kind: str, object_id: UUID) -> Shown:
    return Shown(
        kind=kind,
        object_id=object_id,
        patient_ids=(exam.patient_id,),
        institution_id=exam.requesting_institution_id,
        why="transfer",
        details={"exam_id": str(exam.id)},
    )


class PeerReportsDoor(Door):
    """A POST, because a document number does not belong into addresses and their logs. It is a read, recorded as
    such before the answer leaves."""

    authentication_classes = (PeerAuthentication,)
    actions: ClassVar = {"POST": "peer.read"}

    @extend_schema(request=PatientNamed, responses={200: OpenApiTypes.OBJECT, 403: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(PatientNamed, request)
        principal = principal_of(request)
        patient, found = peer_reading.reports_of(principal=principal, **given)
        shown = Shown(
            kind="reports",
            object_id=patient.id,
            patient_ids=(patient.id,),
            institution_id=patient.institution_id,
            why="transfer",
            details={"shown": [str(report.id) for _, report in found]},
        )
        read_recorded(principal, "peer.read", shown)
        results = [
            {
                "id": str(report.id),
                "exam_type": exam.exam_type.name_zh,
                "starts_at": exam.starts_at.isoformat(),
                "signed_at": report.signed_at.isoformat() if report.signed_at else None,
                "requesting_institution": exam.requesting_institution.name,
                "performing_institution": exam.performing_institution.name,
            }
            for exam, report in found
        ]
        return Response({"results": results, "next": None})


class PeerReportDoor(Door):
    authentication_classes = (PeerAuthentication,)
    actions: ClassVar = {"GET": "peer.read"}

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 403: OpenApiTypes.OBJECT})
    def get(self, request: Request, report_id: UUID) -> Response:
        exam, report = peer_reading.report_of(principal=principal_of(request), report_id=report_id)
        self.shown(_shown(exam, "report", report.id))
        return Response(report_for_peer(exam, report))


class PeerImageDoor(Door):
    authentication_classes = (PeerAuthentication,)
    actions: ClassVar = {"GET": "peer.read"}

    @extend_schema(parameters=[OpenApiParameter("as", str, enum=FORMS)], responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, image_id: UUID) -> HttpResponse:
        form = request.query_params.get("as", "dicom")
        if form not in FORMS:
            raise Invalid("invalid", field="as")
        exam, image = peer_reading.image_of(principal=principal_of(request), image_id=image_id)
        self.shown(_shown(exam, "image", image.id))
        data, media_type = reporting.image_bytes(image, form)
        return picture_response(data, media_type, f"{image.id}.{'dcm' if form == 'dicom' else form}")

"""REST doors of reports, pictures and measurements, for physicians and for the patient's app."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, page_of, parsed
from hospital.common.errors import Invalid, NotFound
from hospital.records import selectors as records

from . import inputs, reporting, selectors
from .report_views import (
    earlier_json,
    frozen_json,
    image_json,
    measurement_json,
    report_for_patient,
    report_json,
)
from .representations import exam_for_patient
from .shown import exam_shown, exams_shown, image_shown, reports_shown

FORMS = ("png", "mp4", "dicom")
PICTURES = ("image/png", "video/mp4", "application/dicom")


def picture_response(data: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


class ExamReportDoor(Door):
    actions: ClassVar = {"GET": "report.read", "PUT": "report.write"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam = reporting.exam_to_read(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam, kind="report"))
        return Response(report_json(exam, records.report_current(exam.id)))

    @extend_schema(request=inputs.ReportText, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, exam_id: UUID) -> Response:
        report = reporting.report_save(
            principal=principal_of(request), exam_id=exam_id, **parsed(inputs.ReportText, request)
        )
        return Response(report_json(selectors.exam_get(principal_of(request), exam_id), report))


class ReportDoor(Door):
    actions: ClassVar = {"GET": "report.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, report_id: UUID) -> Response:
        report, exam = reporting.report_to_read(principal_of(request), report_id)
        self.shown(exam_shown(principal_of(request), exam, kind="report", object_id=report.id))
        return Response(report_json(exam, report))


class SignDoor(Door):
    actions: ClassVar = {"POST": "report.sign"}

    @extend_schema(request=inputs.Nothing, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, report_id: UUID) -> Response:
        report = reporting.report_sign(principal=principal_of(request), report_id=report_id)
        return Response(report_json(selectors.exam_get(principal_of(request), report.exam_id), report))


class AmendDoor(Door):
    actions: ClassVar = {"POST": "report.write"}

    @extend_schema(request=inputs.Reason, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, report_id: UUID) -> Response:
        report = reporting.report_amend(
            principal=principal_of(request), report_id=report_id, **parsed(inputs.Reason, request)
        )
        return Response(
            report_json(selectors.exam_get(principal_of(request), report.exam_id), report), status=201
        )


class ExamImagesDoor(Door):
    actions: ClassVar = {"GET": "image.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam = reporting.exam_to_read(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam, kind="images"))
        return Response(
            {"results": [image_json(image) for image in records.images_of(exam.id)], "next": None}
        )


class ImageDoor(Door):
    actions: ClassVar = {"GET": "image.read"}

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=FORMS)],
        responses={(200, kind): OpenApiTypes.BINARY for kind in PICTURES},
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponse:
        form = request.query_params.get("as", "png")
        if form not in FORMS:
            raise Invalid("invalid", field="as")
        image = reporting.image_to_read(principal_of(request), image_id)
        self.shown(image_shown(principal_of(request), image))
        data, media_type = reporting.image_bytes(image, form)
        return picture_response(data, media_type, f"{image.id}.{'dcm' if form == 'dicom' else form}")


class ImageRemoveDoor(Door):
    actions: ClassVar = {"POST": "image.remove"}

    @extend_schema(request=inputs.Reason, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, image_id: UUID) -> Response:
        image = reporting.image_remove(
            principal=principal_of(request), image_id=image_id, **parsed(inputs.Reason, request)
        )
        return Response(image_json(image))


class FrozenDoor(Door):
    """The lossless frame of a freeze: the only picture calipers work on."""

    actions: ClassVar = {"GET": "image.read"}

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, exam_id: UUID, frame_id: int) -> HttpResponse:
        exam = reporting.exam_to_read(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam, kind="frozen"))
        data = reporting.frozen_bytes(principal_of(request), exam_id, frame_id)
        return picture_response(data, "image/png", f"{frame_id}.png")


class FrozenNowDoor(Door):
    """What a console that was reloaded needs: the frame on which the robot is frozen now, and all measurements."""

    actions: ClassVar = {"GET": "image.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam, frame = reporting.frozen_now(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam, kind="frozen"))
        measured = [measurement_json(row) for row in records.measurements_of(exam.id)]
        return Response({"frame": frozen_json(frame) if frame else None, "measurements": measured})


class MeasurementsDoor(Door):
    actions: ClassVar = {"POST": "measurement.write"}

    @extend_schema(request=inputs.Measure, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, exam_id: UUID) -> Response:
        fields: dict[str, Any] = parsed(inputs.Measure, request)
        row = reporting.measurement_add(principal=principal_of(request), exam_id=exam_id, **fields)
        return Response(measurement_json(row), status=201)


class MeasurementDoor(Door):
    actions: ClassVar = {"DELETE": "measurement.write"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, measurement_id: UUID) -> Response:
        reporting.measurement_remove(principal=principal_of(request), measurement_id=measurement_id)
        return Response(status=204)


class EarlierReportsDoor(Door):
    """Signed reports of the patient's other exams, for who examines now."""

    actions: ClassVar = {"GET": "report.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam, found = reporting.earlier_reports(principal_of(request), exam_id)
        self.shown(reports_shown(principal_of(request), exam, [report.id for _, report in found]))
        return Response({"results": [earlier_json(other, report) for other, report in found], "next": None})


class MissingViewsDoor(Door):
    """Why standard views have no picture."""

    actions: ClassVar = {"GET": "report.read", "PUT": "view.write"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam = reporting.exam_to_read(principal_of(request), exam_id)
        self.shown(exam_shown(principal_of(request), exam, kind="report"))
        return Response({"missing_views": reporting.missing_views(exam)})

    @extend_schema(request=inputs.MissingViews, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, exam_id: UUID) -> Response:
        exam = reporting.views_missing(
            principal=principal_of(request), exam_id=exam_id, **parsed(inputs.MissingViews, request)
        )
        return Response({"missing_views": reporting.missing_views(exam)})


class MyExamsDoor(Door):
    actions: ClassVar = {"GET": "me.exams"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        found = selectors.exams_of_account(principal)
        return page_of(
            found,
            request,
            exam_for_patient,
            shown=lambda exams: self.shown(exams_shown(principal, exams)),
        )


class MyReportDoor(Door):
    actions: ClassVar = {"GET": "me.exams"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_id: UUID) -> Response:
        exam = selectors.exam_get(principal_of(request), exam_id, "me.exams")
        report = records.report_signed(exam.id)
        if report is None:
            raise NotFound()
        self.shown(exam_shown(principal_of(request), exam, kind="report", object_id=report.id))
        return Response(report_for_patient(exam, report))

"""Reports and pictures of an exam: who may, and what a signed report contains besides its text."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from devices.fleet import selectors as fleet
from hospital.access.keys import Deed
from hospital.access.principals import Principal
from hospital.access.services import proof_consume
from hospital.audit.services import audit_record
from hospital.common.clock import day_of
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.interop.dicom import to_mp4, to_png
from hospital.records import selectors as records
from hospital.records import services as records_services
from hospital.records.models import FrozenFrame, Image, Measurement, Report

from . import selectors, services, views_list
from .models import Exam
from .representations import age_on
from .states import State

WRITABLE = frozenset({State.ENDED, State.REPORTED})
MIME = {"png": "image/png", "mp4": "video/mp4", "dicom": "application/dicom"}


def exam_to_read(principal: Principal, exam_id: UUID) -> Exam:
    """Clinical content is for the two physicians and for who broke the glass; the desk sees the booking only."""
    return selectors.exam_get(principal, exam_id, "report.read")


def exam_to_write(principal: Principal, exam_id: UUID) -> Exam:
    """LAW-17: the one who examined writes and signs."""
    exam = exam_to_read(principal, exam_id)
    if not selectors.reaches(principal, "report.write", exam.id):
        raise Forbidden("not_permitted")
    if State(exam.state) not in WRITABLE:
        raise Conflict("report_not_possible", state=exam.state)
    return exam


def earlier_reports(principal: Principal, exam_id: UUID) -> tuple[Exam, list[tuple[Exam, Report]]]:
    """The exam, and the signed reports in force of the same patient's other exams: who examines must not scan blind.

    Whoever may read this exam clinically may read them, as long as that holds, and through this exam alone.
    """
    exam = exam_to_read(principal, exam_id)
    found = [(other, records.report_signed(other.id)) for other in selectors.earlier_exams(exam)]
    return exam, [(other, report) for other, report in found if report is not None]


def report_to_read(principal: Principal, report_id: UUID) -> tuple[Report, Exam]:
    report = records.report_get(report_id)
    return report, exam_to_read(principal, report.exam_id)


def _noted(
    principal: Principal, action: str, kind: str, object_id: UUID, exam: Exam, reason: str = ""
) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind=kind,
        object_id=object_id,
        institution_id=exam.performing_institution_id,
        reason=reason,
        patient_ids=(exam.patient_id,),
    )


@transaction.atomic
def report_save(
    *, principal: Principal, exam_id: UUID, findings: str, impression: str, revision: int
) -> Report:
    """Autosave of the draft; the first save opens it. Conflict `stale_revision` when another page saved later."""
    exam = exam_to_write(principal, exam_id)
    report = records_services.report_open(exam_id=exam.id, principal=principal)
    saved = records_services.report_save(
        report_id=report.id, findings=findings, impression=impression, revision=revision, principal=principal
    )
    _noted(principal, "report.save", "report", report.id, exam)
    return saved


def pictured(exam: Exam) -> set[str]:
    """Views with a picture that nobody removed."""
    return {image.view for image in records.images_of(exam.id) if image.removed_at is None}


def missing_views(exam: Exam) -> list[dict[str, str]]:
    """Views without a picture, each with its reason; those without a reason are not among them."""
    reasons = {
        row.view: {"reason": row.reason, "text": row.text} for row in records.missing_views_of(exam.id)
    }
    return views_list.missing(exam.exam_type.views, pictured=pictured(exam), reasons=reasons)


def _views_accounted(exam: Exam) -> None:
    """A reader must be able to tell what was looked at from what was left out: Invalid `views_unaccounted`."""
    reasons = [row.view for row in records.missing_views_of(exam.id)]
    left = views_list.unaccounted(exam.exam_type.views, pictured=pictured(exam), reasons=reasons)
    if left:
        raise Invalid("views_unaccounted", views=left)


@transaction.atomic
def views_missing(*, principal: Principal, exam_id: UUID, views: list[str], reason: str, text: str) -> Exam:
    """The one who examines says why views are missing, during the scan or while the report is written."""
    exam = exam_to_write_pictures(principal, exam_id)
    if exam.started_at is None:
        raise Conflict("illegal_transition", state=exam.state, command="missing_view")
    if not set(views) <= set(views_list.codes(exam.exam_type.views)):
        raise Invalid("invalid", field="views")
    records_services.views_missing(
        exam_id=exam.id, views=views, reason=reason, text=text, principal=principal
    )
    _noted(principal, "exam.missing_views", "exam", exam.id, exam, reason)
    return exam


def signed_content(exam: Exam) -> dict[str, Any]:
    """Who, where, when and what for, as they stand at the signature; part of the signed bytes."""
    patient = exam.patient
    return {
        "exam": {
            "id": str(exam.id),
            "accession": exam.accession,
            "study_uid": exam.study_uid,
            "type_zh": exam.exam_type.name_zh,
            "type_en": exam.exam_type.name_en,
            "started_at": exam.started_at.isoformat() if exam.started_at else None,
            "ended_at": exam.ended_at.isoformat() if exam.ended_at else None,
            "clinical_question": exam.clinical_question,
        },
        "patient": {
            "mpi": patient.mpi,
            "name": patient.name,
            "sex": patient.sex,
            "birth_date": patient.birth_date.isoformat(),
            "age": age_on(patient.birth_date, day_of(exam.starts_at)),
            "document_tail": patient.document_number[-4:],
        },
        "requesting_institution": exam.requesting_institution.name,
        "performing_institution": exam.performing_institution.name,
        "remote_physician": exam.remote_physician.name,
        "bedside_physician": exam.bedside_physician.name,
        "missing_views": missing_views(exam),
    }


@transaction.atomic
def report_sign(*, principal: Principal, report_id: UUID) -> Report:
    """Sign the draft with a fresh proof of identity, used up by this one signature.

    A proof that was given for this report is good for the text as it then was: saved again, it needs a new one.
    """
    report = records.report_get(report_id)
    exam = exam_to_write(principal, report.exam_id)
    revision = records_services.report_revision(
        report_id=report_id
    )  # locked: views and pictures stay as they are
    _views_accounted(exam)
    deed = Deed(action="report.sign", object_id=report_id, version=str(revision))
    proof_consume(principal=principal, deed=deed)
    signed = records_services.report_sign(
        report_id=report.id, content_extra=signed_content(exam), principal=principal
    )
    services.exam_reported(principal=principal, exam_id=exam.id)
    _noted(principal, "report.sign", "report", report.id, exam)
    return signed


@transaction.atomic
def report_amend(*, principal: Principal, report_id: UUID, reason: str) -> Report:
    """A new draft version that names the signed one; the old one stays as it was signed."""
    report = records.report_get(report_id)
    exam = exam_to_write(principal, report.exam_id)
    amended = records_services.report_amend(report_id=report.id, reason=reason, principal=principal)
    _noted(principal, "report.amend", "report", amended.id, exam, reason)
    return amended


@transaction.atomic
def image_remove(*, principal: Principal, image_id: UUID, reason: str) -> Image:
    image = records.image_get(image_id)
    exam = exam_to_write_pictures(principal, image.exam_id)
    removed = records_services.image_remove(image_id=image.id, reason=reason, principal=principal)
    _noted(principal, "image.remove", "image", image.id, exam, reason)
    return removed


def exam_to_write_pictures(principal: Principal, exam_id: UUID) -> Exam:
    """Measuring and sorting out pictures begins during the scan."""
    exam = exam_to_read(principal, exam_id)
    if not selectors.reaches(principal, "measurement.write", exam.id):
        raise Forbidden("not_permitted")
    return exam


@transaction.atomic
def measurement_add(
    *,
    principal: Principal,
    exam_id: UUID,
    frame_id: int,
    kind: str,
    points: list[list[float]],
    label: str,
    frame_ids: list[int] | None = None,
) -> Measurement:
    exam = exam_to_write_pictures(principal, exam_id)
    frames = frame_ids or ([frame_id] * 3 if kind == "volume" else [frame_id])
    row = records_services.measurement_add(
        exam_id=exam.id, frame_ids=frames, kind=kind, points=points, label=label, principal=principal
    )
    _noted(principal, "measurement.add", "measurement", row.id, exam)
    return row


@transaction.atomic
def measurement_remove(*, principal: Principal, measurement_id: UUID) -> None:
    measurement = records.measurement_get(measurement_id)
    exam = exam_to_write_pictures(principal, measurement.exam_id)
    records_services.measurement_remove(measurement_id=measurement_id, principal=principal)
    _noted(principal, "measurement.remove", "measurement", measurement.id, exam)


def image_to_read(principal: Principal, image_id: UUID) -> Image:
    """Staff: the exam's two physicians. Patients: the pictures that the signed report in force covers."""
    image = records.image_get(image_id)
    exam = selectors.exam_get(principal, image.exam_id, "image.read")
    if principal.kind == "patient":
        report = records.report_signed(exam.id)
        if report is None or image.id not in {covered.id for covered in records.images_in(report)}:
            raise NotFound()
    return image


def image_bytes(image: Image, form: str) -> tuple[bytes, str]:
    """The picture as png, mp4 or dicom, with its media type. A still has no film: NotFound."""
    data = records.image_data(image)
    if form == "dicom":
        return data, MIME["dicom"]
    if form == "mp4":
        if image.kind != "loop":
            raise NotFound()
        return to_mp4(data), MIME["mp4"]
    return to_png(data), MIME["png"]


def frozen_now(principal: Principal, exam_id: UUID) -> tuple[Exam, FrozenFrame | None]:
    """The exam and the stored frame of the freeze that lasts; None when the robot runs, or the frame is on its way."""
    exam = exam_to_read(principal, exam_id)
    frame_id = fleet.frozen_frame_id(exam.id)
    return exam, records.frozen_find(exam_id=exam.id, frame_id=frame_id) if frame_id is not None else None


def frozen_bytes(principal: Principal, exam_id: UUID, frame_id: int) -> bytes:
    exam = exam_to_read(principal, exam_id)
    return records.frozen_data(exam_id=exam.id, frame_id=frame_id)

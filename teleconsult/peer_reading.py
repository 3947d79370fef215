"""What another institution's system may read: signed reports and their pictures, of a patient whose active consent to
transfer names exactly that institution, while an agreement between the two is effective (PIPL 23, LAW-20).

Everything else is refused with one code: unknown patients, withdrawn consents and ended agreements answer alike.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.errors import DomainError, Forbidden
from hospital.people.models import Patient
from hospital.people.selectors import patients_with_document
from hospital.records import selectors as records
from hospital.records.models import Image, Report

from . import selectors
from .models import Exam

ACTION = "peer.read"
Found = list[tuple[Exam, Report]]


def _refuse(principal: Principal, patient_id: UUID | None, keeper_id: UUID | None) -> Forbidden:
    """The refusal, on record: the log knows the patient, the answer does not."""
    audit_record(
        principal=principal,
        action=ACTION,
        object_kind="patient",
        object_id=patient_id,
        institution_id=keeper_id,
        outcome="refused",
        reason="transfer_refused",
    )
    return Forbidden("transfer_refused")


def _exams(principal: Principal, patient: Patient) -> QuerySet[Exam]:
    return selectors.exams(principal, ACTION).filter(patient=patient).order_by("-starts_at")


def reports_of(*, principal: Principal, document_number: str) -> tuple[Patient, Found]:
    """The patient with this document and their signed reports, newest first. Forbidden `transfer_refused`."""
    patient = patients_with_document(document_number).first()
    exams = list(_exams(principal, patient)) if patient is not None else []
    signed = [(exam, records.report_signed(exam.id)) for exam in exams]
    found = [(exam, report) for exam, report in signed if report is not None]
    if patient is None or not found:
        raise _refuse(principal, patient.id if patient else None, patient.institution_id if patient else None)
    return patient, found


def _reachable(principal: Principal, exam_id: UUID) -> Exam:
    exam = selectors.exams(principal, ACTION).filter(id=exam_id).first()
    if exam is None:
        hidden = Exam.objects.filter(id=exam_id).values_list("patient_id", "requesting_institution_id")
        patient_id, keeper_id = hidden.first() or (None, None)
        raise _refuse(principal, patient_id, keeper_id)
    return exam


def report_of(*, principal: Principal, report_id: UUID) -> tuple[Exam, Report]:
    """One signed report in force. Forbidden `transfer_refused` for drafts, superseded ones and what is not shared."""
    try:
        report = records.report_get(report_id)
    except DomainError:
        raise _refuse(principal, None, None) from None
    exam = _reachable(principal, report.exam_id)
    if report.status != "signed":
        raise _refuse(principal, exam.patient_id, exam.requesting_institution_id)
    return exam, report


def image_of(*, principal: Principal, image_id: UUID) -> tuple[Exam, Image]:
    """One picture that the signed report in force covers. Forbidden `transfer_refused` for any other."""
    try:
        image = records.image_get(image_id)
    except DomainError:
        raise _refuse(principal, None, None) from None
    exam = _reachable(principal, image.exam_id)
    report = records.report_signed(exam.id)
    if report is None or image.id not in {covered.id for covered in records.images_in(report)}:
        raise _refuse(principal, exam.patient_id, exam.requesting_institution_id)
    return exam, image

"""What an answer about exams shows, for the log of reads: which exam, whose, and in which part the reader saw it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from hospital.access.principals import Principal
from hospital.common.reads import Shown
from hospital.records.models import Image

from .models import Exam
from .representations import parts_of

OWN = "own"  # a patient's account reads of the patients it speaks for
NO_PART = "break_glass"  # the only other way in: an emergency access with a reason on record


def _why(principal: Principal, exam: Exam) -> str:
    if principal.kind == "patient":
        return OWN
    return " ".join(sorted(parts_of(principal, exam))) or NO_PART


def exam_shown(
    principal: Principal,
    exam: Exam,
    *,
    kind: str = "exam",
    object_id: UUID | None = None,
    urgent: bool = False,
) -> Shown:
    """One exam, or something of it (report, image) named by `kind` and `object_id`."""
    return Shown(
        kind=kind,
        object_id=object_id or exam.id,
        patient_ids=(exam.patient_id,),
        institution_id=exam.requesting_institution_id,
        why=_why(principal, exam),
        details={} if kind == "exam" else {"exam_id": str(exam.id)},
        urgent=urgent,
    )


def exams_shown(principal: Principal, exams: Iterable[Exam]) -> Shown:
    """A list: one row of the log, with all its exams and patients."""
    rows = list(exams)
    return Shown(
        kind="exams",
        patient_ids=tuple(dict.fromkeys(exam.patient_id for exam in rows)),
        institution_id=rows[0].requesting_institution_id if rows else None,
        why=" ".join(sorted({_why(principal, exam) for exam in rows})),
        details={"shown": [str(exam.id) for exam in rows]},
    )


def reports_shown(principal: Principal, exam: Exam, reports: Iterable[UUID]) -> Shown:
    """Reports of the patient's other exams, read beside this one."""
    return Shown(
        kind="reports",
        object_id=exam.id,
        patient_ids=(exam.patient_id,),
        institution_id=exam.requesting_institution_id,
        why=_why(principal, exam),
        details={"shown": [str(report_id) for report_id in reports]},
    )


def image_shown(principal: Principal, image: Image) -> Shown:
    """One picture, as a file."""
    return Shown(
        kind="image",
        object_id=image.id,
        patient_ids=(image.patient_id,),
        why=OWN if principal.kind == "patient" else "exam",
        details={"exam_id": str(image.exam_id)},
    )

"""The modality worklist item that the robot's box gets at *ready* and deletes after its uploads."""

from __future__ import annotations

from typing import Any

from hospital.common.clock import now
from hospital.people.surnames import name_pinyin

from .models import Exam

ISSUER = "YDIH"
# GB/T 2261.1 -> DICOM (0010,0040); unknown stays empty (standards CLN-02)
SEX = {"1": "M", "2": "F"}


def view_row(view: dict[str, Any]) -> dict[str, Any]:
    """{code, name_zh, side}: what a picture of this view is called, and the side of the body it shows.

    ``side`` is left, right, or "" for a part of the body that is not paired; without the key nobody said it.
    """
    row = {"code": str(view.get("code", "")), "name_zh": str(view.get("name_zh") or view.get("code", ""))}
    return row | {"side": view["side"]} if view.get("side") in ("left", "right", "") else row


def worklist_item(exam: Exam) -> dict[str, Any]:
    patient = exam.patient
    return {
        "exam_id": str(exam.id),
        "patient_name": patient.name,
        "patient_name_pinyin": name_pinyin(patient.name),
        "patient_id": patient.mpi,
        "issuer": ISSUER,
        "birth_date": patient.birth_date.isoformat(),
        "sex": SEX.get(patient.sex, ""),
        "study_uid": exam.study_uid,
        "accession": exam.accession,
        "exam_type": exam.exam_type.name_en,
        "institution": exam.requesting_institution.name,
        "physician": exam.remote_physician.name,
        "study_started_at": (exam.checked_in_at or now()).isoformat(),
        "views": [view_row(view) for view in exam.exam_type.views if isinstance(view, dict)],
    }

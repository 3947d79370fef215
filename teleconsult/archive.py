"""What exams put into a patient's archive: bookings, signed reports, their measurements and pictures."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from hospital.people.archive import Content, File, Table
from hospital.people.archive_parts import when
from hospital.records import selectors as records
from hospital.records.models import Image, Report

from . import reporting, selectors
from .models import Exam, ExamRequest
from .report_views import report_for_patient
from .representations import exam_for_patient

STATES = {
    "booked": "已预约 booked", "checked_in": "已签到 checked in", "ready": "准备就绪 ready", "live": "检查中 live",
    "paused": "已暂停 paused", "ended": "检查结束 ended", "reported": "已出报告 reported",
    "cancelled": "已取消 cancelled", "no_show": "未到 no show", "aborted": "已中止 aborted",
}  # fmt: skip


def exams_part(patient_ids: Sequence[UUID]) -> Content:
    """Exams of one person under all their ids, oldest first; clinical texts as signed, every version."""
    exams = list(selectors.exams_of_people(patient_ids))
    rows = ExamRequest.objects.filter(patient_id__in=patient_ids).select_related("exam_type", "institution")
    requests = list(rows.order_by("asked_at", "id"))
    reports = [(exam, report) for exam in exams for report in _signed(exam)]
    data = {
        "exams": [exam_for_patient(exam) | {"clinical_question": exam.clinical_question} for exam in exams],
        "reports": [
            report_for_patient(exam, report) | {"signed_content": report.content} for exam, report in reports
        ],
        "exam_requests": [
            {"asked_at": row.asked_at.isoformat(), "exam_type": row.exam_type_id, "state": row.state,
             "priority": row.priority, "clinical_question": row.clinical_question, "history": row.history}
            for row in requests
        ],
    }  # fmt: skip
    files = [file for exam in exams for file in _pictures(exam)]
    return Content(
        tables=[_exams(exams), *_requests(requests), *[_report(*pair) for pair in reports]],
        data=data,
        files=files,
    )


def _signed(exam: Exam) -> list[Report]:
    return [report for report in records.report_versions(exam.id) if report.signed_at is not None]


def _exams(exams: list[Exam]) -> Table:
    return Table(
        title=("检查", "Exams"),
        columns=[
            ("时间", "Time"), ("检查号", "Accession"), ("项目", "Exam"), ("状态", "State"), ("检查目的", "Question"),
            ("申请医院", "Requested by"), ("诊断医院", "Diagnosed by"), ("医师", "Physicians"),
        ],
        rows=[
            [
                when(exam.starts_at), exam.accession, f"{exam.exam_type.name_zh} {exam.exam_type.name_en}",
                STATES[exam.state], exam.clinical_question, exam.requesting_institution.name,
                exam.performing_institution.name,
                f"{exam.remote_physician.name}、{exam.bedside_physician.name}",
            ]
            for exam in exams
        ],
    )  # fmt: skip


REQUEST_STATES = {
    "asked": "已申请 asked", "waiting": "候补中 waiting", "booked": "已预约 booked", "declined": "未受理 declined",
    "withdrawn": "已撤回 withdrawn",
}  # fmt: skip


def _requests(rows: list[ExamRequest]) -> list[Table]:
    if not rows:
        return []
    cells = [
        [when(row.asked_at), f"{row.exam_type.name_zh} {row.exam_type.name_en}", REQUEST_STATES[row.state],
         row.clinical_question, row.institution.name]
        for row in rows
    ]  # fmt: skip
    columns = [
        ("时间", "Time"),
        ("项目", "Exam"),
        ("状态", "State"),
        ("检查目的", "Question"),
        ("医院", "Hospital"),
    ]
    return [Table(title=("检查申请", "Requests for exams"), columns=columns, rows=cells)]


def _report(exam: Exam, report: Report) -> Table:
    said = report_for_patient(exam, report)
    state = "有效 in force" if report.status == "signed" else "已被修订取代 superseded"
    signed = f"{said['signed_by']} · {when(said['signed_at'])}"
    measured = "\n".join(_measurement(row) for row in said["measurements"]) or "无 none"
    return Table(
        title=(f"报告 {exam.accession} 第 {report.version} 版", f"Report, version {report.version}"),
        columns=[("项目", "Item"), ("内容", "Content")],
        rows=[
            ["检查所见 findings", said["findings"]], ["超声提示 impression", said["impression"]],
            ["测量 measurements", measured], ["签名 signed", signed], ["状态 status", state],
        ],
        notes=[f"SHA-256 {said['content_sha256']}"],
    )  # fmt: skip


def _measurement(row: dict[str, Any]) -> str:
    values = ", ".join(f"{name} {value:.1f}" for name, value in row["values"].items())
    return f"{row['label'] or row['kind']}: {values}"


def _pictures(exam: Exam) -> Iterator[File]:
    """Each picture of a signed report once, as PNG for eyes and as DICOM for other hospitals."""
    seen: set[UUID] = set()
    for report in _signed(exam):
        for image in records.images_in(report):
            if image.id not in seen:
                seen.add(image.id)
                yield from _both_forms(exam, image)


def _both_forms(exam: Exam, image: Image) -> list[File]:
    name = f"pictures/{exam.accession}/{image.id}"
    title = f"{exam.accession} · {image.view or image.kind} · {when(image.taken_at)}"
    make = functools.partial(_bytes, image)
    return [
        File(name=f"{name}.png", data=functools.partial(make, "png"), title=title, picture=True),
        File(name=f"{name}.dcm", data=functools.partial(make, "dicom"), title=title),
    ]


def _bytes(image: Image, form: str) -> bytes:
    return reporting.image_bytes(image, form)[0]

"""What the tests of the record store, measure and sign."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

from hospital.access.principals import Principal
from hospital.records import services
from hospital.records.models import FrozenFrame, Image, Measurement, Report

FRAME: dict[str, Any] = {
    "frame_id": 77,
    "width": 640,
    "height": 480,
    "mm_per_px_x": 0.4,
    "mm_per_px_y": 0.2,
    "region": [10, 10, 600, 400],
}
STILL = FRAME | {"kind": "still", "sop_uid": "2.25.7", "frames": 1, "view": "liver"}
EXTRA = {"requesting_institution": "朱家角人民医院", "performing_institution": "中山医院"}


def png(width: int = 640, height: int = 480) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"rest"


def freeze(exam_id: UUID, **changes: Any) -> FrozenFrame:
    meta = FRAME | changes
    return services.frozen_store(exam_id=exam_id, meta=meta, data=png(meta["width"], meta["height"]))


def store(exam_id: UUID, patient_id: UUID, *, data: bytes = b"dicom", **changes: Any) -> tuple[Image, bool]:
    return services.image_store(exam_id=exam_id, patient_id=patient_id, meta=STILL | changes, data=data)


def measure(exam_id: UUID, doctor: Principal, points: Any, **changes: Any) -> Measurement:
    given = {
        "exam_id": exam_id,
        "frame_ids": [77],
        "kind": "distance",
        "points": points,
        "label": "胆囊",
        "principal": doctor,
    } | changes
    return services.measurement_add(**given)


def draft(
    exam_id: UUID, doctor: Principal, *, findings: str = "肝脏正常。", impression: str = "未见异常。"
) -> Report:
    report = services.report_open(exam_id=exam_id, principal=doctor)
    return services.report_save(
        report_id=report.id,
        findings=findings,
        impression=impression,
        revision=report.revision,
        principal=doctor,
    )


def sign(report: Report, doctor: Principal) -> Report:
    return services.report_sign(report_id=report.id, content_extra=EXTRA, principal=doctor)

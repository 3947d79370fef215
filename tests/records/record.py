"""What the tests of the record store, measure and sign, who writes it and whose it is."""

from __future__ import annotations

import struct
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from hospital.access.models import Institution, User
from hospital.access.principals import SYSTEM, Principal
from hospital.common.ids import uuid7
from hospital.people import services as people
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


@pytest.fixture
def doctor() -> Principal:
    user = User.objects.create(username="wang", name="王思远", totp_secret="x")
    return Principal(kind="staff", id=user.id, name=user.name, memberships=(), token_id=None)


@pytest.fixture
def patient_id() -> UUID:
    place = Institution.objects.create(
        name="朱", name_en="Z", short_name="朱", region_code="310118", uscc="U1"
    )
    patient, _ = people.patient_register(
        principal=SYSTEM,
        institution_id=place.id,
        name="王小东",
        document_type="01",
        document_number="320584194802290036",
        birth_date=date(1948, 2, 29),
        sex="1",
        phone="13900000003",
    )
    return patient.id


@pytest.fixture
def exam_id() -> UUID:
    return uuid7()


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

"""Records as old as a test needs them: time is moved by dating rows back, so PostgreSQL's own clock stays right."""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import Any

from hospital.access.models import AccessToken, Institution, Membership, User
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_token_id
from hospital.common.clock import now
from hospital.people.models import Patient
from hospital.records import services as records
from teleconsult import reporting
from teleconsult.models import Exam, LinkQuality, Presence
from tests.factories import World

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"rest"
META: dict[str, Any] = {
    "frame_id": 77, "width": 640, "height": 480, "mm_per_px_x": 0.4, "mm_per_px_y": 0.4,
    "region": [0, 0, 640, 480],
}  # fmt: skip


def reported(world: World) -> Exam:
    """An exam with a picture, a frozen frame, a measurement and two versions of a signed report."""
    exam = world.ended()
    still = META | {"kind": "still", "sop_uid": f"2.25.{exam.id.int}", "frames": 1, "view": "liver"}
    records.image_store(
        exam_id=exam.id, patient_id=exam.patient_id, meta=still, data=b"dicom " + exam.id.bytes
    )
    records.frozen_store(exam_id=exam.id, meta=META, data=PNG + exam.id.bytes)
    expert = world.principals["expert"]
    reporting.measurement_add(
        principal=expert,
        exam_id=exam.id,
        frame_id=77,
        kind="distance",
        points=[[1.0, 1.0], [9.0, 9.0]],
        label="",
    )
    text = {"findings": "肝脏大小正常", "impression": "未见异常"}
    report = reporting.report_save(principal=expert, exam_id=exam.id, revision=0, **text)
    for _ in range(2):
        AccessToken.objects.filter(user=world.users["expert"]).update(stepped_up_at=now())
        reporting.report_sign(principal=expert, report_id=report.id)
        if report.version == 1:
            report = reporting.report_amend(principal=expert, report_id=report.id, reason="补充")
    exam.refresh_from_db()
    return exam


def aged(exam: Exam, days: float) -> Exam:
    """The exam, its traces and its patient's registration, that many days earlier."""
    back = timedelta(days=days)
    moments = {
        name: getattr(exam, name) - back
        for name in ("starts_at", "ends_at", "checked_in_at", "started_at", "ended_at")
        if getattr(exam, name)
    }
    Exam.objects.filter(id=exam.id).update(**moments)
    LinkQuality.objects.filter(exam=exam).update(at=now() - back)
    Presence.objects.filter(exam=exam).update(last_seen_at=now() - back)
    patient = Patient.objects.get(id=exam.patient_id)
    Patient.objects.filter(id=patient.id).update(created_at=patient.created_at - back)
    exam.refresh_from_db()
    return exam


def person(place: Institution, role: str, username: str) -> Principal:
    user = User.objects.create(username=username, name=username, password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=place, role=role)
    token = AccessToken.objects.create(
        digest=user.id.bytes * 2, user=user, expires_at=now() + timedelta(hours=1)
    )
    principal = principal_of_token_id(token.id)
    assert principal is not None
    return principal

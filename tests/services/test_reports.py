from __future__ import annotations

import hashlib
import json
import struct
import time
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from devices.fleet.models import RobotEvent
from hospital.access import services as access
from hospital.access import totp
from hospital.common.clock import now
from hospital.common.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from hospital.records import selectors as records
from hospital.records import services as records_services
from hospital.records.models import Image, Measurement, Report
from teleconsult import reporting, selectors
from teleconsult.models import Exam
from teleconsult.report_views import image_json
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"rest"
META: dict[str, Any] = {
    "frame_id": 77,
    "width": 640,
    "height": 480,
    "mm_per_px_x": 0.4,
    "mm_per_px_y": 0.4,
    "region": [0, 0, 640, 480],
}


@pytest.fixture(autouse=True)
def objects_dir(settings: Any, tmp_path: Any) -> None:
    settings.OBJECTS_DIR = tmp_path


@pytest.fixture
def world() -> World:
    return make_world()


def prove(world: World) -> None:
    secret, user = "JBSWY3DPEHPK3PXP", world.users["expert"]
    type(user).objects.update(totp_last_step=0)
    access.step_up(
        principal=world.principals["expert"], code=totp.code(secret, int(time.time()) // totp.STEP_S)
    )


def draft(
    world: World, exam: Exam, *, findings: str = "肝脏大小正常。", impression: str = "未见异常。"
) -> Report:
    current = records.report_current(exam.id)
    return reporting.report_save(
        principal=world.principals["expert"],
        exam_id=exam.id,
        findings=findings,
        impression=impression,
        revision=current.revision if current else 0,
    )


def signed(world: World, exam: Exam) -> Report:
    report = draft(world, exam)
    prove(world)
    return reporting.report_sign(principal=world.principals["expert"], report_id=report.id)


def still(world: World, exam: Exam, **changes: Any) -> Image:
    meta = META | {"kind": "still", "sop_uid": "2.25.1", "frames": 1, "view": "liver"} | changes
    image, _ = records_services.image_store(
        exam_id=exam.id, patient_id=world.patient.id, meta=meta, data=b"dicom bytes"
    )
    return image


def test_a_still_says_where_its_frame_stands(world: World) -> None:
    exam = world.ended()
    image = still(world, exam, width=804, height=586, region=[30, 121, 609, 540], offset=[0, 106])
    assert image_json(image)["offset"] == [0, 106]
    before = still(world, exam, sop_uid="2.25.2")
    assert image_json(before)["offset"] == [0, 0], "written before there were marks"


def test_a_report_starts_only_after_the_end(world: World) -> None:
    exam = world.live()
    with pytest.raises(Conflict, match="report_not_possible"):
        draft(world, exam)


def test_only_the_one_who_examined_writes(world: World) -> None:
    exam = world.ended()
    with pytest.raises(Forbidden):
        reporting.report_save(
            principal=world.principals["bedside"], exam_id=exam.id, findings="x", impression="y", revision=0
        )
    with pytest.raises(NotFound):
        reporting.report_save(
            principal=world.principals["expert2"], exam_id=exam.id, findings="x", impression="y", revision=0
        )


def test_saving_over_somebodys_newer_text_is_refused_and_loses_nothing(world: World) -> None:
    exam = world.ended()
    draft(world, exam, findings="first")
    with pytest.raises(Conflict, match="stale_revision"):
        reporting.report_save(
            principal=world.principals["expert"], exam_id=exam.id, findings="late", impression="", revision=0
        )
    current = records.report_current(exam.id)
    assert current is not None
    assert current.findings == "first"


def test_signing_needs_a_fresh_proof_and_both_texts(world: World) -> None:
    exam = world.ended()
    report = draft(world, exam)
    with pytest.raises(Forbidden, match="proof_required"):
        reporting.report_sign(principal=world.principals["expert"], report_id=report.id)
    draft(world, exam, impression=" ")
    prove(world)
    with pytest.raises(Invalid, match="report_incomplete"):
        reporting.report_sign(principal=world.principals["expert"], report_id=report.id)
    # the refused signature did not use the proof up
    draft(world, exam)
    assert reporting.report_sign(principal=world.principals["expert"], report_id=report.id).status == "signed"


def test_the_signature_closes_the_exam_and_its_hash_is_of_the_kept_bytes(world: World) -> None:
    exam = world.ended()
    report = signed(world, exam)
    exam.refresh_from_db()
    assert exam.state == "reported"
    assert report.content is not None
    assert hashlib.sha256(report.content.encode()).hexdigest() == report.content_sha256
    content = json.loads(report.content)
    assert content["patient"]["name"] == "王小东"
    assert {content["requesting_institution"], content["performing_institution"]} == {
        "home 医院",
        "expert 医院",
    }


@pytest.mark.parametrize(
    "change",
    [{"findings": "changed"}, {"status": "draft"}, {"content_sha256": "0" * 64}, {"impression": "x"}],
)
def test_postgresql_refuses_every_change_of_a_signed_report(world: World, change: dict[str, str]) -> None:
    report = signed(world, world.ended())
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.filter(id=report.id).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.filter(id=report.id).delete()


def test_an_amendment_is_a_new_version_that_names_the_old_one(world: World) -> None:
    exam = world.ended()
    first = signed(world, exam)
    expert = world.principals["expert"]
    second = reporting.report_amend(principal=expert, report_id=first.id, reason="补充测量")
    assert (second.version, second.previous_id, second.status) == (2, first.id, "draft")
    in_force = records.report_signed(exam.id)
    assert in_force is not None
    assert in_force.id == first.id
    with pytest.raises(Conflict, match="draft_exists"):
        reporting.report_amend(principal=expert, report_id=first.id, reason="again")
    prove(world)
    reporting.report_sign(principal=expert, report_id=second.id)
    first.refresh_from_db()
    assert (first.status, first.findings) == ("superseded", "肝脏大小正常。")
    in_force = records.report_signed(exam.id)
    assert in_force is not None
    assert in_force.id == second.id


def test_a_signed_report_is_not_saved_over(world: World) -> None:
    exam = world.ended()
    signed(world, exam)
    with pytest.raises(Conflict, match="report_signed"):
        draft(world, exam)


def test_a_picture_sent_twice_is_one_picture(world: World) -> None:
    exam = world.live()
    assert still(world, exam).id == still(world, exam).id
    assert Image.objects.count() == 1


def test_the_same_identifier_with_other_bytes_is_refused(world: World) -> None:
    exam = world.live()
    still(world, exam)
    meta = META | {"kind": "still", "sop_uid": "2.25.1", "frames": 1}
    with pytest.raises(Conflict, match="sop_uid_conflict"):
        records_services.image_store(exam_id=exam.id, patient_id=world.patient.id, meta=meta, data=b"other")


def test_a_removed_picture_needs_a_reason_leaves_the_report_and_stays_in_the_archive(world: World) -> None:
    exam = world.ended()
    image = still(world, exam)
    reporting.image_remove(principal=world.principals["expert"], image_id=image.id, reason="运动伪影")
    with pytest.raises(Conflict, match="already_removed"):
        reporting.image_remove(principal=world.principals["expert"], image_id=image.id, reason="again")
    report = signed(world, exam)
    assert json.loads(report.content or "")["images"] == []
    assert records.image_data(Image.objects.get()) == b"dicom bytes"


def test_postgresql_refuses_to_change_or_delete_a_picture(world: World) -> None:
    image = still(world, world.live())
    with pytest.raises(IntegrityError), transaction.atomic():
        Image.objects.filter(id=image.id).update(sha256="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM records_image")


def test_a_damaged_file_is_noticed_when_it_is_read(world: World, tmp_path: Any) -> None:
    image = still(world, world.live())
    path = tmp_path / image.path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DomainError, match="object_damaged"):
        records.image_data(image)


def frozen(exam: Exam, **changes: Any) -> None:
    records_services.frozen_store(exam_id=exam.id, meta=META | changes, data=PNG)


def measure(world: World, exam: Exam, points: list[list[float]]) -> Measurement:
    return reporting.measurement_add(
        principal=world.principals["expert"],
        exam_id=exam.id,
        frame_id=77,
        kind="distance",
        points=points,
        label="胆囊",
    )


def test_a_distance_is_computed_from_the_stored_calibration(world: World) -> None:
    exam = world.live()
    frozen(exam)
    assert measure(world, exam, [[100, 100], [100, 225]]).value_mm == 50.0
    assert measure(world, exam, [[0, 0], [30, 40]]).value_mm == 20.0


@pytest.mark.parametrize(
    ("meta", "points", "code"),
    [
        ({}, [[0, 0], [641, 10]], "points_outside"),
        ({}, [[0, 0], [float("nan"), 10]], "points_outside"),
        ({"mm_per_px_x": None}, [[0, 0], [10, 10]], "not_calibrated"),
        ({"region": None}, [[0, 0], [10, 10]], "not_calibrated"),
        ({"region": [100, 100, 200, 200]}, [[0, 0], [150, 150]], "points_outside"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    world: World, meta: dict[str, Any], points: list[list[float]], code: str
) -> None:
    exam = world.live()
    frozen(exam, **meta)
    with pytest.raises(Invalid, match=code):
        measure(world, exam, points)


def test_a_frame_that_was_never_frozen_cannot_be_measured(world: World) -> None:
    with pytest.raises(Invalid, match="frame_unknown"):
        measure(world, world.live(), [[0, 0], [1, 1]])


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"width": "640"}, {"region": [0, 0, 9999, 1]}, {"mm_per_px_x": 50}]
)
def test_a_picture_with_a_wrong_description_is_refused(world: World, change: dict[str, Any]) -> None:
    exam = world.live()
    with pytest.raises(Invalid, match="bad_meta"):
        frozen(exam, **change)


def test_a_patient_sees_own_pictures_once_a_report_is_signed_and_nobody_elses(world: World) -> None:
    exam = world.ended()
    image, patient = still(world, exam), world.account()
    with pytest.raises(NotFound):
        reporting.image_to_read(patient, image.id)
    signed(world, exam)
    assert reporting.image_to_read(patient, image.id).id == image.id
    stranger = world.account("13900000088", linked=False)
    with pytest.raises(NotFound):
        reporting.image_to_read(stranger, image.id)


def test_a_picture_that_arrives_after_the_signature_is_not_shown_to_the_patient(world: World) -> None:
    exam = world.ended()
    covered, patient = still(world, exam), world.account()
    signed(world, exam)
    late = still(world, exam, sop_uid="2.25.2")
    assert reporting.image_to_read(patient, covered.id).id == covered.id
    with pytest.raises(NotFound):
        reporting.image_to_read(patient, late.id)


def test_the_desk_books_exams_but_reads_no_findings(world: World) -> None:
    exam = world.ended()
    assert selectors.exam_get(world.principals["desk"], exam.id)
    with pytest.raises(NotFound):
        reporting.exam_to_read(world.principals["desk"], exam.id)


def told(world: World, exam: Exam, serial: int, kind: str, **data: Any) -> None:
    RobotEvent.objects.create(
        robot=world.robot, serial=serial, at=now(), kind=kind, exam_id=exam.id, data=data
    )


def test_a_reloaded_console_gets_the_frame_of_the_freeze_that_lasts(world: World) -> None:
    exam = world.live()
    expert = world.principals["expert"]
    frozen(exam)
    assert reporting.frozen_now(expert, exam.id)[1] is None
    told(world, exam, 1, "frozen", frame_id=77)
    frame = reporting.frozen_now(expert, exam.id)[1]
    assert frame is not None and frame.frame_id == 77
    told(world, exam, 2, "unfrozen")
    assert reporting.frozen_now(expert, exam.id)[1] is None
    told(world, exam, 3, "frozen", frame_id=99)
    assert reporting.frozen_now(expert, exam.id)[1] is None  # on its way: never an older frame instead
    with pytest.raises(NotFound):
        reporting.frozen_now(world.principals["expert2"], exam.id)


def test_the_printed_report_names_area_and_volume(world: World) -> None:
    from teleconsult.console.printed import _measured

    oval = {"label": "", "kind": "ellipse", "values": {
        "axis1_mm": 40.0, "axis2_mm": 20.0, "circumference_mm": 96.9, "area_cm2": 6.28}}  # fmt: skip
    egg = {"label": "右肾", "kind": "volume", "values": {
        "axis1_mm": 100.0, "axis2_mm": 50.0, "axis3_mm": 40.0, "volume_ml": 104.72}}  # fmt: skip
    old = {"label": "", "value_mm": 50.0}
    assert _measured(oval, "zh") == {"name": "椭圆", "text": "40.0 × 20.0 mm，周长 96.9 mm，面积 6.28 cm²"}
    assert _measured(egg, "en") == {"name": "右肾", "text": "100.0 × 50.0 × 40.0 mm, volume 104.7 ml"}
    assert _measured(old, "en") == {"name": "Distance", "text": "50.0 mm"}

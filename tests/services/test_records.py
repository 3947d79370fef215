"""The record on its own, without an exam above it: what is stored stays, what is signed stays."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from hospital.access.models import Institution, User
from hospital.access.principals import SYSTEM, Principal
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.ids import uuid7
from hospital.people import services as people
from hospital.records import descriptions, rules, selectors, services, states
from hospital.records.models import FrozenFrame, Image, Measurement, Report

pytestmark = pytest.mark.django_db
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


# --- pictures --------------------------------------------------------------------------------------


def test_a_picture_sent_twice_is_stored_once_and_quietly(exam_id: UUID, patient_id: UUID) -> None:
    first, new = store(exam_id, patient_id)
    again, new_again = store(exam_id, patient_id)
    assert (new, new_again) == (True, False)
    assert first.id == again.id
    assert first.sha256 == hashlib.sha256(b"dicom").hexdigest()
    assert selectors.image_data(first) == b"dicom"


@pytest.mark.parametrize("other", ["bytes", "exam", "patient"])
def test_one_identifier_never_names_two_pictures(exam_id: UUID, patient_id: UUID, other: str) -> None:
    image, _ = store(exam_id, patient_id)
    changed = {
        "bytes": lambda: store(exam_id, patient_id, data=b"other"),
        "exam": lambda: store(uuid7(), patient_id),
        "patient": lambda: store(exam_id, uuid7()),
    }
    with pytest.raises(Conflict, match="sop_uid_conflict"):
        changed[other]()
    assert selectors.image_data(image) == b"dicom"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "film"}, "kind"),
        ({"sop_uid": None}, "sop_uid"),
        ({"sop_uid": ""}, "sop_uid"),
        ({"sop_uid": "2.25.x"}, "sop_uid"),
        ({"sop_uid": "1." + "2" * 63}, "sop_uid"),
        ({"sop_uid": "01.2"}, "sop_uid"),
        ({"view": "x" * 65}, "view"),
        ({"view": ["liver"]}, "view"),
        ({"frames": 0}, "frames"),
        ({"frames": True}, "frames"),
        ({"frames": 1.0}, "frames"),
        ({"frame_id": -1}, "frame_id"),
        ({"width": 8193}, "width"),
        ({"height": "480"}, "height"),
        ({"mm_per_px_x": math.nan}, "mm_per_px_x"),
        ({"mm_per_px_x": 0}, "mm_per_px_x"),
        ({"mm_per_px_y": "0.4"}, "mm_per_px_y"),
        ({"mm_per_px_y": 11}, "mm_per_px_y"),
        ({"region": [0, 0, 641, 480]}, "region"),
        ({"region": [10, 10, 10, 20]}, "region"),
        ({"region": [0, 0, math.nan, 480]}, "region"),
        ({"region": [0, 0, 640]}, "region"),
        ({"region": [False, 0, 640, 480]}, "region"),
        ({"region": "0,0,1,1"}, "region"),
        ({"offset": [0]}, "offset"),
        ({"offset": [0, 480]}, "offset"),
        ({"offset": [-1, 0]}, "offset"),
        ({"offset": [True, 0]}, "offset"),
    ],
)
def test_a_wrong_description_is_refused_and_its_field_named(
    exam_id: UUID, patient_id: UUID, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid, match="bad_meta") as refused:
        store(exam_id, patient_id, **change)
    assert refused.value.data == {"field": field}
    assert Image.objects.count() == 0


def test_a_picture_is_removed_with_a_reason_once(exam_id: UUID, patient_id: UUID, doctor: Principal) -> None:
    image, _ = store(exam_id, patient_id)
    with pytest.raises(Invalid, match="reason_required"):
        services.image_remove(image_id=image.id, reason="  ", principal=doctor)
    removed = services.image_remove(image_id=image.id, reason=" 伪影 ", principal=doctor)
    assert (removed.removed_reason, removed.removed_by_id) == ("伪影", doctor.id)
    with pytest.raises(Conflict, match="already_removed"):
        services.image_remove(image_id=image.id, reason="again", principal=doctor)
    assert selectors.image_data(image) == b"dicom"


def test_postgresql_refuses_to_bring_a_removed_picture_back(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    image, _ = store(exam_id, patient_id)
    services.image_remove(image_id=image.id, reason="伪影", principal=doctor)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Image.objects.filter(id=image.id).update(removed_at=None, removed_reason="")


@pytest.mark.parametrize("column", ["sha256", "path", "sop_uid", "exam_id", "mm_per_px_x", "taken_at"])
def test_postgresql_refuses_to_change_what_a_picture_is(exam_id: UUID, patient_id: UUID, column: str) -> None:
    image, _ = store(exam_id, patient_id)
    values = {"exam_id": uuid7(), "mm_per_px_x": 9.0, "taken_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Image.objects.filter(id=image.id).update(**{column: values.get(column, "changed")})


# --- frozen frames and calipers --------------------------------------------------------------------


def test_a_frozen_frame_sent_twice_is_one_and_other_bytes_are_refused(exam_id: UUID) -> None:
    first = freeze(exam_id)
    assert freeze(exam_id).id == first.id
    with pytest.raises(Conflict, match="frame_conflict"):
        services.frozen_store(exam_id=exam_id, meta=FRAME, data=png() + b"other")
    assert selectors.frozen_data(exam_id=exam_id, frame_id=77) == png()


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" * 9, png(320, 240), png(480, 640)])
def test_a_frame_must_be_a_png_of_the_described_size(exam_id: UUID, data: bytes) -> None:
    with pytest.raises(Invalid, match="bad_meta"):
        services.frozen_store(exam_id=exam_id, meta=FRAME, data=data)


def test_postgresql_refuses_to_change_a_frames_calibration(exam_id: UUID) -> None:
    freeze(exam_id)
    with pytest.raises(IntegrityError, match="frozen frame"), transaction.atomic():
        FrozenFrame.objects.update(mm_per_px_x=9.0)
    with pytest.raises(IntegrityError, match="frozen frame"), transaction.atomic():
        FrozenFrame.objects.all().delete()


def test_a_distance_uses_each_directions_own_spacing(exam_id: UUID, doctor: Principal) -> None:
    freeze(exam_id)
    assert measure(exam_id, doctor, [[100, 100], [225, 100]]).value_mm == 50.0
    assert measure(exam_id, doctor, [[100, 100], [100, 350]]).value_mm == 50.0
    assert measure(exam_id, doctor, [[100, 100], [130.0, 180.0]]).value_mm == 20.0
    assert measure(exam_id, doctor, [[10, 10], [600, 400]]).value_mm == round(math.hypot(236, 78), 2)


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([[9.9, 20], [20, 20]], "points_outside"),
        ([[20, 20], [20, 400.1]], "points_outside"),
        ([[math.nan, 20], [20, 20]], "points_outside"),
        ([[math.inf, 20], [20, 20]], "points_outside"),
        ([[10**400, 20], [20, 20]], "points_outside"),
        ([[20, 20]], "points_wrong"),
        ([[20, 20], [30, 30], [40, 40]], "points_wrong"),
        ([[20], [30, 30]], "points_wrong"),
        ([["20", 20], [30, 30]], "points_wrong"),
        ([[True, 20], [30, 30]], "points_wrong"),
        ("20,20", "points_wrong"),
        (None, "points_wrong"),
    ],
)
def test_wrong_points_are_refused_and_nothing_is_kept(
    exam_id: UUID, doctor: Principal, points: Any, code: str
) -> None:
    freeze(exam_id)
    with pytest.raises(Invalid, match=code):
        measure(exam_id, doctor, points)
    assert Measurement.objects.count() == 0


@pytest.mark.parametrize("missing", ["mm_per_px_x", "mm_per_px_y", "region"])
def test_without_calibration_nothing_is_measured(exam_id: UUID, doctor: Principal, missing: str) -> None:
    freeze(exam_id, **{missing: None})
    with pytest.raises(Invalid, match="not_calibrated"):
        measure(exam_id, doctor, [[20, 20], [30, 30]])


def test_a_frame_of_another_exam_cannot_be_measured(exam_id: UUID, doctor: Principal) -> None:
    freeze(uuid7())
    with pytest.raises(Invalid, match="frame_unknown"):
        measure(exam_id, doctor, [[20, 20], [30, 30]])


def test_a_removed_measurement_is_gone_from_the_list_but_not_from_the_record(
    exam_id: UUID, doctor: Principal
) -> None:
    freeze(exam_id)
    measurement = measure(exam_id, doctor, [[20, 20], [30, 30]])
    services.measurement_remove(measurement_id=measurement.id, principal=doctor)
    assert selectors.measurements_of(exam_id) == []
    measurement.refresh_from_db()
    assert measurement.removed_by_id == doctor.id
    with pytest.raises(NotFound):
        services.measurement_remove(measurement_id=measurement.id, principal=doctor)


def test_postgresql_refuses_to_change_a_measured_value(exam_id: UUID, doctor: Principal) -> None:
    freeze(exam_id)
    measure(exam_id, doctor, [[20, 20], [30, 30]])
    changes: list[dict[str, Any]] = [{"value_mm": 1.0}, {"points": []}, {"frame_id": 1}]
    for change in changes:
        with pytest.raises(IntegrityError, match="measurement never changes"), transaction.atomic():
            Measurement.objects.update(**change)


# --- reports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "command"), list(product(states.STATUSES, states.COMMANDS)))
def test_every_pair_without_a_row_is_illegal(status: str, command: str) -> None:
    allowed = {("draft", "save"), ("draft", "sign"), ("signed", "amend"), ("signed", "supersede")}
    if (status, command) in allowed:
        states.advance(status, command)
    else:
        with pytest.raises(states.IllegalStep):
            states.advance(status, command)


def test_opening_twice_is_one_draft(exam_id: UUID, doctor: Principal) -> None:
    first = services.report_open(exam_id=exam_id, principal=doctor)
    assert services.report_open(exam_id=exam_id, principal=doctor).id == first.id
    with pytest.raises(IntegrityError, match="one_draft_per_exam"), transaction.atomic():
        Report.objects.create(exam_id=exam_id, version=2, author_id=doctor.id)


def test_a_stale_page_learns_the_newer_revision(exam_id: UUID, doctor: Principal) -> None:
    report = draft(exam_id, doctor)
    with pytest.raises(Conflict, match="stale_revision") as refused:
        services.report_save(report_id=report.id, findings="", impression="", revision=0, principal=doctor)
    assert refused.value.data == {"revision": 1}
    report.refresh_from_db()
    assert report.findings == "肝脏正常。"


@pytest.mark.parametrize(("findings", "impression"), [("", "x"), ("x", ""), (" \n", "x"), ("x", "\u3000")])
def test_an_empty_text_cannot_be_signed(
    exam_id: UUID, doctor: Principal, findings: str, impression: str
) -> None:
    report = draft(exam_id, doctor, findings=findings, impression=impression)
    with pytest.raises(Invalid, match="report_incomplete"):
        sign(report, doctor)
    report.refresh_from_db()
    assert (report.status, report.content) == ("draft", None)


def test_the_signed_bytes_are_canonical_and_hold_what_was_signed(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    freeze(exam_id)
    kept, _ = store(exam_id, patient_id)
    bad, _ = store(exam_id, patient_id, sop_uid="2.25.8", data=b"bad")
    services.image_remove(image_id=bad.id, reason="伪影", principal=doctor)
    wrong = measure(exam_id, doctor, [[20, 20], [30, 30]])
    services.measurement_remove(measurement_id=wrong.id, principal=doctor)
    right = measure(exam_id, doctor, [[100, 100], [225, 100]])
    report = sign(draft(exam_id, doctor), doctor)
    assert report.content is not None
    content = json.loads(report.content)
    assert report.content == services.canonical_json(content)
    assert hashlib.sha256(report.content.encode()).hexdigest() == report.content_sha256
    assert [row["sha256"] for row in content["images"]] == [kept.sha256]
    assert [(row["id"], row["value_mm"]) for row in content["measurements"]] == [(str(right.id), 50.0)]
    assert content["report"]["signed_by"] == {"id": str(doctor.id), "name": "王思远"}
    assert content["performing_institution"] == "中山医院"
    assert [image.id for image in selectors.images_in(report)] == [kept.id]


def test_canonical_json_does_not_depend_on_order_and_has_no_nan() -> None:
    assert (
        services.canonical_json({"b": 1, "a": "王"})
        == services.canonical_json({"a": "王", "b": 1})
        == '{"a":"王","b":1}'
    )
    with pytest.raises(ValueError, match="JSON compliant"):
        services.canonical_json({"a": math.nan})


def test_after_the_signature_nothing_it_covers_changes(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    freeze(exam_id)
    image, _ = store(exam_id, patient_id)
    measurement = measure(exam_id, doctor, [[20, 20], [30, 30]])
    report = sign(draft(exam_id, doctor), doctor)
    acts: list[Callable[[], object]] = [
        lambda: services.image_remove(image_id=image.id, reason="x", principal=doctor),
        lambda: measure(exam_id, doctor, [[20, 20], [40, 40]]),
        lambda: services.measurement_remove(measurement_id=measurement.id, principal=doctor),
        lambda: services.report_open(exam_id=exam_id, principal=doctor),
        lambda: sign(report, doctor),
        lambda: services.report_save(
            report_id=report.id, findings="", impression="", revision=1, principal=doctor
        ),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="report_signed"):
            act()


def test_an_amendment_opens_the_record_again_and_leaves_the_old_bytes(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    image, _ = store(exam_id, patient_id)
    first = sign(draft(exam_id, doctor), doctor)
    second = services.report_amend(report_id=first.id, reason="补充", principal=doctor)
    services.image_remove(image_id=image.id, reason="伪影", principal=doctor)
    signed = selectors.report_signed(exam_id)
    assert signed is not None
    assert signed.id == first.id
    sign(second, doctor)
    first.refresh_from_db()
    assert (first.status, first.content_sha256) == (
        "superseded",
        hashlib.sha256((first.content or "").encode()).hexdigest(),
    )
    assert [row["id"] for row in json.loads(first.content or "")["images"]] == [str(image.id)]
    newest = selectors.report_signed(exam_id)
    assert newest is not None
    assert json.loads(newest.content or "")["report"]["previous_id"] == str(first.id)
    assert selectors.images_in(newest) == []


def test_a_picture_that_arrives_after_the_signature_is_not_among_the_signed(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    report = sign(draft(exam_id, doctor), doctor)
    late, new = store(exam_id, patient_id)
    assert new
    assert selectors.images_of(exam_id) == [late]
    assert selectors.images_in(report) == []


def test_only_what_is_signed_is_amended_with_a_reason_and_once(exam_id: UUID, doctor: Principal) -> None:
    report = draft(exam_id, doctor)
    with pytest.raises(Conflict, match="report_not_signed"):
        services.report_amend(report_id=report.id, reason="x", principal=doctor)
    signed = sign(report, doctor)
    with pytest.raises(Invalid, match="reason_required"):
        services.report_amend(report_id=signed.id, reason=" ", principal=doctor)
    services.report_amend(report_id=signed.id, reason="x", principal=doctor)
    with pytest.raises(Conflict, match="draft_exists"):
        services.report_amend(report_id=signed.id, reason="x", principal=doctor)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records_report SET findings = findings || 'x'",
        "UPDATE records_report SET status = 'draft', signed_at = NULL",
        "UPDATE records_report SET signed_at = signed_at + interval '1 s'",
        "UPDATE records_report SET exam_id = gen_random_uuid()",
        "DELETE FROM records_report",
    ],
)
def test_not_even_plain_sql_changes_a_signed_report(exam_id: UUID, doctor: Principal, statement: str) -> None:
    sign(draft(exam_id, doctor), doctor)
    with (
        pytest.raises(IntegrityError, match="signed report"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_superseded_report_is_as_fixed_as_a_signed_one(exam_id: UUID, doctor: Principal) -> None:
    first = sign(draft(exam_id, doctor), doctor)
    sign(services.report_amend(report_id=first.id, reason="x", principal=doctor), doctor)
    for change in ({"status": "signed"}, {"findings": "x"}):
        with pytest.raises(IntegrityError, match="signed report"), transaction.atomic():
            Report.objects.filter(id=first.id).update(**change)


def test_postgresql_refuses_a_signature_without_bytes(exam_id: UUID, doctor: Principal) -> None:
    report = draft(exam_id, doctor)
    with pytest.raises(IntegrityError, match="report_signed_complete"), transaction.atomic():
        Report.objects.filter(id=report.id).update(status="signed", signed_at="2027-01-01T00:00:00Z")


def test_what_is_not_there_is_not_found(doctor: Principal) -> None:
    acts: list[Callable[[], object]] = [
        lambda: services.image_remove(image_id=uuid7(), reason="x", principal=doctor),
        lambda: services.measurement_remove(measurement_id=uuid7(), principal=doctor),
        lambda: services.report_sign(report_id=uuid7(), content_extra={}, principal=doctor),
        lambda: services.report_amend(report_id=uuid7(), reason="x", principal=doctor),
        lambda: services.report_save(
            report_id=uuid7(), findings="", impression="", revision=0, principal=doctor
        ),
        lambda: selectors.frozen_data(exam_id=uuid7(), frame_id=1),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()


def test_measuring_and_describing_know_no_database() -> None:
    where = rules.regions(mm_per_px_x=1, mm_per_px_y=1, region=[0, 0, 5, 5])
    assert rules.measured("distance", [[0.0, 0.0], [3.0, 4.0]], [where]) == {"distance_mm": 5.0}
    assert descriptions.calibration(FRAME)["region"] == [10, 10, 600, 400]

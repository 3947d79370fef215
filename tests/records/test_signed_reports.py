"""Reports of the record, without an exam above it: what is signed stays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from itertools import product
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from hospital.access.principals import Principal
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.ids import uuid7
from hospital.records import selectors, services, states
from hospital.records.models import Report

from .record import doctor, draft, exam_id, freeze, measure, patient_id, sign, store

__all__ = ["doctor", "exam_id", "patient_id"]
pytestmark = pytest.mark.django_db


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

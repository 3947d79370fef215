"""Two pages, two uploads, two signatures at once: one record."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

import pytest

from hospital.access.models import Institution, User
from hospital.access.principals import SYSTEM, Principal
from hospital.common.errors import Conflict, DomainError
from hospital.common.ids import uuid7
from hospital.people import services as people
from hospital.records import selectors, services
from hospital.records.models import Image, Report

from .at_once import together

pytestmark = pytest.mark.django_db(transaction=True)
STILL = {"frame_id": 1, "width": 64, "height": 48, "kind": "still", "sop_uid": "2.25.7", "frames": 1}


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
def draft(doctor: Principal) -> Report:
    report = services.report_open(exam_id=uuid7(), principal=doctor)
    return services.report_save(
        report_id=report.id, findings="肝脏正常。", impression="未见异常。", revision=0, principal=doctor
    )


def refusals(results: list[object]) -> list[str]:
    errors = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(error, Conflict) for error in errors), errors
    return [error.code for error in errors if isinstance(error, Conflict)]


def sign(report: Report, doctor: Principal) -> Report:
    return services.report_sign(report_id=report.id, content_extra={}, principal=doctor)


def test_eight_pages_that_open_a_report_open_one(doctor: Principal) -> None:
    exam_id = uuid7()
    results = together([lambda: services.report_open(exam_id=exam_id, principal=doctor).id for _ in range(8)])
    assert refusals(results) == []
    assert len(set(results)) == 1
    assert Report.objects.count() == 1


def test_of_eight_saves_of_one_revision_one_counts(draft: Report, doctor: Principal) -> None:
    def save(n: int) -> Report:
        return services.report_save(
            report_id=draft.id,
            findings=f"text {n}",
            impression="x",
            revision=draft.revision,
            principal=doctor,
        )

    results = together([lambda n=n: save(n) for n in range(8)])  # type: ignore[misc]
    assert refusals(results) == ["stale_revision"] * 7
    draft.refresh_from_db()
    assert draft.revision == 2
    assert [result.findings for result in results if isinstance(result, Report)] == [draft.findings]


def test_of_six_signatures_one_counts(draft: Report, doctor: Principal) -> None:
    results = together([lambda: sign(draft, doctor) for _ in range(6)])
    assert refusals(results) == ["report_signed"] * 5


def test_of_six_amendments_one_is_opened(draft: Report, doctor: Principal) -> None:
    signed = sign(draft, doctor)
    results = together(
        [lambda: services.report_amend(report_id=signed.id, reason="x", principal=doctor) for _ in range(6)]
    )
    assert refusals(results) == ["draft_exists"] * 5
    assert Report.objects.filter(exam_id=signed.exam_id, status="draft").count() == 1


def test_the_same_upload_six_times_at_once_is_one_picture(patient_id: UUID) -> None:
    exam_id = uuid7()

    def upload() -> bool:
        return services.image_store(exam_id=exam_id, patient_id=patient_id, meta=STILL, data=b"dicom")[1]

    results = together([upload for _ in range(6)])
    assert sorted(results, key=bool) == [False] * 5 + [True]
    assert selectors.image_data(Image.objects.get()) == b"dicom"


def test_a_picture_is_removed_before_the_signature_or_stays_in_it(
    draft: Report, patient_id: UUID, doctor: Principal
) -> None:
    for n in range(6):
        exam_id = uuid7()
        image, _ = services.image_store(
            exam_id=exam_id, patient_id=patient_id, meta=STILL | {"sop_uid": f"2.25.{n + 10}"}, data=b"dicom"
        )
        report = services.report_open(exam_id=exam_id, principal=doctor)
        services.report_save(report_id=report.id, findings="x", impression="y", revision=0, principal=doctor)
        signed, removed = together(
            [
                lambda report=report: sign(report, doctor),  # type: ignore[misc]
                lambda image=image: services.image_remove(image_id=image.id, reason="x", principal=doctor),  # type: ignore[misc]
            ]
        )
        assert isinstance(signed, Report), signed
        in_report = [row["id"] for row in json.loads(signed.content or "")["images"]]
        assert in_report == ([] if isinstance(removed, Image) else [str(image.id)])


def test_signing_an_amendment_while_another_page_works_never_deadlocks(
    draft: Report, doctor: Principal
) -> None:
    """Signing and measuring both lock the versions of a report: in one order."""
    signed = sign(draft, doctor)
    for _ in range(4):
        amendment = services.report_amend(report_id=signed.id, reason="x", principal=doctor)

        def measure() -> object:
            return services.measurement_add(
                exam_id=draft.exam_id,
                frame_ids=[1],
                kind="distance",
                points=[[0, 0], [1, 1]],
                label="",
                principal=doctor,
            )

        first, *others = together([lambda amendment=amendment: sign(amendment, doctor), *[measure] * 4])  # type: ignore[misc]
        assert isinstance(first, Report), first
        assert {error.code for error in others if isinstance(error, DomainError)} <= {
            "report_signed",
            "frame_unknown",
        }
        assert all(isinstance(error, DomainError) for error in others), others
        signed = first

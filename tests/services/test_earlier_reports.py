"""Earlier signed reports beside the picture: of that patient, for who examines now, and on record."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hospital.audit.models import AuditEntry
from hospital.common.errors import NotFound
from hospital.people import services as people_services
from teleconsult import reporting
from teleconsult.models import Exam
from tests.access.house import client_for
from tests.factories import World, make_world
from tests.services.test_reports import draft, signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def later(world: World, **changes: Any) -> Exam:
    return world.book(starts_at=world.tomorrow(600), **changes)


def read(world: World, exam: Exam, who: str = "expert") -> list[Any]:
    return [report.id for _, report in reporting.earlier_reports(world.principals[who], exam.id)[1]]


def test_the_signed_reports_of_the_patients_other_exams_are_read_and_no_drafts(world: World) -> None:
    before, now_open = world.ended(), later(world)
    report = draft(world, before)
    assert read(world, now_open) == []
    report = signed(world, before)
    assert read(world, now_open) == [report.id]
    assert read(world, before) == [], "one's own exam is not an earlier one"


def test_another_patients_reports_are_not_among_them(world: World) -> None:
    before = world.ended()
    signed(world, before)
    another, _ = people_services.patient_register(
        name="沈阿妹",
        document_type="01",
        document_number="320584194802290036",
        birth_date=date(1948, 2, 29),
        sex="1",
        phone="13900000022",
        principal=world.principals["desk"],
    )
    other = later(world, patient_id=another.id)
    assert read(world, other) == []


def test_who_has_no_part_in_the_exam_reads_nothing(world: World) -> None:
    signed(world, world.ended())
    exam = later(world)
    for who in ("expert2", "desk"):
        with pytest.raises(NotFound):
            read(world, exam, who)


def test_the_door_shows_the_text_and_the_read_is_on_record(world: World) -> None:
    report = signed(world, world.ended())
    exam = later(world)
    answer = client_for(user=world.users["expert"]).get(f"/api/v1/exams/{exam.id}/earlier-reports")
    assert [(row["report_id"], row["impression"]) for row in answer.json()["results"]] == [
        (str(report.id), "未见异常。")
    ]
    row = AuditEntry.objects.filter(object_kind="reports").get()
    assert (row.object_id, row.patient_ids, row.actor_id) == (
        exam.id,
        [world.patient.id],
        world.users["expert"].id,
    )
    assert row.details["shown"] == [str(report.id)]

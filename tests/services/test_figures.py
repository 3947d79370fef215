"""Figures read from the tables: whose exams are counted, what of them, and that no patient is in the answer."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import Membership, User
from hospital.access.selectors import principal_of_user
from hospital.common.clock import SHANGHAI, now, shanghai_day, today
from hospital.common.errors import NotFound
from hospital.scheduling.models import Resource
from teleconsult import services
from teleconsult.figures import counts, selectors
from teleconsult.models import Exam, ExamRequest
from tests.factories import World, make_world
from tests.services.test_availability import hours

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def head_of(world: World, place: str) -> User:
    user = User.objects.create(username=f"head-{place}", name="郑科", password="!", totp_secret="-")
    Membership.objects.create(user=user, institution=world.places[place], role="quality_control")
    return user


def read(world: World, place: str = "home", **asked: Any) -> dict[str, Any]:
    months = asked.pop(
        "months", counts.months_until((now() + timedelta(days=1)).astimezone(SHANGHAI).date(), 2)
    )
    return selectors.figures(
        principal_of_user(head_of(world, place)),
        months=months,
        institution_id=asked.pop("institution_id", None),
    )


def test_an_exam_counts_for_who_asked_for_it_and_for_who_performed_it_and_for_nobody_else(
    world: World,
) -> None:
    world.ended()
    assert read(world, "home")["whole"]["done"] == 1
    assert read(world, "expert")["whole"]["done"] == 1
    assert read(world, "other")["whole"]["exams"] == 0


def test_cancelled_and_missed_exams_are_counted_by_cause(world: World) -> None:
    exam = world.book()
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="患者改期")
    found = read(world)["whole"]
    assert (found["exams"], found["cancelled"], found["done"]) == (1, 1, 0)
    assert [row["state"] for row in found["causes"]] == ["cancelled"]


def test_figures_of_a_month_are_those_of_its_exams(world: World) -> None:
    exam = world.ended()
    begin = shanghai_day(today().replace(day=1))[0] - timedelta(days=1) + timedelta(hours=10)
    Exam.objects.filter(id=exam.id).update(
        starts_at=begin, ends_at=begin + timedelta(minutes=20), checked_in_at=begin,
        started_at=begin + timedelta(minutes=4), ended_at=begin + timedelta(minutes=19), created_at=begin - timedelta(days=3),
    )  # fmt: skip
    found = read(world, months=counts.months_until(today(), 2))
    before, this = found["by_month"]
    assert (before["done"], this["done"]) == (1, 0)
    assert before["scan_min"] == {"n": 1, "p50": 15.0, "p90": 15.0}
    assert before["wait_days"]["p50"] == 3.0 and before["wait_in_house_min"]["p50"] == 4.0
    assert [(row["month"], row["institution_id"]) for row in found["rows"]] == [
        (begin.date().isoformat()[:7], str(world.places["home"].id))
    ]
    assert found["operators"][0]["scan_min"]["n"] == 1


def test_who_was_asked_for_by_a_clinician_waits_from_that_day(world: World) -> None:
    exam = world.ended()
    Exam.objects.filter(id=exam.id).update(created_at=exam.starts_at - timedelta(days=1))
    assert read(world)["whole"]["wait_days"]["p50"] == 1.0
    ExamRequest.objects.create(
        patient=exam.patient, exam_type=exam.exam_type, institution=exam.requesting_institution, state="booked",
        clinical_question="胆囊结石？", asked_at=exam.starts_at - timedelta(days=5), exam=exam,
    )  # fmt: skip
    months = counts.months_until((now() + timedelta(days=1)).astimezone(SHANGHAI).date(), 2)
    assert read_again(world, months)["whole"]["wait_days"]["p50"] == 5.0


def test_use_is_booked_time_of_open_time_up_to_today(world: World) -> None:
    hours(8, 18, institution=world.places["home"])  # ten hours a day
    month = today().replace(day=1)
    found = read(world, months=[month])
    room = next(row for row in found["uses"] if row["resource_id"] == str(world.room.id))
    assert room["open_min"] == today().day * 600
    assert room["booked_min"] == 0 and room["share"] == 0
    start = shanghai_day(today())[0] + timedelta(hours=9)
    Exam.objects.all().delete()
    from django.db import connection

    exam = world.book(starts_at=shanghai_day(today())[1] + timedelta(hours=9))
    with connection.cursor() as cursor:  # moved into today's morning, which no desk may book any more
        cursor.execute(
            "UPDATE scheduling_reservation SET period = tstzrange(%s, %s) WHERE appointment_id = %s",
            [start, start + timedelta(minutes=30), exam.appointment_id],
        )
    room = next(row for row in read_again(world, [month])["uses"] if row["resource_id"] == str(world.room.id))
    assert room["booked_min"] == 30
    assert room["share"] == round(30 / room["open_min"], 3)


def read_again(world: World, months: list[Any]) -> dict[str, Any]:
    head = principal_of_user(User.objects.get(username="head-home"))
    return selectors.figures(head, months=months, institution_id=None)


def test_the_calendars_are_the_readers_own_and_a_foreign_institution_is_not_there(world: World) -> None:
    found = read(world, "expert")
    mine = set(Resource.objects.filter(institution=world.places["expert"]).values_list("id", flat=True))
    assert {row["resource_id"] for row in found["uses"]} <= {str(ident) for ident in mine}
    head = principal_of_user(User.objects.get(username="head-expert"))
    with pytest.raises(NotFound):
        selectors.figures(
            head, months=counts.months_until(today(), 1), institution_id=world.places["home"].id
        )


def client(user: User) -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=user)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def test_no_patient_is_in_the_answer_nor_in_a_file(world: World) -> None:
    exam = world.ended()
    head = client(head_of(world, "home"))
    answers = [head.get("/api/v1/figures").content.decode()]
    for part in ("months", "causes", "operators", "uses"):
        answers.append(head.get("/api/v1/figures/file", {"part": part}).content.decode())
    for answer in answers:
        for secret in (world.patient.name, str(world.patient.id), str(exam.id), exam.accession):
            assert secret not in answer


def test_the_file_says_what_the_page_says(world: World) -> None:
    world.ended()
    head = client(head_of(world, "home"))
    asked: dict[str, Any] = {"months": 2, "until": (today() + timedelta(days=1)).isoformat()}
    page = json.loads(head.get("/api/v1/figures", asked).content)
    answer = head.get("/api/v1/figures/file", asked | {"part": "months"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["exams"], row["done"]) == (str(page["rows"][0]["exams"]), str(page["rows"][0]["done"]))


@pytest.mark.parametrize(
    "wrong", [{"months": 0}, {"months": 99}, {"until": "0001-01-01"}, {"institution": "x"}, {"part": "x"}]
)
def test_a_wrong_question_is_answered_with_one_code(world: World, wrong: dict[str, Any]) -> None:
    answer = client(head_of(world, "home")).get("/api/v1/figures/file", wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_who_examines_does_not_read_them(world: World) -> None:
    assert client(world.users["expert"]).get("/api/v1/figures").status_code == 403

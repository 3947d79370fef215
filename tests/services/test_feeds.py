"""Calendars to subscribe to: one's own and the desk's rooms, under an address that can be revoked, without names."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import icalendar
import pytest
from django.db import connection
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import PatientAccount, User
from hospital.common.clock import SHANGHAI
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people.wishes import wishes_set
from hospital.scheduling.models import Resource
from teleconsult import services, slip
from teleconsult.models import CalendarFeed, Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
STRANGER = APIClient()


@pytest.fixture
def world() -> World:
    return make_world()


def client(world: World, who: str) -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def made(world: World, who: str, resource_id: Any = None) -> Any:
    path = "feeds" if resource_id is None else f"resources/{resource_id}/feed"
    return client(world, who).post(f"/api/v1/{path}")


def path_of(answer: Any) -> str:
    url: str = answer.json()["url"]
    return url[url.index("/api/") :]


def read(path: str) -> tuple[list[Any], bytes]:
    """A calendar program's view: the events, and all that was sent."""
    answer = STRANGER.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert calendar["REFRESH-INTERVAL"].to_ical() == b"PT15M"
    return calendar.walk("VEVENT"), answer.content


def test_a_physicians_calendar_has_their_exams_in_shanghais_time_and_no_patient(world: World) -> None:
    exam = world.book()
    world.book(remote_physician_id=world.users["expert2"].id, bedside_physician_id=world.users["bedside2"].id,
               starts_at=world.tomorrow(240))  # fmt: skip
    (event,), sent = read(path_of(made(world, "expert")))
    assert event.decoded("DTSTART") == exam.starts_at
    local = exam.starts_at.astimezone(SHANGHAI).strftime("%Y%m%dT%H%M%S")
    assert f"DTSTART;TZID=Asia/Shanghai:{local}".encode() in sent
    assert b"BEGIN:VTIMEZONE" in sent
    assert (str(event["STATUS"]), exam.accession in event["SUMMARY"]) == ("CONFIRMED", True)
    patient = world.patient
    for secret in (patient.name, patient.mpi, patient.phone, patient.document_number, exam.clinical_question):
        assert secret.encode() not in sent


def test_a_moved_or_cancelled_exam_stays_the_same_event(world: World) -> None:
    exam, desk = world.book(), world.principals["desk"]
    path = path_of(made(world, "expert"))
    ((first,), _) = read(path)
    services.exam_move(principal=desk, exam_id=exam.id, starts_at=exam.starts_at + timedelta(hours=2))
    ((moved,), _) = read(path)
    services.exam_cancel(principal=desk, exam_id=exam.id, reason="x")
    ((off,), _) = read(path)
    assert first["UID"] == moved["UID"] == off["UID"]
    assert moved.decoded("DTSTART") == exam.starts_at + timedelta(hours=2)
    assert [int(event["SEQUENCE"]) for event in (first, moved, off)] == [0, 1, 2]
    assert str(off["STATUS"]) == "CANCELLED"


def test_the_desk_subscribes_to_its_rooms_and_to_nobody_elses(world: World) -> None:
    world.book()
    events, _ = read(path_of(made(world, "desk", world.room.id)))
    assert len(events) == 1
    assert read(path_of(made(world, "desk", world.room2.id)))[0] == []
    assert made(world, "other_desk", world.room.id).status_code == 404
    assert made(world, "expert", world.room.id).status_code == 403
    person = Resource.objects.get(user=world.users["bedside"])
    assert made(world, "desk", person.id).status_code == 404, "a person's calendar is their own"


def test_an_address_is_shown_once_and_not_kept(world: World) -> None:
    answer = made(world, "expert")
    secret = path_of(answer).removeprefix("/api/v1/feeds/").removesuffix(".ics")
    assert len(secret) == 43
    listed = client(world, "expert").get("/api/v1/feeds").json()
    assert secret not in str(listed)
    assert [row["own"] for row in listed["calendars"]] == [True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest::text FROM teleconsult_calendarfeed")
        assert secret not in str(cursor.fetchall())


def test_a_revoked_or_replaced_address_answers_as_one_that_never_was(world: World) -> None:
    never = STRANGER.get("/api/v1/feeds/" + "x" * 43 + ".ics")
    first = made(world, "expert")
    second = made(world, "expert")
    assert STRANGER.get(path_of(first)).status_code == 404
    read(path_of(second))
    gone = client(world, "expert2").delete(f"/api/v1/feeds/{second.json()['id']}")
    assert gone.status_code == 404
    read(path_of(second))
    assert client(world, "expert").delete(f"/api/v1/feeds/{second.json()['id']}").status_code == 204
    refused = STRANGER.get(path_of(second))
    assert (refused.status_code, refused.json()["code"]) == (never.status_code, never.json()["code"]) == (
        404, "not_found",
    )  # fmt: skip


def test_who_left_the_hospital_or_the_desk_reads_no_more(world: World) -> None:
    own, room = path_of(made(world, "expert")), path_of(made(world, "desk", world.room.id))
    User.objects.filter(username="expert").update(is_active=False)
    world.users["desk"].memberships.update(role="nurse")
    read(room)
    world.users["desk"].memberships.update(role="quality_control")
    assert [STRANGER.get(path).status_code for path in (own, room)] == [404, 404]
    assert CalendarFeed.objects.get(made_by=world.users["desk"]).read_at is not None


def test_a_patient_takes_a_booking_into_their_own_calendar_and_nobody_elses(world: World) -> None:
    exam = world.book()
    account = PatientAccount.objects.get(id=world.account().id)
    token, _ = access.token_issue(life=timedelta(hours=1), account=account)
    mine = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = mine.get(f"/api/v1/me/exams/{exam.id}/calendar")
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert event.decoded("DTSTART") == exam.starts_at
    assert world.patient.name.encode() not in answer.content
    other = PatientAccount.objects.get(id=world.account("13900000099", linked=False).id)
    token, _ = access.token_issue(life=timedelta(hours=1), account=other)
    stranger = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert stranger.get(f"/api/v1/me/exams/{exam.id}/calendar").status_code == 404
    assert Exam.objects.count() == 1


def linked(world: World, **changes: Any) -> str:
    """The address that the confirmation names."""
    world.book(**changes)
    work_drain()
    text = Message.objects.filter(template="exam_booked").latest("created_at").text
    found = re.search(r"https?://\S+(/api/v1/bookings/\S+\.ics)", text)
    assert found is not None, text
    return found[1]


def test_the_confirmation_links_to_the_booking_as_a_calendar_file_without_a_name(world: World) -> None:
    path = linked(world)
    exam = Exam.objects.get()
    (event,), sent = read(path)
    assert event.decoded("DTSTART") == exam.starts_at
    for secret in (world.patient.name, exam.exam_type.name_zh, exam.clinical_question):
        assert secret.encode() not in sent
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="病人要求")
    (event,), _ = read(path)
    assert event["STATUS"] == "CANCELLED"


def test_a_guessed_link_a_slips_code_and_an_old_exams_link_open_nothing(world: World) -> None:
    path = linked(world)
    exam = Exam.objects.get()
    for token in (slip.token_of(exam.id), slip.token_of(world.patient.id, slip.CALENDAR), "x", "汉"):
        assert STRANGER.get(f"/api/v1/bookings/{token}.ics").status_code == 404
    assert slip.exam_of(path.split("/")[-1].removesuffix(".ics")) is None  # a link checks nobody in
    Exam.objects.update(
        starts_at=exam.starts_at - timedelta(days=40), ends_at=exam.ends_at - timedelta(days=40)
    )
    assert STRANGER.get(path).status_code == 404


def test_the_link_of_a_restricted_record_opens_nothing(world: World) -> None:
    path = linked(world)
    with patch("hospital.keeping.selectors.restricted", lambda: [world.patient.id]):
        assert STRANGER.get(path).status_code == 404
    assert STRANGER.get(path).status_code == 200


def test_a_call_reads_no_address_aloud(world: World) -> None:
    wishes_set(
        principal=world.principals["desk"], action="patient.messages", patient_id=world.patient.id,
        language="zh", channel="voice", refused=[],
    )  # fmt: skip
    world.book()
    work_drain()
    message = Message.objects.get(template="exam_booked")
    assert message.channel == "voice"
    assert "http" not in message.text

"""The doors of finding, keeping and booking a time, and of what calendars are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.common.clock import shanghai_day
from hospital.scheduling.models import Reservation, Resource
from tests.factories import World, make_world
from tests.factories.days import unannounced_day
from tests.services.test_availability import at, hours, weekdays_ahead

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world()
    for place in ("home", "expert"):
        hours(8, 12, institution=world.places[place])
    return world


def client(world: World, who: str = "desk") -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def search(world: World, who: str = "desk", **wish: Any) -> Any:
    asked: dict[str, Any] = {
        "exam_type": "abdomen",
        "starts_from": weekdays_ahead().isoformat(),
        "days": 1,
    } | wish
    return client(world, who).get("/api/v1/times", asked)


def team(row: dict[str, Any]) -> dict[str, str]:
    """The first of each role that a found time offers, as a booking names them."""
    chosen = {f"{role}_id": ids[0] for role, ids in row["free"].items()}
    return chosen | {"exam_type": "abdomen", "starts_at": row["starts_at"]}


def test_a_found_time_is_kept_and_then_booked_with_what_the_search_answered(world: World) -> None:
    desk, found = client(world), search(world).json()
    assert len(found["results"]) == 20
    chosen = team(found["results"][0])
    kept = desk.post("/api/v1/holds", chosen, format="json")
    assert kept.status_code == 201, kept.json()
    again = search(world).json()
    assert again["results"][0]["starts_at"] != chosen["starts_at"]
    body = chosen | {"patient_id": str(world.patient.id), "clinical_question": "复查"}
    refused = desk.post("/api/v1/exams", body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "taken")
    booked = desk.post("/api/v1/exams", body | {"hold_id": kept.json()["id"]}, format="json")
    assert booked.status_code == 201, booked.json()
    assert (booked.json()["assistant"], booked.json()["probe"]) == (None, None)
    assert datetime.fromisoformat(booked.json()["starts_at"]) == at(8)


def test_the_next_page_is_where_the_answer_says(world: World) -> None:
    desk, first = client(world), search(world, place=str(world.places["home"].id)).json()
    second = desk.get(first["next"]).json()
    starts = [row["starts_at"] for row in first["results"] + second["results"]]
    assert starts == sorted(set(starts))
    assert len(starts) == 23
    assert second["next"] is None


def test_filters_come_with_the_address(world: World) -> None:
    expert2 = str(world.users["expert2"].id)
    rows = search(world, person=[expert2], part_of_day="morning", language="zh").json()["results"]
    assert rows and all(row["free"]["remote_physician"] == [expert2] for row in rows)
    assert search(world, part_of_day="afternoon").json()["results"] == []
    ordered = search(world, procedure=f"barium@{at(9).isoformat()}")
    assert ordered.status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"exam_type": "heart"},
        {"days": 0},
        {"days": 63},
        {"part_of_day": "night"},
        {"place": "x"},
        {"procedure": "barium"},
        {"procedure": "barium@yesterday.."},
        {"starts_from": "9999-12-31T23:59:59Z"},
        {"page": 0},
    ],
)
def test_a_search_that_cannot_be_right_is_refused(world: World, wish: dict[str, Any]) -> None:
    answer = search(world, **wish)
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")


def test_a_place_that_is_not_the_callers_is_not_there(world: World) -> None:
    absent = search(world, place="00000000-0000-7000-8000-000000000000")
    foreign = search(world, place=str(world.places["expert"].id))
    assert absent.status_code == foreign.status_code == 404


def test_an_unknown_year_is_told_in_words(world: World) -> None:
    far = shanghai_day(unannounced_day())[0].isoformat()
    (notice,) = search(world, starts_from=far, days=30).json()["notices"]
    assert notice["code"] == "holidays_unknown"
    assert "节假日" in notice["title"]


@pytest.mark.parametrize(
    ("who", "status"), [("desk", 200), ("expert", 403), ("bedside", 403), ("admin", 403)]
)
def test_times_are_found_by_the_desk(world: World, who: str, status: int) -> None:
    assert search(world, who).status_code == status


def test_a_kept_time_is_given_back_by_whoever_keeps_it(world: World) -> None:
    desk = client(world)
    kept = desk.post("/api/v1/holds", team(search(world).json()["results"][0]), format="json").json()
    assert desk.delete(f"/api/v1/holds/{kept['id']}").status_code == 204
    assert not Reservation.objects.filter(status="hold").exists()
    assert desk.delete(f"/api/v1/holds/{kept['id']}").status_code == 404
    other = desk.post("/api/v1/holds", team(search(world).json()["results"][0]), format="json").json()
    assert client(world, "other_desk").delete(f"/api/v1/holds/{other['id']}").status_code == 404
    assert Reservation.objects.filter(status="hold").count() == 4


WEEK = {"hours": [{"weekday": day, "opens": "08:00", "closes": "24:00"} for day in range(7)]}


def test_a_week_is_written_and_read_back(world: World) -> None:
    address = f"/api/v1/resources/{world.room.id}/hours"
    desk = client(world)
    assert desk.get(address).json() == {"hours": []}
    answer = desk.put(address, WEEK, format="json")
    assert answer.status_code == 200
    assert answer.json()["hours"][0] == {
        "weekday": 0, "opens": "08:00", "closes": "24:00", "place_id": None, "valid_from": None, "valid_to": None,
    }  # fmt: skip
    assert len(desk.get(address).json()["hours"]) == 7
    bad = desk.put(address, {"hours": [{"weekday": 0, "opens": "12:00", "closes": "08:00"}]}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_hours")
    place = f"/api/v1/institutions/{world.places['home'].id}/hours"
    assert len(desk.put(place, WEEK, format="json").json()["hours"]) == 7


def test_leave_is_written_answered_with_the_bookings_it_meets_and_withdrawn(world: World) -> None:
    exam = world.book(starts_at=at(9))
    desk, address = client(world), f"/api/v1/resources/{world.room.id}/exceptions"
    times = {"starts_at": at(8).isoformat(), "ends_at": at(12).isoformat()}
    made = desk.post(address, times | {"reason": "maintenance", "note": "滤网"}, format="json")
    assert made.status_code == 201
    assert [row["appointment_id"] for row in made.json()["appointments"]] == [str(exam.appointment_id)]
    (listed,) = desk.get(address).json()["results"]
    assert (listed["reason"], listed["note"], listed["open"]) == ("maintenance", "滤网", False)
    assert datetime.fromisoformat(listed["starts_at"]) == at(8)
    assert desk.delete(f"{address}/{listed['id']}").status_code == 204
    assert desk.get(address).json()["results"] == []


def test_a_released_time_is_written_listed_and_withdrawn(world: World) -> None:
    Resource.objects.filter(user=world.users["expert"]).update(institution=world.places["home"])
    resource = Resource.objects.get(user=world.users["expert"])
    desk, address = client(world), f"/api/v1/resources/{resource.id}/released"
    body = {"starts_at": at(9).isoformat(), "ends_at": at(10).isoformat()}
    assert desk.post(address, body, format="json").status_code == 201
    (listed,) = desk.get(address).json()["results"]
    assert (listed["partner"], datetime.fromisoformat(listed["ends_at"])) == (None, at(10))
    assert desk.delete(f"{address}/{listed['id']}").status_code == 204
    assert desk.get(address).json()["results"] == []


def test_buffers_languages_and_qualifications_of_a_resource(world: World) -> None:
    address = f"/api/v1/resources/{world.room.id}"
    body = {"before_minutes": 5, "after_minutes": 15, "languages": ["zh", "wuu"], "exam_types": ["abdomen"]}
    answer = client(world).put(address, body, format="json")
    assert answer.status_code == 200, answer.json()
    assert {name: answer.json()[name] for name in body} == body | {"languages": ["wuu", "zh"]}
    refused = client(world).put(address, body | {"exam_types": ["heart"]}, format="json")
    assert refused.json()["code"] == "unknown_exam_type"
    assert (
        client(world).put(address, body | {"by_release": True}, format="json").json()["code"]
        == "not_a_person"
    )


def test_an_exam_types_rules_are_written_by_its_keepers_administrator_and_listed(world: World) -> None:
    body = {
        "minutes": 30, "assistant": False, "probe": "", "preparation_zh": "空腹", "preparation_en": "fasting",
        "windows": [{"opens": "07:30", "closes": "11:30"}],
        "order_rules": [{"procedure": "barium", "kind": "days_after", "days": 3}],
        "reminders": [{"days_before": 3, "at": "09:00"}, {"days_before": 1, "at": "18:30"}],
    }  # fmt: skip
    answer = client(world, "admin").put("/api/v1/exam-types/abdomen", body, format="json")
    assert answer.status_code == 200, answer.json()
    (listed,) = client(world).get("/api/v1/exam-types").json()["results"]
    assert {name: listed[name] for name in body} == body
    assert client(world).put("/api/v1/exam-types/abdomen", body, format="json").status_code == 403
    assert client(world, "admin").put("/api/v1/exam-types/heart", body, format="json").status_code == 404

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access import services
from hospital.scheduling.models import ExamType, Resource
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def get(world: World, address: str, who: str | None = "desk") -> Any:
    if who is None:
        return APIClient().get(address)
    token, _ = services.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get(address)


def test_the_desk_sees_what_can_be_booked(world: World) -> None:
    answer = get(world, "/api/v1/exam-types")
    assert answer.status_code == 200
    body = answer.json()
    assert body["next"] is None
    kind = ExamType.objects.get()
    row = next(row for row in body["results"] if row["code"] == kind.code)
    assert (row["name_zh"], row["minutes"], row["service"]) == (kind.name_zh, kind.minutes, kind.service)


def test_rooms_robots_and_people_of_the_own_house_are_listed(world: World) -> None:
    rows = get(world, "/api/v1/resources").json()["results"]
    assert {row["kind"] for row in rows} == {"person", "room", "robot"}
    assert {row["institution_id"] for row in rows} == {str(world.places["home"].id)}
    people = {row["user_id"] for row in rows if row["kind"] == "person"}
    assert str(world.users["bedside"].id) in people
    assert all(row["user_id"] is None for row in rows if row["kind"] != "person")


def test_one_kind_can_be_asked_for(world: World) -> None:
    rows = get(world, "/api/v1/resources?kind=room").json()["results"]
    assert {row["id"] for row in rows} == {str(world.room.id), str(world.room2.id)}


def test_a_resource_out_of_use_is_not_offered(world: World) -> None:
    Resource.objects.filter(id=world.room2.id).update(active=False)
    rows = get(world, "/api/v1/resources?kind=room").json()["results"]
    assert [row["id"] for row in rows] == [str(world.room.id)]


def test_an_unknown_kind_is_refused_with_a_code(world: World) -> None:
    answer = get(world, "/api/v1/resources?kind=spaceship")
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize("address", ["/api/v1/exam-types", "/api/v1/resources"])
@pytest.mark.parametrize(("who", "status"), [(None, 401), ("admin", 403), ("expert", 200), ("bedside", 200)])
def test_calendars_are_for_clinical_staff(world: World, address: str, who: str | None, status: int) -> None:
    assert get(world, address, who).status_code == status

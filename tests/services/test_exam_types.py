"""An exam type's own rules at a booking: each refusal has its code, and the same booking within the rules succeeds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from hospital.access.models import Membership, User
from hospital.common.clock import SHANGHAI, shanghai_day, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.scheduling import services_calendars
from hospital.scheduling.models import ExamType, ExamWindow, OrderRule, Reservation, Resource
from teleconsult import services
from teleconsult.models import Exam
from tests.factories import World, make_world

from .test_exam_services import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def kind() -> ExamType:
    return ExamType.objects.get(code="abdomen")


def at(hour: int, minute: int = 0, *, days: int = 1) -> datetime:
    """That time in Shanghai, some days from today."""
    return shanghai_day(today() + timedelta(days=days))[0] + timedelta(hours=hour, minutes=minute)


def assistant(world: World) -> User:
    user = User.objects.create(username="helper", name="孙洁", password="!", totp_secret="-")
    Membership.objects.create(user=user, institution=world.places["home"], role="assistant")
    Resource.objects.create(kind="person", user=user, institution=world.places["home"], name="孙洁")
    return user


def calendars(exam: Exam) -> set[str]:
    rows = Reservation.objects.filter(appointment=exam.appointment, status="booked")
    return {str(row.resource_id) for row in rows}


def test_a_morning_exam_is_booked_in_the_morning_and_refused_after_it(world: World) -> None:
    ExamWindow.objects.create(exam_type=kind(), opens_minute=450, closes_minute=690)
    with refused("outside_exam_hours"):
        world.book(starts_at=at(11, 15))
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=at(15))
    assert caught.value.data["hours"] == [{"from": "07:30", "to": "11:30"}]
    assert not Exam.objects.exists()
    exam = world.book(starts_at=at(11, 10))
    with refused("outside_exam_hours"):
        services.exam_move(principal=world.principals["desk"], exam_id=exam.id, starts_at=at(14))


def test_a_rule_that_came_later_moves_nothing_that_is_booked(world: World) -> None:
    exam = world.book(starts_at=at(15))
    ExamWindow.objects.create(exam_type=kind(), opens_minute=450, closes_minute=690)
    desk = world.principals["desk"]
    moved = services.exam_move(principal=desk, exam_id=exam.id, starts_at=at(15), room_id=world.room2.id)
    assert (moved.room, moved.starts_at) == (world.room2, at(15))
    with refused("outside_exam_hours"):
        services.exam_move(principal=desk, exam_id=exam.id, starts_at=at(16))


def test_a_type_without_hours_is_booked_at_any_hour(world: World) -> None:
    assert world.book(starts_at=at(23, 50)).state == "booked"


def test_a_type_that_needs_an_assistant_reserves_one(world: World) -> None:
    ExamType.objects.update(assistant=True)
    with refused("assistant_needed", Invalid):
        world.book()
    helper = assistant(world)
    exam = world.book(assistant_id=helper.id)
    assert str(Resource.objects.get(user=helper).id) in calendars(exam)
    assert exam.assistant == helper
    with refused("same_person", Invalid):
        world.book(assistant_id=world.users["bedside"].id, starts_at=at(8, days=3))
    with refused("wrong_role", Invalid):
        world.book(assistant_id=world.users["bedside2"].id, starts_at=at(8, days=3))


def test_a_type_that_needs_a_probe_reserves_a_free_one_of_its_own_house(world: World) -> None:
    ExamType.objects.update(probe="linear")
    with refused("no_such_probe", Invalid):
        world.book()
    home, other = world.places["home"], world.places["other"]
    Resource.objects.create(kind="probe", probe_type="linear", institution=other, name="外院探头")
    Resource.objects.create(kind="probe", probe_type="convex", institution=home, name="凸阵")
    with refused("no_such_probe", Invalid):
        world.book()
    first = Resource.objects.create(kind="probe", probe_type="linear", institution=home, name="线阵 1")
    second = Resource.objects.create(kind="probe", probe_type="linear", institution=home, name="线阵 2")
    assert world.book().probe == first
    Exam.objects.update(state="cancelled")
    Reservation.objects.exclude(resource=first).update(status="released")
    assert world.book().probe == second
    Reservation.objects.filter(resource__kind="person").update(status="released")
    Reservation.objects.filter(resource__kind__in=["room", "robot"]).update(status="released")
    with pytest.raises(Conflict) as caught:
        world.book()
    assert [row["name"] for row in caught.value.data["taken"]] == ["线阵 1"]


def test_a_probe_that_is_still_cleaned_by_then_is_left_for_a_free_one(world: World) -> None:
    ExamType.objects.update(probe="linear")
    home = world.places["home"]
    probes = [
        Resource.objects.create(
            kind="probe", probe_type="linear", institution=home, name=name, after_minutes=30
        )
        for name in ("线阵 1", "线阵 2")
    ]
    later = world.book(starts_at=at(10))
    assert later.probe == probes[0]
    before = later.starts_at - timedelta(minutes=kind().minutes)
    assert world.book(starts_at=before).probe == probes[1], "the first would be taken while it is cleaned"


def test_who_or_what_is_not_qualified_for_the_type_cannot_be_booked(world: World) -> None:
    heart = ExamType.objects.create(
        code="heart", name_zh="心脏", name_en="Heart", minutes=30, service="remote_ultrasound"
    )
    world.room.exam_types.add(heart)
    with pytest.raises(Invalid) as caught:
        world.book()
    assert caught.value.code == "not_qualified"
    assert [row["resource_id"] for row in caught.value.data["resources"]] == [str(world.room.id)]
    world.room.exam_types.add(kind())
    assert world.book().state == "booked"


def told(procedure: str, when: datetime) -> dict[str, Any]:
    return {"other_procedures": [{"procedure": procedure, "at": when}]}


def test_an_exam_must_come_before_the_gastroscopy_of_its_day_also_when_moved(world: World) -> None:
    OrderRule.objects.create(exam_type=kind(), procedure="gastroscopy", kind="before", days=1)
    with refused("must_come_before"):
        world.book(starts_at=at(14), **told("gastroscopy", at(10)))
    exam = world.book(starts_at=at(9), **told("gastroscopy", at(10)))
    with refused("must_come_before"):
        services.exam_move(principal=world.principals["desk"], exam_id=exam.id, starts_at=at(15))
    moved = services.exam_move(principal=world.principals["desk"], exam_id=exam.id, starts_at=at(8, days=2))
    assert moved.starts_at == at(8, days=2)


def test_an_exam_waits_three_days_after_barium(world: World) -> None:
    OrderRule.objects.create(exam_type=kind(), procedure="barium", kind="days_after", days=3)
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=at(9, days=3), **told("barium", at(15, days=1)))
    assert caught.value.code == "too_soon_after"
    assert datetime.fromisoformat(caught.value.data["free_from"]) == at(0, days=4)
    assert world.book(starts_at=at(0, days=4), **told("barium", at(15, days=1))).state == "booked"


def test_the_patients_own_exams_here_count_without_being_told(world: World) -> None:
    contrast = ExamType.objects.create(
        code="contrast", name_zh="造影", name_en="Contrast", minutes=20, service="remote_ultrasound"
    )
    OrderRule.objects.create(exam_type=kind(), procedure="contrast", kind="days_after", days=2)
    first = world.book(exam_type=contrast.code, starts_at=at(9))
    with refused("too_soon_after"):
        world.book(starts_at=at(9, days=2))
    services.exam_cancel(principal=world.principals["desk"], exam_id=first.id, reason="改期")
    assert world.book(starts_at=at(9, days=2)).state == "booked"


RULES: dict[str, Any] = {
    "minutes": 30,
    "assistant": False,
    "probe": "",
    "preparation_zh": "空腹",
    "preparation_en": "fasting",
    "windows": [{"opens_minute": 450, "closes_minute": 690}],
    "order_rules": [{"procedure": "barium", "kind": "days_after", "days": 3}],
    "reminders": [{"days_before": 3, "minute": 540}, {"days_before": 1, "minute": 1110}],
}


def test_the_keeper_writes_the_rules_anew_and_nobody_elses_administrator_does(world: World) -> None:
    services_calendars.exam_type_keep(principal=world.principals["admin"], code="abdomen", **RULES)
    found = services_calendars.exam_type_keep(principal=world.principals["admin"], code="abdomen", **RULES)
    assert (found.minutes, found.windows.count(), found.order_rules.count(), found.reminders.count()) == (
        30,
        1,
        1,
        2,
    )
    exam = world.book(starts_at=at(8))
    assert exam.ends_at - exam.starts_at == timedelta(minutes=30)
    assert exam.starts_at.astimezone(SHANGHAI).hour == 8
    ExamType.objects.update(keeper=world.places["other"])
    with pytest.raises(NotFound):
        services_calendars.exam_type_keep(principal=world.principals["admin"], code="abdomen", **RULES)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"windows": [{"opens_minute": 690, "closes_minute": 450}]}, "bad_hours"),
        ({"order_rules": RULES["order_rules"] * 2}, "order_rule_twice"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(
    world: World, change: dict[str, Any], code: str
) -> None:
    with refused(code, Invalid):
        services_calendars.exam_type_keep(
            principal=world.principals["admin"], code="abdomen", **RULES | change
        )
    assert not kind().windows.exists()

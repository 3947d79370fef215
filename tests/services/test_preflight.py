"""Pre-flight: fifteen minutes before a slot the desk is told what would keep the exam from starting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from devices.fleet.models import Robot, SelfTest
from hospital.access.models import Tablet
from hospital.common import clock
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people.models import Practitioner
from teleconsult import board, later, preflight, services
from teleconsult.board_views import board_json
from teleconsult.models import Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
WELL = preflight.Facts(
    robot_online=True, robot_overdue=False, self_test="passed", tablet_paired=True,
    tablet_seen_at=datetime(2026, 11, 24, 1, tzinfo=clock.timezone.get_default_timezone()), agreement=True,
    practice_problems=(), turnover_open=False,
)  # fmt: skip


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def exam(world: World) -> Iterator[Exam]:
    """It is a quarter of an hour before the exam; the robot is there."""
    booked = world.book()
    before = booked.starts_at - timedelta(minutes=15)
    Robot.objects.filter(id=world.robot.id).update(connection="c", last_seen_at=before + timedelta(hours=1))
    with patch.object(clock.timezone, "now", lambda: before):
        yield booked


def told() -> list[str]:
    return [row.text for row in Message.objects.filter(template="preflight")]


def alarms(world: World, exam: Exam) -> list[str]:
    look = board.look(world.principals["desk"], day=exam.starts_at.astimezone(clock.SHANGHAI).date())
    found = board_json(look, world.principals["desk"])["alarms"]
    return [problem["code"] for row in found for problem in row["problems"]]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"robot_online": False}, ["robot_offline"]),
        ({"robot_overdue": True}, ["robot_overdue"]),
        ({"self_test": "failed"}, ["self_test_failed"]),
        ({"self_test": "timed_out"}, ["self_test_failed"]),
        ({"self_test": ""}, []),
        ({"tablet_seen_at": None}, ["tablet_unseen"]),
        ({"tablet_seen_at": None, "tablet_paired": False}, []),
        ({"turnover_open": True}, ["turnover_open"]),
        ({"agreement": False}, ["agreement_missing"]),
        ({"practice_problems": ("licence_invalid",)}, ["licence_invalid"]),
    ],
)
def test_each_thing_that_is_missing_has_its_code(change: dict[str, Any], codes: list[str]) -> None:
    assert WELL.tablet_seen_at is not None
    facts = preflight.Facts(**{**WELL.__dict__, **change})
    assert preflight.problems(facts, WELL.tablet_seen_at + timedelta(hours=1)) == codes


def test_a_quarter_of_an_hour_before_the_desk_is_told_what_is_wrong_once(world: World, exam: Exam) -> None:
    Robot.objects.filter(id=world.robot.id).update(last_seen_at=None)
    SelfTest.objects.create(
        robot=world.robot, exam_id=exam.id, asked_by=world.users["bedside"], finished_at=now(), passed=False
    )
    assert alarms(world, exam) == ["robot_offline", "self_test_failed"]
    work_drain()
    work_drain()
    (text,) = told()
    assert "机器人" in text
    assert world.patient.name not in text
    assert Message.objects.get(template="preflight").to == str(world.users["desk"].id)


def test_what_was_put_right_alarms_nobody(world: World, exam: Exam) -> None:
    assert alarms(world, exam) == []
    work_drain()
    assert told() == []


def test_papers_that_ended_since_the_booking_alarm(world: World, exam: Exam) -> None:
    Practitioner.objects.filter(user=world.users["expert"]).update(standing="suspended")
    assert "licence_invalid" in alarms(world, exam)


def test_a_paired_tablet_that_nobody_used_in_this_shift_alarms(world: World, exam: Exam) -> None:
    Tablet.objects.create(
        institution=world.places["home"], room_id=world.room.id, name="x", public_key=b"k", paired_at=now(),
        created_by=world.users["admin"], last_used_at=now() - timedelta(hours=13),
    )  # fmt: skip
    assert alarms(world, exam) == ["tablet_unseen"]
    Tablet.objects.update(last_used_at=now() - timedelta(hours=1))
    assert alarms(world, exam) == []


def test_earlier_than_a_quarter_of_an_hour_nothing_is_looked_at(world: World, exam: Exam) -> None:
    Robot.objects.filter(id=world.robot.id).update(last_seen_at=None)
    with patch.object(clock.timezone, "now", lambda: exam.starts_at - timedelta(minutes=16)):
        assert alarms(world, exam) == []
        work_drain()
    assert told() == []


@pytest.mark.parametrize("what", ["moved", "cancelled"])
def test_an_exam_that_is_elsewhere_or_off_alarms_nobody(world: World, exam: Exam, what: str) -> None:
    Robot.objects.filter(id=world.robot.id).update(last_seen_at=None)
    desk = world.principals["desk"]
    if what == "moved":
        services.exam_move(principal=desk, exam_id=exam.id, starts_at=exam.starts_at + timedelta(hours=2))
    else:
        services.exam_cancel(principal=desk, exam_id=exam.id, reason="x")
    work_drain()
    assert told() == []


def test_a_moved_exam_is_looked_at_before_its_new_time(world: World, exam: Exam) -> None:
    Robot.objects.filter(id=world.robot.id).update(last_seen_at=None)
    later = exam.starts_at + timedelta(hours=2)
    services.exam_move(principal=world.principals["desk"], exam_id=exam.id, starts_at=later)
    with patch.object(clock.timezone, "now", lambda: later - timedelta(minutes=14)):
        work_drain()
    assert len(told()) == 1


def test_planned_twice_is_looked_at_once(world: World, exam: Exam) -> None:
    later.watch(exam)
    later.watch_all()
    assert Work.objects.filter(kind=later.PREFLIGHT).count() == 1

"""The booking desk's board: whose exams it shows, what it says of a calendar, and how many queries that takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hospital.common.clock import SHANGHAI, now, shanghai_day, today
from hospital.people.models import Agreement
from hospital.scheduling.models import CalendarException, Resource
from hospital.scheduling.models import WeeklyHours as Weekly
from teleconsult import board, services
from teleconsult.board_views import board_json
from teleconsult.models import Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def look_of(exam: Exam, world: World, who: str = "desk") -> dict[str, Any]:
    principal = world.principals[who]
    return board_json(board.look(principal, day=exam.starts_at.astimezone(SHANGHAI).date()), principal)


def line_of(look: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    return next(dict(line) for line in look["lines"] if (line["kind"], line["name"]) == (kind, name))


def test_a_desk_sees_its_own_exams_masked_and_another_desk_none(world: World) -> None:
    exam = world.book()
    (row,) = look_of(exam, world)["results"]
    assert (row["id"], row["patient"]["name_masked"]) == (str(exam.id), "王*东")
    assert world.patient.name not in str(row)
    assert world.patient.document_number not in str(row)
    assert exam.clinical_question not in str(row)
    assert row["room"]["id"] == str(world.room.id)
    assert set(row["allowed"]) >= {"move", "cancel", "check_in"}
    assert look_of(exam, world, "other_desk")["results"] == []


def test_an_exam_near_midnight_stands_on_its_shanghai_day(world: World) -> None:
    tomorrow = today() + timedelta(days=1)
    start = shanghai_day(tomorrow)[0]
    for at in (start, start + timedelta(hours=23, minutes=30)):
        world.book(starts_at=at)
    desk = world.principals["desk"]
    assert len(board.look(desk, day=tomorrow).exams) == 2
    assert board.look(desk, day=tomorrow + timedelta(days=1)).exams == []
    assert len(board.look(desk, day=tomorrow - timedelta(days=1), days=3).exams) == 2


def test_every_kind_has_its_lines_named_as_a_move_names_them(world: World) -> None:
    look = look_of(world.book(), world)
    keys = {(line["kind"], line["name"]): line["key"] for line in look["lines"]}
    assert keys[("room", "2 室")] == str(world.room2.id)
    assert keys[("robot", "机器人")] == str(world.robot.id)
    assert keys[("remote_physician", "赵雅琴")] == str(world.users["expert2"].id)
    assert keys[("bedside_physician", "徐芳")] == str(world.users["bedside2"].id)
    assert not [line for line in look["lines"] if line["name"] == "外院专家"]


def test_busy_time_has_its_buffers_and_says_not_with_whom(world: World) -> None:
    """What a kept time or another hospital takes is busy too, and has no name."""
    Resource.objects.filter(id=world.room.id).update(after_minutes=10)
    exam = world.book()
    start, end = int(exam.starts_at.timestamp()), int(exam.ends_at.timestamp())
    kept = world.booking(starts_at=world.tomorrow(60), room_id=world.room2.id)
    for name in ("patient_id", "clinical_question", "history"):
        del kept[name]
    services.exam_hold(principal=world.principals["desk"], **kept)
    look = look_of(exam, world)
    assert line_of(look, "room", "1 室")["busy"] == [(start, end + 600)]
    held = int(world.tomorrow(60).timestamp())
    assert line_of(look, "room", "2 室")["busy"] == [(held, held + 1200)]
    assert line_of(look, "remote_physician", "王思远")["busy"] == [(start, end), (held, held + 1200)]


def test_closed_time_is_what_hours_and_exceptions_leave(world: World) -> None:
    exam = world.book()
    day = exam.starts_at.astimezone(SHANGHAI).date()
    midnight = int(shanghai_day(day)[0].timestamp())
    assert line_of(look_of(exam, world), "room", "2 室")["closed"] == []
    for weekday in range(7):
        Weekly.objects.create(resource=world.room2, weekday=weekday, opens_minute=480, closes_minute=1020)
    noon = shanghai_day(day)[0] + timedelta(hours=12)
    CalendarException.objects.create(
        resource=world.room2, period=(noon, noon + timedelta(hours=1)), reason="maintenance",
        created_by_id=world.users["desk"].id,
    )  # fmt: skip
    closed = line_of(look_of(exam, world), "room", "2 室")["closed"]
    assert closed == [
        (midnight, midnight + 480 * 60),
        (midnight + 720 * 60, midnight + 780 * 60),
        (midnight + 1020 * 60, midnight + 1440 * 60),
    ]


def test_a_running_exam_shows_how_its_two_ends_stand(world: World) -> None:
    exam = world.live()
    (row,) = look_of(exam, world)["results"]
    assert row["link"] == {"console": True, "bedside": True, "good": True, "rtt_p95_ms": 9.0}
    exam.presences.filter(role="bedside").update(last_seen_at=now() - timedelta(seconds=7))
    assert look_of(exam, world)["results"][0]["link"]["bedside"] is False


def test_who_has_no_agreement_any_more_has_no_line_but_where_booked(world: World) -> None:
    exam = world.book()
    Agreement.objects.filter(id=world.agreement.id).update(ended_at=now())
    names = {line["name"] for line in look_of(exam, world)["lines"] if line["kind"] == "remote_physician"}
    assert names == {"王思远"}


@pytest.mark.parametrize("q", ["王小东", "王*东", "wang xiao", "wxd", "0001", "0012", "P00000000"])
def test_a_booking_is_found_by_name_sound_or_tail(world: World, q: str) -> None:
    later, sooner = world.book(starts_at=world.tomorrow(600)), world.book(starts_at=world.tomorrow(60))
    asked = world.patient.mpi if q.startswith("P") else q
    found = board.found(world.principals["desk"], asked)
    assert [exam.id for exam in found] == ([] if "*" in q else [sooner.id, later.id])
    assert board.found(world.principals["other_desk"], asked) == []


def test_nothing_asked_finds_nothing(world: World) -> None:
    world.book()
    assert board.found(world.principals["desk"], "  ") == []


def test_more_exams_take_no_more_queries(world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            look_of(exam, world)
        return len(captured)

    exam = world.book(starts_at=world.tomorrow(0))
    one = queries()
    for number in range(1, 8):
        world.book(starts_at=world.tomorrow(30 * number))
    assert queries() == one

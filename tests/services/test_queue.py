"""Arrival and queue: a number, a call, a pass, a walk-in, and the word to those who wait too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from hospital.audit.models import AuditEntry
from hospital.common import clock
from hospital.common.clock import shanghai_day, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.messages.models import Message
from hospital.people import services as people
from hospital.people.models import Patient
from hospital.scheduling.models import WeeklyHours as Weekly
from teleconsult import queue, services, slip
from teleconsult.models import Exam, QueueTicket
from teleconsult.services import delays
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
# Four documents with a good check digit (tests of identities).
OTHERS = ("320584194802290036", "31022919420901007X", "330421193806300058", "320225194507080048")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def nine() -> Iterator[datetime]:
    """It is nine in the morning of a day to come, whatever the hour of this run."""
    morning = shanghai_day(today() + timedelta(days=2))[0] + timedelta(hours=9)
    with patch.object(clock.timezone, "now", lambda: morning):
        yield morning


def patient(world: World, number: int) -> Patient:
    document = OTHERS[number]
    found, _ = people.patient_register(
        principal=world.principals["desk"], name=f"沈{'一二三四'[number]}妹", document_type="01",
        document_number=document, sex="1" if int(document[16]) % 2 else "2", phone=f"1390000010{number}",
        birth_date=date(int(document[6:10]), int(document[10:12]), int(document[12:14])),
    )  # fmt: skip
    return found


def booked(world: World, at: datetime, who: Patient | None = None, **changes: Any) -> Exam:
    return world.book(starts_at=at, patient_id=(who or world.patient).id, **changes)


def arrives(world: World, said: str, who: str = "desk") -> QueueTicket:
    exam = services.arrival_check_in(principal=world.principals[who], said=said)
    return QueueTicket.objects.get(exam=exam)


def line(world: World, at: datetime, count: int) -> list[Exam]:
    """So many patients booked one after another, all there."""
    exams = [booked(world, at + timedelta(minutes=20 * n), patient(world, n)) for n in range(count)]
    for exam in exams:
        services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    return exams


def order(world: World) -> list[int]:
    room = queue.room_queue(world.principals["desk"], world.room.id)
    return [place.ticket.number for place in room.waiting]


@pytest.mark.parametrize("said", ["310229195003150012", "0001 王小东", "slip"])
def test_a_document_a_tail_with_the_name_or_the_slip_gives_a_number(
    world: World, nine: datetime, said: str
) -> None:
    exam = booked(world, nine + timedelta(minutes=30))
    ticket = arrives(world, slip.scanned_of(exam.id) if said == "slip" else said)
    assert (ticket.exam_id, ticket.number, ticket.room_id) == (exam.id, 1, world.room.id)
    assert Exam.objects.get(id=exam.id).state == "checked_in"
    assert AuditEntry.objects.filter(action="exam.check_in", object_id=exam.id).exists()


def test_who_arrives_again_keeps_the_number(world: World, nine: datetime) -> None:
    booked(world, nine + timedelta(minutes=30))
    first = arrives(world, "310229195003150012")
    assert arrives(world, "310229195003150012") == first


def test_each_room_counts_its_own_day(world: World, nine: datetime) -> None:
    booked(world, nine + timedelta(minutes=30))
    booked(world, nine + timedelta(minutes=60), patient(world, 0), room_id=world.room2.id)
    booked(world, nine + timedelta(minutes=90), patient(world, 1))
    numbers = [arrives(world, said) for said in ("310229195003150012", OTHERS[0], OTHERS[1])]
    assert [(row.room_id, row.number) for row in numbers] == [
        (world.room.id, 1), (world.room2.id, 1), (world.room.id, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["310229195003150012", "9999 王小东", "0001 王大东", "YDA.guess", OTHERS[2]])
def test_who_is_not_booked_today_is_not_there(world: World, nine: datetime, said: str) -> None:
    booked(world, nine + timedelta(days=1))
    with pytest.raises(NotFound, match="nobody_arrives"):
        arrives(world, said)


def test_another_hospitals_desk_checks_nobody_in(world: World, nine: datetime) -> None:
    exam = booked(world, nine + timedelta(minutes=30))
    for said in ("310229195003150012", slip.scanned_of(exam.id)):
        with pytest.raises(NotFound):
            arrives(world, said, "other_desk")
    assert not QueueTicket.objects.exists()


def test_half_of_what_identifies_is_refused(world: World, nine: datetime) -> None:
    with pytest.raises(Invalid, match="arrival_unread"):
        arrives(world, "王小东")


def test_a_changed_letter_of_a_slip_is_noticed(world: World, nine: datetime) -> None:
    exam = booked(world, nine + timedelta(minutes=30))
    token = slip.token_of(exam.id)
    assert slip.exam_of(token) == exam.id
    changed = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token) - 1)]
    assert [one for one in changed if slip.exam_of(one) is not None] == []
    assert slip.exam_of("é") is None


def test_numbers_are_called_in_the_order_of_their_times_and_passed_ones_return_after_two(
    world: World, nine: datetime
) -> None:
    desk, room = world.principals["desk"], world.room.id
    exams = line(world, nine + timedelta(minutes=10), 4)
    assert services.queue_call_next(principal=desk, room_id=room).id == exams[0].id
    services.queue_pass(principal=desk, exam_id=exams[0].id)
    assert order(world) == [2, 3, 1, 4]
    called = [services.queue_call_next(principal=desk, room_id=room).id for _ in range(4)]
    assert called == [exams[n].id for n in (1, 2, 0, 3)]
    with pytest.raises(Conflict, match="queue_empty"):
        services.queue_call_next(principal=desk, room_id=room)


def test_who_was_not_called_cannot_be_passed_and_a_second_call_counts(world: World, nine: datetime) -> None:
    desk = world.principals["desk"]
    (exam,) = line(world, nine + timedelta(minutes=10), 1)
    with pytest.raises(Conflict, match="not_called"):
        services.queue_pass(principal=desk, exam_id=exam.id)
    for _ in range(2):
        services.queue_call(principal=desk, exam_id=exam.id)
    assert QueueTicket.objects.get(exam=exam).calls_n == 2
    with pytest.raises(NotFound):
        services.queue_call(principal=world.principals["other_desk"], exam_id=exam.id)
    services.exam_cancel(principal=desk, exam_id=exam.id, reason="x")
    with pytest.raises(Conflict, match="not_waiting"):
        services.queue_call(principal=desk, exam_id=exam.id)


def test_a_walk_in_takes_the_next_gap_and_a_number(world: World, nine: datetime) -> None:
    for place in world.places.values():
        for weekday in range(7):
            Weekly.objects.create(institution=place, weekday=weekday, opens_minute=480, closes_minute=1020)
    booked(world, nine)
    exam = services.walk_in(
        principal=world.principals["desk"], patient_id=patient(world, 0).id, exam_type="abdomen",
        clinical_question="腹痛",
    )  # fmt: skip
    assert exam.state == "checked_in"
    assert nine < exam.starts_at <= nine + timedelta(minutes=40)
    assert QueueTicket.objects.get(exam=exam).number == 1


def test_without_a_gap_today_a_walk_in_is_refused_and_leaves_nothing(world: World, nine: datetime) -> None:
    late = shanghai_day(nine.date())[0] + timedelta(hours=23, minutes=50)
    with (
        patch.object(clock.timezone, "now", lambda: late),
        pytest.raises(Conflict, match="no_gap_today"),
    ):
        services.walk_in(
            principal=world.principals["desk"], patient_id=world.patient.id, exam_type="abdomen",
            clinical_question="腹痛",
        )  # fmt: skip
    assert not Exam.objects.exists()


def test_who_waits_more_than_twenty_minutes_too_long_is_told_once(world: World, nine: datetime) -> None:
    exams = line(world, nine, 3)
    later = nine + timedelta(minutes=25)
    with patch.object(clock.timezone, "now", lambda: later):
        room = queue.room_queue(world.principals["desk"], world.room.id)
        assert [place.begins_at for place in room.waiting] == [
            later + timedelta(minutes=20 * n) for n in range(3)
        ]
        assert delays.late_told() == 3
        assert delays.late_told() == 0
        told = Message.objects.filter(template="exam_delayed")
        assert sorted(row.to for row in told) == ["13900000100", "13900000101", "13900000102"]
        assert "09:25" in next(row.text for row in told if row.to == "13900000100")
    assert AuditEntry.objects.filter(action="queue.told_late").count() == len(exams)


def test_who_waits_twenty_minutes_is_not_disturbed(world: World, nine: datetime) -> None:
    line(world, nine, 2)
    with patch.object(clock.timezone, "now", lambda: nine + timedelta(minutes=20)):
        assert delays.late_told() == 0


def test_recent_exams_of_the_type_say_how_late_the_next_will_be(world: World, nine: datetime) -> None:
    for number in range(6):
        exam = booked(world, nine + timedelta(minutes=120 + 30 * number))
        start = nine - timedelta(days=1, minutes=60 * number)
        Exam.objects.filter(id=exam.id).update(
            state="reported", started_at=start, ended_at=start + timedelta(minutes=40)
        )
    line(world, nine, 2)
    room = queue.room_queue(world.principals["desk"], world.room.id)
    assert [place.begins_at for place in room.waiting] == [nine, nine + timedelta(minutes=40)]

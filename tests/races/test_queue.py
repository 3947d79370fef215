"""Two desks at once: with the room's lock each arrival has a number of its own, without it the constraint refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from django.db import IntegrityError

from hospital.common.clock import SHANGHAI, now
from hospital.scheduling import services as scheduling
from teleconsult import services
from teleconsult.models import Exam, QueueTicket
from tests.factories import World, make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6


@pytest.fixture
def world() -> World:
    return make_world()


def arrivals(world: World) -> list[Exam]:
    return [world.book(starts_at=world.tomorrow(20 * number)) for number in range(MANY)]


def check_in_all(world: World, exams: list[Exam]) -> list[object]:
    desk = world.principals["desk"]
    return together([partial(services.exam_check_in, principal=desk, exam_id=exam.id) for exam in exams])


@contextmanager
def counted_at_the_same_time(parties: int) -> Iterator[None]:
    """Everybody has counted the day's numbers before anybody writes one."""
    barrier, create = threading.Barrier(parties), QueueTicket.objects.create

    def late(**given: object) -> QueueTicket:
        barrier.wait(10)
        return create(**given)

    with patch.object(QueueTicket.objects, "create", late):
        yield


def test_without_the_lock_two_arrivals_at_once_want_the_same_number(world: World) -> None:
    """The constraint still has the last word: no number twice, but somebody is refused at the desk."""
    exams = arrivals(world)[:2]
    with patch.object(scheduling, "resource_lock", lambda resource_id: None), counted_at_the_same_time(2):
        results = check_in_all(world, exams)
    assert any(isinstance(result, IntegrityError) for result in results), results
    numbers = list(QueueTicket.objects.values_list("number", flat=True))
    assert len(set(numbers)) == len(numbers)


def test_with_the_lock_everybody_who_arrives_has_a_number(world: World) -> None:
    exams = arrivals(world)
    results = check_in_all(world, exams)
    assert all(isinstance(result, Exam) for result in results), results
    assert sorted(QueueTicket.objects.values_list("number", flat=True)) == list(range(1, MANY + 1))


def test_two_desks_that_call_next_at_once_call_two_numbers(world: World) -> None:
    soon = now() + timedelta(seconds=30)
    exams = arrivals(world)
    check_in_all(world, exams)
    QueueTicket.objects.update(day=soon.astimezone(SHANGHAI).date())
    call = partial(services.queue_call_next, principal=world.principals["desk"], room_id=world.room.id)
    results = together([call, call, call])
    assert all(isinstance(result, Exam) for result in results), results
    assert len({result.id for result in results if isinstance(result, Exam)}) == 3
    assert list(QueueTicket.objects.filter(calls_n=1).values_list("calls_n", flat=True)) == [1, 1, 1]

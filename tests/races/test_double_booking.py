"""Races prove themselves: first the double booking with the guards taken away, then its absence with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import pytest
from django.db import transaction

from devices.fleet import services as fleet
from devices.fleet.models import ControlLease
from hospital.access.principals import Principal
from hospital.access.services import ticket_issue, ticket_redeem
from hospital.common.errors import Conflict, DomainError
from hospital.common.ids import uuid7
from hospital.scheduling import services as scheduling
from hospital.scheduling.models import Reservation
from teleconsult import services
from teleconsult.models import Exam
from tests.factories import World, make_world

from .at_once import looked_at_the_same_time, no_row_locks, overlapping, together, without_the_constraint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def two_bookings(world: World) -> list[Callable[[], object]]:
    return [lambda: world.book(), lambda: world.book(starts_at=world.tomorrow(10))]


def test_without_constraint_and_locks_two_bookings_at_once_take_the_same_robot(world: World) -> None:
    with (
        without_the_constraint(),
        patch.object(scheduling, "_lock", no_row_locks),
        looked_at_the_same_time(2),
    ):
        results = together(two_bookings(world))
        assert all(isinstance(result, Exam) for result in results), results
        assert overlapping() > 0


def test_with_the_constraint_alone_exactly_one_is_booked_and_the_other_told_what_is_taken(
    world: World,
) -> None:
    with patch.object(scheduling, "_lock", no_row_locks), looked_at_the_same_time(2):
        results = together(two_bookings(world))
    assert sum(isinstance(result, Exam) for result in results) == 1, results
    refused = next(result for result in results if not isinstance(result, Exam))
    assert isinstance(refused, Conflict), refused
    assert refused.code == "taken"
    assert overlapping() == 0


def test_of_sixteen_bookings_at_once_for_one_person_exactly_one_wins(world: World) -> None:
    results = together([partial(world.book, starts_at=world.tomorrow(n % 15)) for n in range(16)])
    assert sum(isinstance(result, Exam) for result in results) == 1, results
    assert all(isinstance(result, Exam | Conflict) for result in results), results
    assert Exam.objects.count() == 1
    assert overlapping() == 0


def test_a_move_and_a_booking_for_the_same_time_never_both_succeed(world: World) -> None:
    moving = world.book(starts_at=world.tomorrow(120))
    desk = world.principals["desk"]
    results = together(
        [
            lambda: services.exam_move(principal=desk, exam_id=moving.id, starts_at=world.tomorrow()),
            lambda: world.book(),
        ]
    )
    assert sum(isinstance(result, Exam) for result in results) == 1, results
    assert overlapping() == 0
    assert Reservation.objects.filter(appointment=moving.appointment, status="booked").count() == 4


def test_a_cancelled_time_is_free_or_taken_but_never_half(world: World) -> None:
    exam = world.book()
    desk = world.principals["desk"]
    together(
        [lambda: services.exam_cancel(principal=desk, exam_id=exam.id, reason="改期"), lambda: world.book()]
    )
    exam.refresh_from_db()
    assert exam.state == "cancelled"
    assert Reservation.objects.filter(status="booked").count() in (0, 4)
    assert overlapping() == 0


def test_of_twenty_who_ask_for_one_robots_lease_exactly_one_holds_it(world: World) -> None:
    users = [world.users["expert"].id, world.users["expert2"].id]

    def take(number: int) -> object:
        return fleet.lease_take(
            robot_id=world.robot.id,
            holder_id=users[number % 2],
            exam_id=uuid7(),
            peer_id=f"p{number}",
            fingerprint="f",
        )

    results = together([partial(take, n) for n in range(20)])
    assert sum(isinstance(result, ControlLease) for result in results) == 1, results
    assert all(isinstance(result, ControlLease | DomainError) for result in results), results


def test_one_ticket_opens_one_of_ten_sockets(world: World) -> None:
    with transaction.atomic():
        ticket, _ = ticket_issue(principal=world.principals["expert"])
    results = together([lambda: ticket_redeem(ticket=ticket) for _ in range(10)])
    assert sum(isinstance(result, Principal) for result in results) == 1, results

"""Races prove themselves: first the double booking with the guards taken away, then its absence with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import pytest
from django.db import connection, transaction

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
from tests.owner import as_owner

pytestmark = pytest.mark.django_db(transaction=True)
CONSTRAINT = "no_resource_twice"


@pytest.fixture
def world() -> World:
    return make_world()


def together(acts: list[Callable[[], object]]) -> list[object]:
    """Run all at once, each with its own connection; results or errors in order."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int) -> None:
        try:
            barrier.wait(10)
            results[index] = acts[index]()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def overlapping() -> int:
    """Pairs of blocking reservations of one resource that overlap: must be 0."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_reservation a JOIN scheduling_reservation b"
            " ON a.resource_id = b.resource_id AND a.id < b.id AND a.period && b.period"
            " WHERE a.status IN ('hold', 'booked') AND b.status IN ('hold', 'booked')"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def looked_at_the_same_time(parties: int) -> Iterator[None]:
    """Both bookings have looked for busy time before either writes: the moment a check-then-write misses."""
    barrier, look = threading.Barrier(parties), scheduling.selectors.busy

    def slow_look(**given: object) -> list[dict[str, object]]:
        found = look(**given)  # type: ignore[arg-type]
        try:
            barrier.wait(3)
        except threading.BrokenBarrierError:
            pass
        return found

    with patch.object(scheduling.selectors, "busy", slow_look):
        yield


def no_row_locks(ids: object) -> list[object]:
    return sorted(set(ids))  # type: ignore[call-overload]


@contextmanager
def without_the_constraint() -> Iterator[None]:
    definition = as_owner(
        f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{CONSTRAINT}'"
    )[0][0]
    as_owner(f"ALTER TABLE scheduling_reservation DROP CONSTRAINT {CONSTRAINT}")
    try:
        yield
    finally:
        as_owner("DELETE FROM scheduling_reservation")
        as_owner(f"ALTER TABLE scheduling_reservation ADD CONSTRAINT {CONSTRAINT} {definition}")


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

"""Leave is written while a booking of that time is not decided yet: the one who comes second knows of the first."""

from __future__ import annotations

import threading
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction

from hospital.common.errors import Conflict
from hospital.scheduling import keeping, services
from hospital.scheduling.models import Appointment, CalendarException
from tests.factories import World, make_world
from tests.waiting import until

from .at_once import together
from .test_calendars import waiting_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def book(world: World) -> Appointment:
    start = world.tomorrow()
    return services.appointment_book(
        resource_ids=[world.room.id],
        starts_at=start,
        ends_at=start + timedelta(minutes=20),
        by=world.users["desk"].id,
    )


def close(world: World) -> list[dict[str, str]]:
    """What the closing of the room for that hour says it meets."""
    _, met = keeping.exception_add(
        principal=world.principals["desk"],
        resource_id=world.room.id,
        starts_at=world.tomorrow(),
        ends_at=world.tomorrow(60),
        open=False,
        reason="maintenance",
        note="",
    )
    return met


def test_without_the_lock_a_booking_lies_in_a_closed_hour_and_nobody_is_told(world: World) -> None:
    booked, closed = threading.Event(), threading.Event()

    def undecided() -> None:
        with transaction.atomic():
            book(world)
            booked.set()
            assert closed.wait(20)

    def blind() -> list[dict[str, str]]:
        assert booked.wait(20)
        try:
            with patch.object(keeping, "_locked", keeping.resource_kept):
                return close(world)
        finally:
            closed.set()

    _, met = together([undecided, blind])
    assert (met, Appointment.objects.count(), CalendarException.objects.count()) == ([], 1, 1)


def test_who_closes_waits_for_an_undecided_booking_and_is_told_of_it(world: World) -> None:
    booked = threading.Event()

    def undecided() -> Appointment:
        with transaction.atomic():
            found = book(world)
            booked.set()
            until(waiting_for_a_lock)
        return found

    def closer() -> list[dict[str, str]]:
        assert booked.wait(20)
        return close(world)

    appointment, met = together([undecided, closer])
    assert isinstance(appointment, Appointment), appointment
    assert isinstance(met, list), met
    assert [row["appointment_id"] for row in met] == [str(appointment.id)]


def test_who_books_waits_for_an_undecided_closing_and_is_refused(world: World) -> None:
    closed = threading.Event()

    def undecided() -> None:
        with transaction.atomic():
            close(world)
            closed.set()
            until(waiting_for_a_lock)

    def booking() -> Appointment:
        assert closed.wait(20)
        return book(world)

    _, refused = together([undecided, booking])
    assert isinstance(refused, Conflict), refused
    assert refused.code == "resource_closed"
    assert not Appointment.objects.exists()

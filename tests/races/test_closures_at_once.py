"""Leave is written while a booking of that time is not decided yet, and one week by two: who comes second knows of the first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction

from hospital.common.errors import Conflict
from hospital.scheduling import services, services_calendars, services_closures, services_weeks
from hospital.scheduling.models import Appointment, CalendarException, WeeklyHours
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
    _, met = services_calendars.exception_add(
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
            with patch.object(services_calendars, "calendar_locked", services_calendars.resource_kept):
                return close(world)
        finally:
            closed.set()

    _, met = together([undecided, blind])
    assert (met, Appointment.objects.count(), CalendarException.objects.count()) == ([], 1, 1)


def close_house(world: World) -> list[dict[str, str]]:
    """What the closing of the whole house for that hour says it meets."""
    _, met = services_closures.house_exception_add(
        principal=world.principals["desk"],
        institution_id=world.places["home"].id,
        starts_at=world.tomorrow(),
        ends_at=world.tomorrow(60),
        open=False,
        reason="closed",
        note="",
    )
    return met


@pytest.mark.parametrize("closing", [close, close_house])
def test_who_closes_waits_for_an_undecided_booking_and_is_told_of_it(
    world: World, closing: Callable[[World], list[dict[str, str]]]
) -> None:
    booked = threading.Event()

    def undecided() -> Appointment:
        with transaction.atomic():
            found = book(world)
            booked.set()
            until(waiting_for_a_lock)
        return found

    def closer() -> list[dict[str, str]]:
        assert booked.wait(20)
        return closing(world)

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


def week(world: World, opens_minute: int) -> None:
    """The whole week of the hospital: Mondays from then on."""
    services_weeks.institution_hours_set(
        principal=world.principals["desk"],
        institution_id=world.places["home"].id,
        rows=[{"weekday": 0, "opens_minute": opens_minute, "closes_minute": 1200}],
    )


def opens() -> list[int]:
    return sorted(WeeklyHours.objects.values_list("opens_minute", flat=True))


def test_without_the_lock_two_weeks_written_at_once_become_one_that_nobody_wrote(world: World) -> None:
    written, done = threading.Event(), threading.Event()

    def undecided() -> None:
        with transaction.atomic():
            week(world, 480)
            written.set()
            assert done.wait(20)

    def blind() -> None:
        assert written.wait(20)
        try:
            with patch.object(services_weeks, "_locked_place", services_calendars.institution_kept):
                week(world, 600)
        finally:
            done.set()

    assert together([undecided, blind]) == [None, None]
    assert opens() == [480, 600]


def test_who_writes_a_week_waits_for_an_undecided_one_and_takes_its_place(world: World) -> None:
    written = threading.Event()

    def undecided() -> None:
        with transaction.atomic():
            week(world, 480)
            written.set()
            until(waiting_for_a_lock)

    def second() -> None:
        assert written.wait(20)
        week(world, 600)

    assert together([undecided, second]) == [None, None]
    assert opens() == [600]

"""The calendar's own races: holds, moves, cancellations, lock order, deadlocks and rivals that do not finish."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection, transaction

from hospital.access.models import Institution
from hospital.common import locks
from hospital.common.clock import now
from hospital.common.errors import Conflict
from hospital.common.ids import uuid7
from hospital.scheduling import services
from hospital.scheduling.models import Appointment, Reservation, Resource
from tests.waiting import until

from .at_once import looked_at_the_same_time, no_row_locks, overlapping, together, without_the_constraint

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime(2027, 3, 1, 1, 0, tzinfo=UTC)
BY = uuid7()
SLOT = (DAY, DAY + timedelta(minutes=20))


@pytest.fixture
def ids() -> list[UUID]:
    """Three calendars, in id order."""
    place = Institution.objects.create(
        name="朱", name_en="Z", short_name="朱", region_code="310118", uscc="U1"
    )
    return sorted(Resource.objects.create(kind="room", institution=place, name=f"{n}").id for n in range(3))


def book(ids: list[UUID], minutes: int = 0, hold_id: UUID | None = None) -> Appointment:
    shift = timedelta(minutes=minutes)
    return services.appointment_book(
        resource_ids=ids, starts_at=SLOT[0] + shift, ends_at=SLOT[1] + shift, by=BY, hold_id=hold_id
    )


def move(appointment: Appointment, ids: list[UUID], minutes: int) -> Appointment:
    shift = timedelta(minutes=minutes)
    return services.appointment_move(
        appointment_id=appointment.id,
        resource_ids=ids,
        starts_at=SLOT[0] + shift,
        ends_at=SLOT[1] + shift,
        by=BY,
    )


def hold(ids: list[UUID], minutes: int = 0) -> UUID:
    shift, expires_at = timedelta(minutes=minutes), now() + timedelta(minutes=5)
    return services.hold_place(
        resource_ids=ids, starts_at=SLOT[0] + shift, ends_at=SLOT[1] + shift, expires_at=expires_at, by=BY
    )


def winners(results: list[object]) -> list[object]:
    """Who was not refused; a refusal is a Conflict, everything else is a failure of the test."""
    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(error, Conflict) for error in refused), refused
    return [result for result in results if not isinstance(result, Exception)]


def booked(appointment: Appointment) -> int:
    return Reservation.objects.filter(appointment=appointment, status="booked").count()


def test_without_the_guards_a_hold_and_a_booking_take_the_same_time(ids: list[UUID]) -> None:
    with without_the_constraint(), patch.object(services, "_lock", no_row_locks), looked_at_the_same_time(2):
        assert len(winners(together([lambda: hold(ids), lambda: book(ids, 10)]))) == 2
        assert overlapping() == 3


def test_a_hold_and_a_booking_at_once_never_both_succeed(ids: list[UUID]) -> None:
    for round_n in range(5):
        results = together([lambda n=round_n: hold(ids, n * 60), lambda n=round_n: book(ids, n * 60 + 10)])  # type: ignore[misc]
        assert len(winners(results)) == 1
    assert overlapping() == 0


def test_one_hold_is_turned_into_one_booking(ids: list[UUID]) -> None:
    held = hold(ids)
    assert len(winners(together([lambda: book(ids, hold_id=held) for _ in range(6)]))) == 1
    assert Appointment.objects.count() == 1


def test_opposite_orders_never_deadlock(ids: list[UUID]) -> None:
    acts: list[Callable[[], object]] = []
    for n in range(6):
        acts.append(lambda n=n: book(ids if n % 2 else ids[::-1], n * 3))  # type: ignore[misc]
    results = together(acts)
    assert len(winners(results)) == 1
    refused = [error for error in results if isinstance(error, Conflict)]
    assert all(error.code == "taken" and len(error.data["taken"]) == 3 for error in refused), refused


def test_two_appointments_that_swap_their_times_never_overlap_or_deadlock(ids: list[UUID]) -> None:
    first, second = book(ids), book(ids, 60)
    winners(together([lambda: move(first, ids, 60), lambda: move(second, ids, 0)]))
    assert overlapping() == 0
    assert (booked(first), booked(second)) == (3, 3)


def test_while_a_move_is_unsure_its_old_time_is_not_given_away(ids: list[UUID]) -> None:
    """The move has let its old time go but not committed; it is then undone. Whoever booked in between was refused."""
    mine, moved, decide = book(ids), threading.Event(), threading.Event()

    def unsure() -> None:
        with transaction.atomic():
            move(mine, ids, 60)
            moved.set()
            assert decide.wait(20)
            raise Conflict("changed_my_mind")

    def rival() -> Appointment:
        assert moved.wait(20)
        with patch.object(services, "_lock", no_row_locks):  # past the queue, straight into the constraint
            try:
                return book(ids)
            finally:
                decide.set()

    undone, refused = together([unsure, rival])
    assert isinstance(undone, Conflict)
    assert isinstance(refused, Conflict)
    mine.refresh_from_db()
    assert (mine.starts_at, booked(mine)) == (SLOT[0], 3)
    assert overlapping() == 0


def test_a_cancel_and_a_booking_at_once_leave_the_time_whole(ids: list[UUID]) -> None:
    mine = book(ids)
    results = together(
        [lambda: services.appointment_cancel(appointment_id=mine.id, reason="x", by=BY), lambda: book(ids)]
    )
    won = winners(results)
    assert booked(mine) == 0
    assert Reservation.objects.filter(status="booked").count() == 3 * (len(won) - 1)
    if len(won) == 1:
        book(ids)
    assert overlapping() == 0


def test_a_cancel_and_a_move_at_once_end_in_one_order(ids: list[UUID]) -> None:
    mine = book(ids)
    together(
        [
            lambda: services.appointment_cancel(appointment_id=mine.id, reason="x", by=BY),
            lambda: move(mine, ids, 60),
        ]
    )
    mine.refresh_from_db()
    assert (mine.status, booked(mine)) == ("cancelled", 0)


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        row = cursor.fetchone()
    assert row is not None
    return bool(row[0])


def insert(resource_id: UUID, appointment: Appointment) -> None:
    Reservation.objects.create(resource_id=resource_id, appointment=appointment, period=SLOT)


def test_a_deadlock_with_a_writer_without_locks_ends_in_a_named_refusal(ids: list[UUID]) -> None:
    first, last = ids[0], ids[-1]
    outside = Appointment.objects.create(starts_at=SLOT[0], ends_at=SLOT[1], created_by_id=BY)
    ready = threading.Event()

    def writer() -> None:
        with transaction.atomic():
            insert(last, outside)
            ready.set()
            until(waiting_for_a_lock)  # the booking has `first` and waits for `last`
            insert(first, outside)

    def booking() -> Appointment:
        assert ready.wait(20)
        return book([first, last])

    written, refused = together([writer, booking])
    assert written is None, written
    assert isinstance(refused, Conflict)
    assert refused.code == "taken"
    assert {row["resource_id"] for row in refused.data["taken"]} == {str(first), str(last)}
    assert overlapping() == 0
    assert Appointment.objects.count() == 1


def test_a_calendar_that_stays_locked_is_a_refusal_not_an_endless_wait(ids: list[UUID]) -> None:
    held, done = threading.Event(), threading.Event()

    def holder() -> None:
        with transaction.atomic():
            Resource.objects.select_for_update().get(id=ids[1])
            held.set()
            assert done.wait(20)

    def booking() -> Appointment:
        assert held.wait(20)
        try:
            return book(ids)
        finally:
            done.set()

    with patch.object(locks, "LOCK_TIMEOUT_MS", 200):
        _, refused = together([holder, booking])
    assert isinstance(refused, Conflict)
    assert (refused.code, refused.data) == ("calendar_locked", {"retry_after_s": services.RETRY_AFTER_S})
    assert Appointment.objects.count() == 0


def test_tidying_expired_holds_never_stops_a_booking(ids: list[UUID]) -> None:
    for n in range(10):
        hold(ids, n * 60)
    Reservation.objects.update(expires_at=now() - timedelta(seconds=1))
    acts: list[Callable[[], object]] = [services.hold_expire_due for _ in range(4)]
    for n in range(10):
        acts.append(lambda n=n: book(ids, n * 60))  # type: ignore[misc]
    results = together(acts)
    assert not [error for error in results if isinstance(error, Exception)], results
    assert Appointment.objects.count() == 10
    assert Reservation.objects.filter(status="hold").count() == 0

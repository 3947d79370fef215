from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from hospital.access.models import Institution
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.ids import uuid7
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.scheduling import rules, selectors, services, states
from hospital.scheduling.models import Appointment, ExamType, Reservation, Resource

pytestmark = pytest.mark.django_db
DAY = datetime(2027, 3, 1, 1, 0, tzinfo=UTC)
BY = uuid7()


def at(minutes: int) -> datetime:
    return DAY + timedelta(minutes=minutes)


@pytest.fixture
def place() -> Institution:
    return Institution.objects.create(
        name="朱家角", name_en="Zhujiajiao", short_name="朱", region_code="310118", uscc="U1"
    )


@pytest.fixture
def robot(place: Institution) -> UUID:
    return Resource.objects.create(kind="robot", institution=place, name="机器人", name_en="Robot").id


@pytest.fixture
def room(place: Institution) -> UUID:
    return Resource.objects.create(kind="room", institution=place, name="超声 1 室").id


@pytest.fixture
def room2(place: Institution) -> UUID:
    return Resource.objects.create(kind="room", institution=place, name="超声 2 室").id


def book(*resource_ids: UUID, start: int = 0, end: int = 20, hold_id: UUID | None = None) -> Appointment:
    return services.appointment_book(
        resource_ids=resource_ids, starts_at=at(start), ends_at=at(end), by=BY, hold_id=hold_id
    )


def move(appointment: Appointment, *resource_ids: UUID, start: int, end: int) -> Appointment:
    return services.appointment_move(
        appointment_id=appointment.id, resource_ids=resource_ids, starts_at=at(start), ends_at=at(end), by=BY
    )


def hold(*resource_ids: UUID, start: int = 0, end: int = 20, minutes: int = 10) -> UUID:
    return services.hold_place(
        resource_ids=resource_ids,
        starts_at=at(start),
        ends_at=at(end),
        expires_at=now() + timedelta(minutes=minutes),
        by=BY,
    )


def expire(hold_id: UUID) -> None:
    Reservation.objects.filter(hold_id=hold_id).update(expires_at=now() - timedelta(seconds=1))


def taken(act: Callable[[], Any]) -> list[dict[str, Any]]:
    with pytest.raises(Conflict, match="taken") as refused:
        act()
    found: list[dict[str, Any]] = refused.value.data["taken"]
    return found


def blocking(appointment: Appointment) -> set[tuple[UUID, datetime]]:
    rows = Reservation.objects.filter(appointment=appointment, status="booked")
    return {(row.resource_id, row.period.lower) for row in rows}


def test_a_booking_takes_all_its_resources(robot: UUID, room: UUID) -> None:
    appointment = book(robot, room)
    assert blocking(appointment) == {(robot, at(0)), (room, at(0))}
    assert (appointment.status, appointment.created_by_id) == ("booked", BY)


def test_everything_that_is_taken_is_named_not_only_the_first(robot: UUID, room: UUID, room2: UUID) -> None:
    book(robot, start=0, end=20)
    book(room, start=10, end=30)
    named = taken(lambda: book(robot, room, room2, start=5, end=25))
    assert [(row["resource_id"], row["starts_at"], row["ends_at"]) for row in named] == [
        (str(robot), at(0).isoformat(), at(20).isoformat()),
        (str(room), at(10).isoformat(), at(30).isoformat()),
    ]
    assert {row["kind"] for row in named} == {"robot", "room"}


def test_one_resource_with_two_bookings_in_the_way_is_named_twice(robot: UUID) -> None:
    book(robot, start=0, end=10)
    book(robot, start=10, end=20)
    assert len(taken(lambda: book(robot, start=5, end=15))) == 2


def test_a_refused_booking_leaves_nothing_behind(robot: UUID, room: UUID) -> None:
    book(robot)
    taken(lambda: book(robot, room))
    assert Appointment.objects.count() == 1
    assert selectors.busy(resource_ids=[room], starts_at=at(0), ends_at=at(20)) == []


def test_times_that_only_touch_do_not_collide(robot: UUID) -> None:
    book(robot, start=0, end=20)
    book(robot, start=20, end=40)
    assert Appointment.objects.count() == 2


def test_a_resource_named_twice_is_booked_once(robot: UUID) -> None:
    assert len(blocking(book(robot, robot))) == 1


@pytest.mark.parametrize(("start", "end"), [(0, 0), (20, 0), (0, 12 * 60 + 1)])
def test_an_impossible_period_is_refused(robot: UUID, start: int, end: int) -> None:
    with pytest.raises(Invalid, match="bad_period"):
        book(robot, start=start, end=end)


def test_times_without_a_zone_are_a_bug_not_a_booking() -> None:
    with pytest.raises(ValueError, match="aware"):
        rules.period_is_bookable(datetime(2027, 3, 1), at(20))  # noqa: DTZ001  the point of the test


def test_what_is_not_there_or_not_in_use_cannot_be_booked(robot: UUID, room: UUID) -> None:
    Resource.objects.filter(id=room).update(active=False)
    for ids in ((robot, uuid7()), (robot, room), ()):
        with pytest.raises(Invalid, match="unknown_resource"):
            book(*ids)
    assert Appointment.objects.count() == 0


def test_postgresql_refuses_what_came_past_the_service(robot: UUID) -> None:
    first = book(robot)
    other = Appointment.objects.create(starts_at=at(5), ends_at=at(15), created_by_id=BY)
    with pytest.raises(IntegrityError, match="no_resource_twice"), transaction.atomic():
        Reservation.objects.create(resource_id=robot, appointment=other, period=(at(5), at(15)))
    with pytest.raises(IntegrityError, match="no_resource_twice"), transaction.atomic():
        Reservation.objects.create(
            resource_id=robot, hold_id=uuid7(), period=(at(5), at(15)), status="hold", expires_at=now()
        )
    assert blocking(first)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "booked"}, "reservation_booked_for_appointment"),
        ({"status": "hold", "hold_id": uuid7()}, "reservation_hold_expires"),
        ({"status": "hold", "expires_at": DAY}, "reservation_hold_expires"),
        ({"status": "maybe"}, "reservation_status_known"),
    ],
)
def test_postgresql_knows_what_a_reservation_is(robot: UUID, fields: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Reservation.objects.create(resource_id=robot, period=(at(0), at(20)), **fields)


def test_the_constraint_alone_also_names_what_is_taken(robot: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look before the write sees nothing, as when a rival commits in between."""
    book(robot)
    looks, look = [], selectors.busy

    def late(**given: Any) -> list[dict[str, Any]]:
        looks.append(given)
        return [] if len(looks) == 1 else look(**given)

    monkeypatch.setattr(selectors, "busy", late)
    assert [row["resource_id"] for row in taken(lambda: book(robot))] == [str(robot)]
    assert len(looks) == 2


def test_a_rival_that_stays_invisible_ends_in_try_again_not_in_an_endless_loop(
    robot: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(robot)
    monkeypatch.setattr(selectors, "busy", lambda **given: [])
    with pytest.raises(Conflict, match="calendar_locked") as refused:
        book(robot)
    assert refused.value.data["retry_after_s"] > 0
    assert Appointment.objects.count() == 1


def test_a_move_frees_the_old_time_and_takes_the_new(robot: UUID, room: UUID, room2: UUID) -> None:
    appointment = book(robot, room)
    moved = move(appointment, robot, room2, start=60, end=80)
    assert (moved.starts_at, moved.changed_by_id) == (at(60), BY)
    assert blocking(moved) == {(robot, at(60)), (room2, at(60))}
    book(robot, room)


def test_a_move_onto_part_of_its_own_time_is_possible(robot: UUID) -> None:
    assert blocking(move(book(robot), robot, start=10, end=30)) == {(robot, at(10))}


def test_a_move_to_a_taken_time_changes_nothing(robot: UUID, room: UUID) -> None:
    mine = book(robot, room)
    book(room, start=60, end=80)
    named = taken(lambda: move(mine, robot, room, start=60, end=80))
    assert [row["resource_id"] for row in named] == [str(room)]
    mine.refresh_from_db()
    assert (mine.starts_at, mine.changed_at) == (at(0), None)
    assert blocking(mine) == {(robot, at(0)), (room, at(0))}


def test_a_cancelled_time_is_free_at_once_and_the_reason_stays(robot: UUID) -> None:
    appointment = book(robot)
    services.appointment_cancel(appointment_id=appointment.id, reason="患者要求", by=BY)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancel_reason, appointment.changed_by_id) == (
        "cancelled",
        "患者要求",
        BY,
    )
    book(robot)


@pytest.mark.parametrize("status", ["fulfilled", "noshow", "aborted"])
def test_closing_frees_what_is_left_of_the_time(robot: UUID, status: str) -> None:
    appointment = book(robot)
    services.appointment_close(appointment_id=appointment.id, status=status)
    appointment.refresh_from_db()
    assert appointment.status == status
    assert blocking(appointment) == set()


@pytest.mark.parametrize("status", ["booked", "cancelled", "over"])
def test_only_an_exams_end_closes_an_appointment(robot: UUID, status: str) -> None:
    appointment = book(robot)
    with pytest.raises(ValueError, match="does not close"):
        services.appointment_close(appointment_id=appointment.id, status=status)


def test_what_is_over_stays_over(robot: UUID) -> None:
    appointment = book(robot)
    services.appointment_close(appointment_id=appointment.id, status="fulfilled")
    acts: list[Callable[[], object]] = [
        lambda: services.appointment_cancel(appointment_id=appointment.id, reason="x", by=BY),
        lambda: services.appointment_close(appointment_id=appointment.id, status="noshow"),
        lambda: move(appointment, robot, start=60, end=80),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="appointment_over"):
            act()
    appointment.refresh_from_db()
    assert appointment.status == "fulfilled"


def test_an_unknown_appointment_is_not_found() -> None:
    with pytest.raises(NotFound):
        services.appointment_cancel(appointment_id=uuid7(), reason="x", by=BY)


@pytest.mark.parametrize(("status", "command"), list(product(states.STATUSES, states.COMMANDS)))
def test_every_pair_without_a_row_is_illegal(status: str, command: str) -> None:
    if (status, command) in states.TABLE:
        assert states.advance(status, command) in states.STATUSES
    else:
        with pytest.raises(states.IllegalStep):
            states.advance(status, command)
    assert status == "booked" or (status, command) not in states.TABLE


def test_a_hold_blocks_bookings_and_other_holds(robot: UUID) -> None:
    hold(robot)
    assert [row["status"] for row in taken(lambda: book(robot))] == ["hold"]
    taken(lambda: hold(robot))


def test_a_hold_becomes_a_booking_in_its_place(robot: UUID, room: UUID) -> None:
    held = hold(robot, room)
    appointment = book(robot, room, hold_id=held)
    assert len(blocking(appointment)) == 2
    assert Reservation.objects.filter(hold_id=held, status="hold").count() == 0


def test_a_booking_that_fails_keeps_its_hold(robot: UUID, room: UUID) -> None:
    held = hold(robot)
    book(room)
    taken(lambda: book(robot, room, hold_id=held))
    assert Reservation.objects.filter(hold_id=held, status="hold").count() == 1


def test_an_expired_hold_blocks_nobody_though_nothing_tidied_it(robot: UUID) -> None:
    held = hold(robot)
    expire(held)
    assert selectors.busy(resource_ids=[robot], starts_at=at(0), ends_at=at(20)) == []
    assert blocking(book(robot))


def test_an_expired_hold_is_not_turned_into_a_booking(robot: UUID) -> None:
    held = hold(robot)
    expire(held)
    with pytest.raises(Conflict, match="hold_over"):
        book(robot, hold_id=held)


def test_a_released_hold_frees_the_time_and_releasing_again_is_quiet(robot: UUID) -> None:
    held = hold(robot)
    assert services.hold_release(hold_id=held)
    assert not services.hold_release(hold_id=held)
    book(robot)


def test_a_hold_in_the_past_is_refused(robot: UUID) -> None:
    with pytest.raises(Invalid, match="bad_period"):
        hold(robot, minutes=0)


def test_expired_holds_are_tidied_by_due_work_and_live_ones_left(robot: UUID, room: UUID) -> None:
    old, live = hold(robot), hold(room)
    expire(old)
    Work.objects.filter(key=str(old)).update(due_at=now())
    work_drain()
    assert Reservation.objects.get(hold_id=old).status == "released"
    assert Reservation.objects.get(hold_id=live).status == "hold"
    assert Work.objects.get(key=str(old)).finished_at is not None


def test_only_active_resources_of_the_named_institutions_are_listed(
    place: Institution, robot: UUID, room: UUID
) -> None:
    elsewhere = Institution.objects.create(
        name="外", name_en="x", short_name="外", region_code="310104", uscc="U2"
    )
    Resource.objects.create(kind="room", institution=elsewhere, name="别处")
    Resource.objects.create(kind="room", institution=place, name="停用", active=False)
    assert {row.id for row in selectors.resources(kind="", institution_ids=[place.id])} == {robot, room}
    assert [row.id for row in selectors.resources(kind="room", institution_ids=[place.id])] == [room]
    assert selectors.resources(kind="", institution_ids=[]) == []


def test_a_room_is_told_from_a_robot(place: Institution, robot: UUID, room: UUID) -> None:
    assert selectors.room_institution(room) == place.id
    assert selectors.room_institution(robot) is None


def test_an_unknown_exam_type_is_refused() -> None:
    ExamType.objects.create(
        code="abdomen", name_zh="腹部", name_en="Abdomen", minutes=20, service="remote_ultrasound"
    )
    assert selectors.exam_type_get("abdomen").minutes == 20
    with pytest.raises(Invalid, match="unknown_exam_type"):
        selectors.exam_type_get("brain")


@pytest.mark.parametrize("fields", [{"kind": "person"}, {"kind": "cupboard"}])
def test_postgresql_knows_what_a_resource_is(place: Institution, fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Resource.objects.create(institution=place, name="x", **fields)

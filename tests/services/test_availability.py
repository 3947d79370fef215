"""When a calendar is open, at a booking: hours, leave, released times, buffers; and who may write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from hospital.common.clock import SHANGHAI, now, shanghai_day, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.scheduling import availability, services_calendars, services_weeks
from hospital.scheduling.models import CalendarException, ReleasedTime, Reservation, Resource, WeeklyHours
from hospital.scheduling.services import hold_expire_due
from teleconsult import services
from tests.factories import World, make_world
from tests.factories.days import working_day

from .test_exam_services import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def weekdays_ahead() -> datetime:
    """Midnight in Shanghai of a coming Wednesday that is an ordinary working day, more than two days away."""
    return shanghai_day(working_day(2, days=3))[0]


def at(hour: int, minute: int = 0) -> datetime:
    return weekdays_ahead() + timedelta(hours=hour, minutes=minute)


def calendar(world: World, who: str) -> Resource:
    return Resource.objects.get(user=world.users[who])


def hours(opens: int, closes: int, **owner: Any) -> None:
    for weekday in range(7):
        WeeklyHours.objects.create(
            weekday=weekday, opens_minute=opens * 60, closes_minute=closes * 60, **owner
        )


def closed(act: Any) -> list[tuple[str, str]]:
    with pytest.raises(Conflict) as caught:
        act()
    return [(row["code"], row["resource_id"]) for row in caught.value.data["closed"]]


def test_an_installation_without_hours_books_as_it_did_before(world: World) -> None:
    assert not WeeklyHours.objects.exists()
    assert world.book(starts_at=at(3)).state == "booked"


def test_outside_its_hours_a_calendar_is_closed_and_all_closed_ones_are_named(world: World) -> None:
    hours(8, 12, resource=world.room)
    hours(9, 17, resource=calendar(world, "expert"))
    assert {name for _, name in closed(lambda: world.book(starts_at=at(20)))} == {
        str(world.room.id),
        str(calendar(world, "expert").id),
    }
    assert closed(lambda: world.book(starts_at=at(11, 50))) == [("resource_closed", str(world.room.id))]
    assert world.book(starts_at=at(11, 40)).state == "booked"


def new_year(hour: int) -> datetime:
    """Of the next one."""
    return shanghai_day(date(today().year + 1, 1, 1))[0] + timedelta(hours=hour)


def test_a_refusal_on_a_public_holiday_says_which_and_any_other_names_none(world: World) -> None:
    hours(8, 17, institution=world.places["home"])
    for moment, holiday in ((new_year(9), {"name": "元旦", "name_en": "New Year's Day"}), (at(19), None)):
        with pytest.raises(Conflict) as caught:
            world.book(starts_at=moment)
        assert caught.value.code == "resource_closed"
        named = holiday and holiday | {"day": moment.astimezone(SHANGHAI).date().isoformat()}
        assert caught.value.data.get("holiday") == named


def test_an_institutions_hours_hold_for_what_has_none_of_its_own(world: World) -> None:
    hours(8, 17, institution=world.places["home"])
    hours(18, 20, resource=world.room)
    named = {name for _, name in closed(lambda: world.book(starts_at=at(19)))}
    assert named == {str(world.robot.resource_id), str(calendar(world, "bedside").id)}
    assert closed(lambda: world.book(starts_at=at(9))) == [("resource_closed", str(world.room.id))]


def test_a_person_who_works_at_another_site_that_day_is_closed_here(world: World) -> None:
    hours(8, 12, resource=calendar(world, "bedside"), place=world.places["other"])
    hours(13, 17, resource=calendar(world, "bedside"), place=world.places["home"])
    assert closed(lambda: world.book(starts_at=at(9)))[0][0] == "resource_closed"
    assert world.book(starts_at=at(14)).state == "booked"


def test_leave_closes_a_person_also_for_a_move_but_not_for_a_change_of_room_alone(world: World) -> None:
    exam = world.book(starts_at=at(9))
    _, met = services_calendars.exception_add(
        principal=world.principals["desk"],
        resource_id=calendar(world, "bedside").id,
        starts_at=at(0),
        ends_at=at(24),
        open=False,
        reason="leave",
        note="年假",
    )
    assert [row["appointment_id"] for row in met] == [str(exam.appointment_id)]
    desk = world.principals["desk"]
    with refused("resource_closed"):
        services.exam_move(principal=desk, exam_id=exam.id, starts_at=at(10))
    moved = services.exam_move(principal=desk, exam_id=exam.id, starts_at=at(9), room_id=world.room2.id)
    assert moved.room == world.room2
    with refused("resource_closed"):
        world.book(starts_at=at(11))
    assert world.book(starts_at=at(11), bedside_physician_id=world.users["bedside2"].id).state == "booked"


def test_a_withdrawn_leave_closes_nothing(world: World) -> None:
    desk, room = world.principals["desk"], world.room
    row, _ = services_calendars.exception_add(
        principal=desk, resource_id=room.id, starts_at=at(8), ends_at=at(12), open=False, reason="maintenance",
        note="",
    )  # fmt: skip
    with refused("resource_closed"):
        world.book(starts_at=at(9))
    assert [found.id for found in services_calendars.exceptions_of(desk, room.id)] == [row.id]
    services_calendars.exception_withdraw(principal=desk, resource_id=room.id, exception_id=row.id)
    assert not services_calendars.exceptions_of(desk, room.id).exists()
    assert world.book(starts_at=at(9)).state == "booked"
    with pytest.raises(NotFound):
        services_calendars.exception_withdraw(principal=desk, resource_id=room.id, exception_id=row.id)


def test_a_closed_institution_closes_everything_in_it(world: World) -> None:
    CalendarException.objects.create(
        institution=world.places["home"], period=(at(0), at(24)), reason="closed",
        created_by_id=world.users["desk"].id,
    )  # fmt: skip
    kinds = {name for _, name in closed(lambda: world.book(starts_at=at(9)))}
    assert len(kinds) == 3
    assert str(calendar(world, "expert").id) not in kinds


def test_warming_up_and_cleaning_are_busy_time_between_two_exams(world: World) -> None:
    Resource.objects.filter(id=world.robot.resource_id).update(before_minutes=10)
    Resource.objects.filter(id=world.room.id).update(after_minutes=15)
    first = world.book(starts_at=at(9))
    periods = {
        row.resource.kind: (row.period.lower, row.period.upper)
        for row in Reservation.objects.filter(appointment=first.appointment)
    }
    assert periods["robot"] == (at(8, 50), at(9, 20))
    assert periods["room"] == (at(9), at(9, 35))
    assert periods["person"] == (at(9), at(9, 20))
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=at(9, 25))
    assert {row["kind"] for row in caught.value.data["taken"]} == {"robot", "room"}
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=at(9, 30))
    assert {row["kind"] for row in caught.value.data["taken"]} == {"room"}
    assert world.book(starts_at=at(9, 35)).state == "booked"


def test_preparation_may_begin_before_the_doors_open(world: World) -> None:
    Resource.objects.filter(id=world.robot.resource_id).update(before_minutes=10)
    hours(8, 12, institution=world.places["home"])
    assert world.book(starts_at=at(8)).state == "booked"


def release(
    world: World, starts_at: datetime, ends_at: datetime, partner: str | None = "home"
) -> ReleasedTime:
    principal = world.principals["other_desk"]
    Resource.objects.filter(user=world.users["expert"]).update(institution=world.places["other"])
    return services_calendars.released_add(
        principal=principal,
        resource_id=calendar(world, "expert").id,
        starts_at=starts_at,
        ends_at=ends_at,
        partner_id=world.places[partner].id if partner else None,
    )


def test_from_the_first_released_time_on_an_expert_is_booked_only_in_released_times(world: World) -> None:
    row = release(world, at(9), at(10))
    assert closed(lambda: world.book(starts_at=at(10))) == [
        ("not_released", str(calendar(world, "expert").id))
    ]
    assert world.book(starts_at=at(9, 40)).state == "booked"
    services_calendars.released_withdraw(
        principal=world.principals["other_desk"], resource_id=calendar(world, "expert").id, released_id=row.id
    )
    with refused("not_released"):
        world.book(starts_at=at(9))


def test_a_time_released_to_another_partner_is_not_ours_and_one_for_all_is(world: World) -> None:
    release(world, at(9), at(10), "expert")
    with refused("not_released"):
        world.book(starts_at=at(9))
    release(world, at(9), at(10), None)
    assert world.book(starts_at=at(9)).state == "booked"


def test_a_released_time_that_nobody_took_is_gone_a_day_before(world: World) -> None:
    soon = now() + timedelta(hours=23)
    release(world, soon - timedelta(hours=2), soon + timedelta(hours=6))
    with refused("not_released"):
        world.book(starts_at=soon)
    assert world.book(starts_at=soon + timedelta(hours=2)).state == "booked"


def test_a_hold_keeps_the_buffers_too_and_becomes_the_booking_of_whoever_holds_it(world: World) -> None:
    Resource.objects.filter(id=world.room.id).update(after_minutes=30)
    wanted = world.booking(starts_at=at(9))
    kept = {
        name: wanted[name] for name in wanted if name not in ("patient_id", "clinical_question", "history")
    }
    hold_id, expires_at = services.exam_hold(principal=world.principals["desk"], **kept)
    assert timedelta(minutes=9) < expires_at - now() <= timedelta(minutes=10)
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=at(9, 40))
    assert [(row["kind"], row["status"]) for row in caught.value.data["taken"]] == [("room", "hold")]
    Reservation.objects.filter(hold_id=hold_id).update(held_by_id=world.users["admin"].id)
    with refused("hold_over"):
        world.book(starts_at=at(9), hold_id=hold_id)
    Reservation.objects.filter(hold_id=hold_id).update(held_by_id=world.users["desk"].id)
    assert world.book(starts_at=at(9), hold_id=hold_id).state == "booked"
    assert not Reservation.objects.filter(status="hold").exists()


def test_what_was_kept_yesterday_and_never_booked_is_forgotten(world: World) -> None:
    wanted = world.booking(starts_at=at(9))
    kept = {
        name: wanted[name] for name in wanted if name not in ("patient_id", "clinical_question", "history")
    }
    desk = world.principals["desk"]
    hold_id, _ = services.exam_hold(principal=desk, **kept)
    services.exam_hold_release(principal=desk, hold_id=hold_id)
    exam = world.book(starts_at=at(9))
    hold_expire_due()
    assert Reservation.objects.filter(hold_id=hold_id, status="released").count() == 4
    Reservation.objects.filter(hold_id=hold_id).update(expires_at=now() - timedelta(days=1, seconds=1))
    hold_expire_due()
    assert set(Reservation.objects.values_list("appointment_id", flat=True)) == {exam.appointment_id}


def test_nobody_keeps_more_than_five_times_at_once(world: World) -> None:
    wanted = world.booking()
    kept = {
        name: wanted[name] for name in wanted if name not in ("patient_id", "clinical_question", "history")
    }
    desk = world.principals["desk"]
    holds = [
        services.exam_hold(principal=desk, **kept | {"starts_at": at(8 + number)})[0] for number in range(5)
    ]
    with refused("too_many_holds"):
        services.exam_hold(principal=desk, **kept | {"starts_at": at(15)})
    services.exam_hold_release(principal=desk, hold_id=holds[0])
    assert services.exam_hold(principal=desk, **kept | {"starts_at": at(8)})
    with pytest.raises(NotFound):
        services.exam_hold_release(principal=desk, hold_id=holds[0])


def test_another_hospitals_calendars_are_not_there(world: World) -> None:
    other = world.principals["other_desk"]
    for act in (
        lambda: services_weeks.resource_hours_set(principal=other, resource_id=world.room.id, rows=[]),
        lambda: services_weeks.institution_hours_set(
            principal=other, institution_id=world.places["home"].id, rows=[]
        ),
        lambda: services_calendars.released_of(other, world.room.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_hours_that_end_before_they_begin_are_refused_also_by_postgresql(world: World) -> None:
    backwards = {"weekday": 0, "opens_minute": 600, "closes_minute": 480}
    with refused("bad_hours", Invalid):
        services_weeks.resource_hours_set(
            principal=world.principals["desk"], resource_id=world.room.id, rows=[backwards]
        )
    with pytest.raises(IntegrityError, match="weekly_hours_within_a_day"), transaction.atomic():
        WeeklyHours.objects.create(resource=world.room, **backwards)
    with pytest.raises(IntegrityError, match="weekly_hours_one_owner"), transaction.atomic():
        WeeklyHours.objects.create(weekday=0, opens_minute=0, closes_minute=60)


def test_only_people_are_released(world: World) -> None:
    with refused("not_a_person"):
        services_calendars.released_add(
            principal=world.principals["desk"], resource_id=world.room.id, starts_at=at(8), ends_at=at(9),
            partner_id=None,
        )  # fmt: skip


def test_busy_time_is_rounded_outwards_and_leaves_expired_holds_out(world: World) -> None:
    exam = world.book(starts_at=at(9) + timedelta(microseconds=1))
    start = int(at(9).timestamp())
    found = availability.busy_times([world.room.id, world.room2.id], at(0), at(24))
    assert found == {world.room.id: [(start, start + 1201)]}
    assert availability.busy_times([world.room.id], exam.ends_at, at(24)) == {}
    Reservation.objects.update(
        status="hold", hold_id=exam.id, appointment=None, expires_at=now() - timedelta(seconds=1)
    )
    assert availability.busy_times([world.room.id], at(0), at(24)) == {}


def test_busy_time_read_in_growing_parts_is_the_busy_time_read_at_once(world: World) -> None:
    """Two days, then twice as far each time; what lies across the end of a part is whole."""
    start, days = shanghai_day(today() + timedelta(days=3))[0], 20
    for day in range(days):
        for minute in (10, 23 * 60 + 50):  # the second one ends when the next day's first begins
            world.book(starts_at=start + timedelta(days=day, minutes=minute))
    end = start + timedelta(days=days)
    parts = availability.calendars([world.room, world.room2], start, end)
    assert parts[world.room.id].busy == []
    for day in range(1, days + 1):
        parts.read(start + timedelta(days=day))
    whole = availability.busy_times([world.room.id], start, end)
    assert parts[world.room.id].busy == whole[world.room.id]
    assert len(whole[world.room.id]) == days + 1  # from 23:50 on until 0:30
    assert parts[world.room2.id].busy == []


def test_what_was_not_asked_for_is_not_read(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    parts = availability.calendars([world.room], at(0), at(0) + timedelta(days=30))
    with django_assert_num_queries(1):
        parts.read(at(24))
        parts.read(at(48))
    with django_assert_num_queries(4):  # to day 4, 8, 16, 30
        parts.read(at(0) + timedelta(days=60))

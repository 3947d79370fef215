"""Bookings that a leave or a closed house came after: listed until they are moved; and who may close a house."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from hospital.access.models import Membership, User
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.audit.models import AuditEntry
from hospital.common.clock import SHANGHAI
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.work import work_drain
from hospital.messages.selectors import notices_of
from hospital.scheduling import services_calendars, services_closures, services_weeks
from hospital.scheduling.models import CalendarException, Resource
from teleconsult import against, services
from teleconsult.models import Exam
from tests.access.house import client_for
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def leave(world: World, who: str = "bedside", by: str = "desk", **changes: Any) -> CalendarException:
    given: dict[str, Any] = {
        "starts_at": world.tomorrow(-60), "ends_at": world.tomorrow(60), "open": False,
    } | changes  # fmt: skip
    row, _ = services_calendars.exception_add(
        principal=principal(world, by), reason="leave", note="",
        resource_id=Resource.objects.get(user=world.users[who]).id, **given,
    )  # fmt: skip
    return row


def principal(world: World, who: str) -> Principal:
    return world.principals[who] if who in world.principals else principal_of_user(world.users[who])


def close(world: World, by: str = "desk", **changes: Any) -> tuple[CalendarException, list[dict[str, str]]]:
    given: dict[str, Any] = {
        "institution_id": world.places["home"].id, "open": False, "reason": "closed", "note": "盘点",
        "starts_at": world.tomorrow(-60), "ends_at": world.tomorrow(60),
    } | changes  # fmt: skip
    return services_closures.house_exception_add(principal=principal(world, by), **given)


def listed(world: World, who: str = "desk") -> list[Exam]:
    return list(against.exams_against(principal(world, who)))


def partner_scheduler(world: World) -> str:
    user = User.objects.create(username="partner", name="调度", password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places["expert"], role="scheduler")
    world.users["partner"] = user
    return "partner"


def test_a_booking_that_leave_came_after_is_listed_with_who_is_away(world: World) -> None:
    exam = world.book()
    assert listed(world) == []
    leave(world)
    (found,) = listed(world)
    row = against.against_json(found, world.principals["desk"])
    assert (row["exam_id"], row["state"], row["room"]["name"]) == (str(exam.id), "booked", world.room.name)
    assert [(one["kind"], one["name"]) for one in row["closed"]] == [("person", "李建国")]


def test_what_is_moved_cancelled_or_opened_again_is_listed_no_longer(world: World) -> None:
    exams = [world.book(starts_at=world.tomorrow(20 * n)) for n in range(3)]
    row = leave(world)
    assert [exam.id for exam in listed(world)] == [exam.id for exam in exams]
    desk = world.principals["desk"]
    services.exam_move(principal=desk, exam_id=exams[0].id, starts_at=world.tomorrow(300))
    services.exam_cancel(principal=desk, exam_id=exams[1].id, reason="病人要求")
    assert [exam.id for exam in listed(world)] == [exams[2].id]
    services_calendars.exception_withdraw(
        principal=desk, resource_id=Resource.objects.get(user=world.users["bedside"]).id, exception_id=row.id
    )
    assert listed(world) == []


def told(world: World, who: str) -> list[str]:
    return [row.text for row in notices_of(world.users[who].id) if "停用" in row.text]


def test_the_desk_whose_exam_needs_an_expert_of_another_house_hears_of_the_leave(world: World) -> None:
    exam, away = world.book(), partner_scheduler(world)
    leave(world, who="expert", by=away)
    (text,) = told(world, "desk")
    assert exam.accession in text and world.patient.name not in text
    assert told(world, away) == []


def test_who_closes_their_own_house_has_the_list_and_no_notice(world: World) -> None:
    world.book()
    _, met = close(world)
    assert len(met) == 1 and told(world, "desk") == []


def hours(world: World, first: int, last: int) -> list[dict[str, Any]]:
    """Every day, from that many minutes after the exam's time to that many."""
    day = world.tomorrow().astimezone(SHANGHAI)
    start = day.hour * 60 + day.minute
    return [{"weekday": n, "opens_minute": start + first, "closes_minute": start + last} for n in range(7)]


def week(world: World, rows: list[dict[str, Any]], room: bool = False) -> list[str]:
    """The house's week, or the room's own; the bookings it leaves out."""
    desk = world.principals["desk"]
    left = (
        services_weeks.resource_hours_set(principal=desk, resource_id=world.room.id, rows=rows)
        if room
        else services_weeks.institution_hours_set(
            principal=desk, institution_id=world.places["home"].id, rows=rows
        )
    )
    return [row["appointment_id"] for row in left]


@pytest.mark.parametrize("room", [True, False])
def test_bookings_that_a_narrower_week_leaves_out_come_back_and_their_desk_hears_of_each(
    world: World, room: bool
) -> None:
    first, second = world.book(), world.book(starts_at=world.tomorrow(60))
    assert week(world, hours(world, 0, 120), room) == []
    assert week(world, hours(world, 0, 40), room) == [str(second.appointment_id)]
    (text,) = told(world, "desk")
    assert second.accession in text
    assert week(world, hours(world, 0, 30), room) == []  # it was outside before
    assert week(world, [], room) == []
    assert first.state == "booked"


@pytest.mark.parametrize("who", ["expert", "room"])
def test_a_week_narrowed_at_one_place_leaves_out_what_is_booked_there_however_long_it_is_open_elsewhere(
    world: World, who: str
) -> None:
    first, second = world.book(), world.book(starts_at=world.tomorrow(60))
    calendar = world.room if who == "room" else Resource.objects.get(user=world.users[who])
    keeper = principal(world, "desk" if who == "room" else partner_scheduler(world))

    def narrowed(last: int, place: str = "home") -> list[str]:
        elsewhere = "expert" if place == "home" else "home"
        rows = [row | {"place_id": world.places[place].id} for row in hours(world, 0, last)]
        rows += [row | {"place_id": world.places[elsewhere].id} for row in hours(world, 0, 120)]
        left = services_weeks.resource_hours_set(principal=keeper, resource_id=calendar.id, rows=rows)
        return [row["appointment_id"] for row in left]

    assert narrowed(120) == []
    assert narrowed(40, "expert") == [] == told(world, "desk")
    assert narrowed(40) == [str(second.appointment_id)]
    (text,) = told(world, "desk")
    assert second.accession in text and first.accession not in text
    assert narrowed(30) == []  # it was outside before


def test_a_room_with_hours_of_its_own_is_not_left_out_by_the_houses(world: World) -> None:
    exam = world.book()
    week(world, hours(world, 0, 120), room=True)
    only_others = week(world, hours(world, 60, 120))
    assert only_others == [str(exam.appointment_id)]  # by its bedside physician and robot
    desk = world.principals["desk"]
    for resource in Resource.objects.filter(institution=world.places["home"]):
        services_weeks.resource_hours_set(principal=desk, resource_id=resource.id, rows=hours(world, 0, 120))
    assert week(world, hours(world, 0, 120)) == week(world, hours(world, 60, 120)) == []


def test_an_extra_session_keeps_what_the_week_leaves_out(world: World) -> None:
    world.book()
    week(world, hours(world, 0, 120))
    for resource in Resource.objects.filter(institution=world.places["home"]):
        leave_ends: dict[str, Any] = {
            "starts_at": world.tomorrow(-10),
            "ends_at": world.tomorrow(60),
            "open": True,
        }
        services_calendars.exception_add(
            principal=world.principals["desk"], resource_id=resource.id, reason="extra", note="", **leave_ends
        )
    assert week(world, hours(world, 60, 120)) == []


def test_leave_that_meets_nothing_or_only_what_is_cancelled_tells_nobody(world: World) -> None:
    exam, away = world.book(), partner_scheduler(world)
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="病人要求")
    leave(world, who="expert", by=away)
    assert told(world, "desk") == []


def test_leave_beside_the_booking_or_an_extra_session_lists_nothing(world: World) -> None:
    exam = world.book()
    leave(world, starts_at=exam.ends_at, ends_at=exam.ends_at + timedelta(hours=1))
    leave(world, starts_at=exam.starts_at - timedelta(hours=1), ends_at=exam.starts_at)
    leave(world, open=True)
    leave(world, who="bedside2")
    assert listed(world) == []


def test_a_partners_leave_is_seen_on_both_sides_and_only_who_booked_can_open_the_exam(world: World) -> None:
    exam, partner = world.book(), partner_scheduler(world)
    leave(world, who="expert", by=partner)
    for who, ident in (("desk", str(exam.id)), (partner, None)):
        (found,) = listed(world, who)
        row = against.against_json(found, principal(world, who))
        assert row["exam_id"] == ident
        assert [one["name"] for one in row["closed"]] == ["王思远"]
    assert listed(world, "other_desk") == []


def test_the_list_over_rest_names_no_patient_and_is_on_record(world: World) -> None:
    world.book()
    leave(world)
    answer = client_for(user=world.users["desk"]).get("/api/v1/board/against")
    assert len(answer.json()["results"]) == 1
    for secret in (str(world.patient.id), world.patient.name, world.patient.mpi, "胆囊结石"):
        assert secret not in answer.content.decode()
    assert AuditEntry.objects.get(action="calendar.against").patient_ids == [world.patient.id]
    assert client_for(user=world.users["admin"]).get("/api/v1/board/against").status_code == 403


def test_a_closed_house_is_one_row_that_closes_every_calendar_and_lists_what_is_booked(world: World) -> None:
    exam = world.book()
    row, met = close(world)
    assert [one["appointment_id"] for one in met] == [str(exam.appointment_id)]
    assert CalendarException.objects.get() == row
    (found,) = listed(world)
    names = {one["kind"] for one in against.against_json(found, world.principals["desk"])["closed"]}
    assert names == {"person", "room", "robot"}
    with pytest.raises(Conflict) as caught:
        world.book(starts_at=world.tomorrow(30))
    assert caught.value.code == "resource_closed"
    entry = AuditEntry.objects.get(action="institution.exception")
    assert (entry.object_id, entry.details["met"]) == (world.places["home"].id, 1)
    assert entry.details["calendars"] == Resource.objects.filter(institution=world.places["home"]).count()


def test_a_house_that_opens_after_all_is_bookable_and_told_as_free(world: World) -> None:
    row, _ = close(world)
    given = {"institution_id": world.places["home"].id, "exception_id": row.id}
    services_closures.house_exception_withdraw(principal=world.principals["desk"], **given)
    work_drain()
    world.book()
    with pytest.raises(NotFound):
        services_closures.house_exception_withdraw(principal=world.principals["desk"], **given)


def test_nobody_closes_another_hospitals_house_or_ends_its_closing(world: World) -> None:
    row, _ = close(world)
    with pytest.raises(NotFound):
        close(world, by="other_desk")
    with pytest.raises(NotFound):
        services_closures.house_exception_withdraw(
            principal=world.principals["other_desk"], institution_id=world.places["home"].id, exception_id=row.id
        )  # fmt: skip


def test_a_closing_that_ends_before_it_begins_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        close(world, ends_at=world.tomorrow(-60))
    assert caught.value.code == "bad_period"


def test_a_house_is_closed_and_opened_again_over_rest(world: World) -> None:
    exam, client = world.book(), client_for(user=world.users["desk"])
    address = f"/api/v1/institutions/{world.places['home'].id}/exceptions"
    day = world.tomorrow().date()
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(hours=12)
    body = {"starts_at": midnight.isoformat(), "ends_at": (midnight + timedelta(days=2)).isoformat()}
    made = client.post(address, body | {"reason": "closed"}, format="json")
    assert made.status_code == 201
    assert [row["appointment_id"] for row in made.json()["appointments"]] == [str(exam.appointment_id)]
    (row,) = client.get(address).json()["results"]
    assert (row["id"], row["whole_institution"]) == (made.json()["id"], True)
    assert client.delete(f"{address}/{row['id']}").status_code == 204
    assert client.get(address).json()["results"] == []

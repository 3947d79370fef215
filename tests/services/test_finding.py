"""Finding a time: what is found can be booked, what can be booked is found, and papers decide who is offered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from devices.fleet.models import Robot
from hospital.access.models import Institution
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import Conflict, NotFound
from hospital.people import bookable, licences
from hospital.people import selectors as people
from hospital.people.models import Agreement, Practitioner, Privilege, Registration
from hospital.scheduling.exam_times import Procedure
from hospital.scheduling.models import (
    CalendarException,
    ExamType,
    ExamWindow,
    OrderRule,
    Resource,
    WeeklyHours,
)
from teleconsult.finding import Found, Wish, times_find
from tests.factories import World, make_world
from tests.factories.days import unannounced_day

from .test_availability import at, calendar, hours, weekdays_ahead

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Everything is open 08:00-10:00 every day."""
    world = make_world()
    for place in ("home", "expert", "other"):
        hours(8, 10, institution=world.places[place])
    return world


def find(world: World, *, who: str = "desk", page: int = 1, size: int = 200, **wish: Any) -> Found:
    wanted: dict[str, Any] = {"exam_type": "abdomen", "starts_from": weekdays_ahead(), "days": 1} | wish
    return times_find(world.principals[who], Wish(**wanted), page=page, size=size)


def starts(found: Found) -> list[datetime]:
    return [datetime.fromisoformat(row["starts_at"]) for row in found.results]


def free(found: Found, role: str) -> set[str]:
    return {one for row in found.results for one in row["free"][role]}


def ids(world: World, *names: str) -> set[str]:
    return {str(world.users[name].id) for name in names}


def test_the_types_own_rules_are_read_once_however_many_days_are_looked_at(world: World) -> None:
    OrderRule.objects.create(exam_type_id="abdomen", procedure="barium", kind="days_after", days=3)
    with CaptureQueriesContext(connection) as sent:
        assert len({start.date() for start in starts(find(world, days=14, size=1000))}) == 14
    asked = [query["sql"] for query in sent.captured_queries]
    for table in ("scheduling_examwindow", "scheduling_orderrule"):
        assert sum(f'FROM "{table}"' in sql for sql in asked) == 1


def test_an_empty_day_offers_every_ten_minutes_and_everybody_who_may(world: World) -> None:
    found = find(world)
    assert starts(found) == [at(8) + timedelta(minutes=10 * number) for number in range(11)]
    first = found.results[0]
    assert set(first["free"]) == {"remote_physician", "bedside_physician", "robot", "room"}
    assert set(first["free"]["remote_physician"]) == ids(world, "expert", "expert2")
    assert set(first["free"]["bedside_physician"]) == ids(world, "bedside", "bedside2")
    assert first["free"]["robot"] == [str(world.robot.id)]
    assert set(first["free"]["room"]) == {str(world.room.id), str(world.room2.id)}
    assert datetime.fromisoformat(first["ends_at"]) == at(8, 20)
    assert first["institution_id"] == str(world.places["home"].id)
    assert found.who[str(world.robot.id)] == {"kind": "robot", "name": "机器人", "name_en": ""}
    assert not found.more


def bookable_at(world: World, start: datetime, **team: Any) -> bool:
    """Whether the booking itself succeeds; nothing of it stays."""
    try:
        with transaction.atomic():
            world.book(starts_at=start, **team)
            transaction.set_rollback(True)
            return True
    except Conflict:
        return False


def test_exactly_what_is_found_can_be_booked(world: World) -> None:
    """Buffers, leave, a window and bookings at odd times: the search and the booking are held against each other."""
    Resource.objects.filter(id=world.robot.resource_id).update(before_minutes=10, after_minutes=5)
    Resource.objects.filter(id=world.room.id).update(after_minutes=15)
    ExamWindow.objects.create(exam_type_id="abdomen", opens_minute=8 * 60 + 10, closes_minute=10 * 60)
    world.book(starts_at=at(8, 47))
    CalendarException.objects.create(
        resource=calendar(world, "bedside"), period=(at(9, 45), at(9, 50)), reason="other",
        created_by_id=world.users["desk"].id,
    )  # fmt: skip
    found = {
        (start, remote, bedside, room)
        for start, row in (
            (datetime.fromisoformat(row["starts_at"]), row["free"]) for row in find(world).results
        )
        for remote in row["remote_physician"]
        for bedside in row["bedside_physician"]
        for room in row["room"]
    }
    wanted = set()
    for number in range(-3, 16):
        start = at(8) + timedelta(minutes=10 * number)
        for remote in ("expert", "expert2"):
            for bedside in ("bedside", "bedside2"):
                for room in (world.room, world.room2):
                    team = {
                        "remote_physician_id": world.users[remote].id,
                        "bedside_physician_id": world.users[bedside].id,
                        "room_id": room.id,
                    }
                    if bookable_at(world, start, **team):
                        wanted.add((start, *(str(one) for one in team.values())))
    assert found == wanted
    assert 5 < len(found) < 80


def test_a_day_off_and_hours_of_the_part_of_the_day(world: World) -> None:
    WeeklyHours.objects.all().delete()
    hours(8, 20, institution=world.places["home"])
    hours(8, 20, institution=world.places["expert"])
    assert min(starts(find(world, part_of_day="afternoon"))) == at(12)
    assert max(starts(find(world, part_of_day="afternoon"))) == at(17, 50)
    assert min(starts(find(world, part_of_day="evening"))) == at(18)
    assert max(starts(find(world, part_of_day="morning"))) == at(11, 50)
    CalendarException.objects.create(
        institution=world.places["expert"], period=(at(0), at(24)), reason="closed",
        created_by_id=world.users["desk"].id,
    )  # fmt: skip
    assert find(world).results == []


def test_a_wished_person_is_in_every_team(world: World) -> None:
    found = find(world, person_ids=frozenset({world.users["expert2"].id, world.users["bedside"].id}))
    assert free(found, "remote_physician") == ids(world, "expert2")
    assert free(found, "bedside_physician") == ids(world, "bedside")
    assert len(found.results) == 11
    assert find(world, person_ids=frozenset({world.users["other_expert"].id})).results == []


def test_a_language_is_asked_of_the_bedside_physician(world: World) -> None:
    Resource.objects.filter(user=world.users["bedside2"]).update(languages=["zh", "wuu"])
    assert free(find(world, language="wuu"), "bedside_physician") == ids(world, "bedside2")
    assert free(find(world, language="zh"), "bedside_physician") == ids(world, "bedside", "bedside2")
    assert find(world, language="en").results == []


def test_several_institutions_are_searched_at_once_and_one_can_be_chosen(world: World) -> None:
    """A second house of the same desk, with its own team and an agreement; its first hour is closed."""
    other = world.places["other"]
    second_house(world, other)
    found = find(world)
    firsts = [(row["starts_at"], row["institution_id"]) for row in found.results]
    assert firsts == sorted(firsts, key=lambda pair: pair[0])
    assert {place for _, place in firsts} == {str(world.places["home"].id), str(other.id)}
    there = find(world, place_ids=frozenset({other.id}))
    assert min(starts(there)) == at(9)
    assert {row["institution_id"] for row in there.results} == {str(other.id)}
    with pytest.raises(NotFound):
        find(world, place_ids=frozenset({world.places["expert"].id}))


def second_house(world: World, place: Institution) -> None:
    from hospital.access.models import Membership
    from hospital.access.selectors import principal_of_user

    for who, role in (("desk", "scheduler"), ("bedside2", "bedside_physician")):
        Membership.objects.create(user=world.users[who], institution=place, role=role)
    world.principals["desk"] = principal_of_user(world.users["desk"])
    room = Resource.objects.create(kind="room", institution=place, name="分院")
    hours(9, 10, resource=room)
    machine = Resource.objects.create(kind="robot", institution=place, name="分院机器人")
    later = today() + timedelta(days=60)
    Robot.objects.create(
        resource=machine,
        institution=place,
        name="分院机器人",
        calibration_due_on=later,
        maintenance_due_on=later,
    )
    Agreement.objects.create(
        inviting=place, invited=world.places["expert"], services=["remote_ultrasound"], valid_from=today(),
        valid_to=later, document_sha256="0" * 64, signed_by_inviting_at=now(), signed_by_invited_at=now(),
    )  # fmt: skip


def test_nobody_is_offered_in_two_roles_of_one_exam(world: World) -> None:
    from hospital.access.models import Membership

    ExamType.objects.update(assistant=True)
    assert find(world).results == []
    Membership.objects.create(
        user=world.users["bedside2"], institution=world.places["home"], role="assistant"
    )
    found = find(world)
    assert free(found, "assistant") == ids(world, "bedside2")
    assert free(found, "bedside_physician") == ids(world, "bedside")


def no_agreement(world: World) -> None:
    Agreement.objects.update(valid_to=today() + timedelta(days=1), valid_from=today())


def ended_licence(world: World) -> None:
    Practitioner.objects.update(licence_expires_on=today())


def lost_privilege(world: World) -> None:
    Privilege.objects.update(revoked_at=now())


def overdue(world: World) -> None:
    Robot.objects.update(calibration_due_on=today())


def revoked(world: World) -> None:
    Robot.objects.update(revoked_at=now())


@pytest.mark.parametrize("ended", [no_agreement, ended_licence, lost_privilege, overdue, revoked])
def test_what_a_paper_no_longer_covers_is_not_offered(world: World, ended: Any) -> None:
    assert find(world).results
    ended(world)
    assert find(world).results == []


def test_order_rules_close_their_days(world: World) -> None:
    OrderRule.objects.create(exam_type_id="abdomen", procedure="gastroscopy", kind="before", days=1)
    assert max(starts(find(world, procedures=(Procedure("gastroscopy", at(9)),)))) == at(8, 50)
    assert len(find(world, procedures=(Procedure("colonoscopy", at(9)),)).results) == 11


def test_pages_follow_each_other_without_a_gap(world: World) -> None:
    whole = find(world, days=3)
    pages = [find(world, days=3, page=number, size=10) for number in range(1, 5)]
    assert [row for page in pages for row in page.results] == whole.results
    assert [page.more for page in pages] == [True, True, True, False]


def test_a_search_reads_busy_time_as_far_as_it_looks(world: World) -> None:
    """The queries of a search do not grow with the calendars, and a page that fills early reads no month."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(size: int) -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            find(world, days=30, size=size)
        return [query["sql"] for query in caught.captured_queries]

    def busy(sent: list[str]) -> int:
        return sum("scheduling_reservation" in sql for sql in sent)

    few = queries(10_000)
    for number in range(10):
        Resource.objects.create(kind="room", institution=world.places["home"], name=f"加 {number}")
    many = queries(10_000)
    assert len(few) == len(many)
    assert busy(many) == 5  # to the end of day 2, 4, 8, 16, and of all
    assert busy(queries(5)) <= 2


def test_the_desk_is_told_what_is_not_known(world: World) -> None:
    far = shanghai_day(unannounced_day())[0]
    found = find(world, starts_from=far, days=30)
    assert [row["code"] for row in found.notices] == ["holidays_unknown"]
    assert found.notices[0]["year"] == far.year
    WeeklyHours.objects.all().delete()
    codes = {row["code"]: row for row in find(world, starts_from=far, days=1).notices}
    assert codes["hours_not_written"]["count"] == 7
    assert starts(find(world))[0] == at(8)


def problems(user_id: UUID, world: World, on: Any) -> tuple[bool, tuple[str, ...]]:
    home, expert = world.places["home"].id, world.places["expert"].id
    one_by_one = (
        people.agreement_covering(inviting_id=home, invited_id=expert, service="remote_ultrasound", on=on)
        is not None,
        licences.practice_problems(
            user_id=user_id, requesting_id=home, performing_id=expert, service="remote_ultrasound", on=on
        ),
    )
    file = bookable.on_file([user_id], [home, expert])
    at_once = (
        file.agreed(inviting_id=home, invited_id=expert, service="remote_ultrasound", on=on),
        file.problems(
            user_id=user_id, requesting_id=home, performing_id=expert, service="remote_ultrasound", on=on
        ),
    )
    assert one_by_one == at_once
    return one_by_one


def test_papers_read_for_many_decide_as_papers_read_for_one(world: World) -> None:
    """Each paper is spoiled in turn; both ways of reading name the same problem on the same day."""
    user, tomorrow = world.users["expert"].id, today() + timedelta(days=1)
    seen = {problems(user, world, tomorrow)}
    spoilers: list[Any] = [
        lambda: Agreement.objects.update(ended_at=now()),
        lambda: Agreement.objects.update(signed_by_invited_at=None, ended_at=None),
        lambda: Practitioner.objects.update(scope="cardiology , ultrasound"),
        lambda: Practitioner.objects.update(scope="cardiology"),
        lambda: Practitioner.objects.update(standing="suspended"),
        lambda: Privilege.objects.update(valid_to=today()),
        lambda: Registration.objects.update(ended_at=now()),
        lambda: Registration.objects.update(ended_at=None, valid_to=today(), valid_from=today()),
        lambda: Institution.objects.update(region_code="310104"),
        lambda: Practitioner.objects.filter(user_id=user).delete(),
    ]
    for spoil in spoilers:
        spoil()
        for on in (today(), tomorrow, today() + timedelta(days=40)):
            seen.add(problems(user, world, on))
    assert len(seen) > 6

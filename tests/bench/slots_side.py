"""Inside the benchmark's installation: make its hospitals, or time searches. Prints one line of JSON.

`world 5 50 500` makes a group of hospitals for each number of calendars; `measure SIZE RUNS` times searches.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import django

TEAMS_PER_PLACE, FULL, DAYS, WARM_N = 10, 0.6, 30, 20
ROLES = ("remote_physician", "bedside_physician", "assistant")
PLAN_INDEX = "Index Name"


def _place(number: int, size: int, name: str) -> Any:
    from hospital.access.models import Institution

    return Institution.objects.create(
        name=f"{size} {name} {number}", name_en=name, short_name=f"{size}-{number:02d}-{name}",
        region_code="310118", uscc=f"B{size}-{number}-{name}",
    )  # fmt: skip


def _person(role: str, username: str, place: Any) -> UUID:
    from hospital.access.models import Membership, User
    from hospital.people.models import Practitioner, Privilege, Registration
    from hospital.scheduling.models import Resource

    user = User.objects.create(username=username, name=username, password="!", totp_secret="-")
    Membership.objects.create(user=user, institution=place, role=role)
    later = date.today() + timedelta(days=365)  # noqa: DTZ011  any day does
    if role == "remote_physician":
        Practitioner.objects.create(
            user=user, licence_number="1", licence_expires_on=later, practice_started_on=date(2010, 1, 1),
            scope="ultrasound",
        )  # fmt: skip
        Registration.objects.create(
            user=user, institution=place, kind="main", valid_from=date(2010, 1, 1), paper="-"
        )
        Privilege.objects.create(
            user=user, institution=place, level="independent", simulator_hours=20, supervised_exams=10,
            valid_to=later,
        )  # fmt: skip
    return Resource.objects.create(kind="person", user=user, institution=place, name=username).id


def _team(number: int, size: int, home: Any, expert: Any) -> list[UUID]:
    from devices.fleet.models import Robot
    from hospital.scheduling.models import Resource

    people = [
        _person(role, f"{size}-{role}-{number}", expert if role == "remote_physician" else home)
        for role in ROLES
    ]
    robot = Resource.objects.create(
        kind="robot", institution=home, name=f"R{number}", before_minutes=0, after_minutes=0
    )
    later = date.today() + timedelta(days=365)  # noqa: DTZ011
    Robot.objects.create(
        resource=robot, institution=home, name=robot.name, calibration_due_on=later, maintenance_due_on=later
    )
    room = Resource.objects.create(kind="room", institution=home, name=f"Z{number}")
    return [*people, robot.id, room.id]


def _group(size: int) -> list[list[UUID]]:
    """Hospitals that invite one expert hospital, their desk, and their teams of five calendars."""
    from hospital.access.models import Membership, User
    from hospital.common.clock import now, today
    from hospital.people.models import Agreement
    from hospital.scheduling.models import WeeklyHours

    expert = _place(0, size, "expert")
    desk = User.objects.create(username=f"desk-{size}", name="desk", password="!", totp_secret="-")
    homes, teams = [], []
    for number in range(size // 5):
        if number % TEAMS_PER_PLACE == 0:
            homes.append(_place(number, size, "home"))
            Membership.objects.create(user=desk, institution=homes[-1], role="scheduler")
            Agreement.objects.create(
                inviting=homes[-1], invited=expert, services=["remote_ultrasound"], document_sha256="0" * 64,
                valid_from=today(), valid_to=today() + timedelta(days=365), signed_by_inviting_at=now(),
                signed_by_invited_at=now(),
            )  # fmt: skip
        teams.append(_team(number, size, homes[-1], expert))
    for place in [expert, *homes]:
        for weekday in range(7):
            WeeklyHours.objects.create(
                institution=place, weekday=weekday, opens_minute=8 * 60, closes_minute=17 * 60 + 30
            )
    return teams


def _book(teams: list[list[UUID]], appointment: Any, chance: random.Random) -> None:
    """Each team's next days, slot by slot."""
    from hospital.common.clock import shanghai_day, today
    from hospital.scheduling.models import Reservation

    rows = []
    for team in teams:
        for day in range(1, DAYS + 1):
            opens = shanghai_day(today() + timedelta(days=day))[0] + timedelta(hours=8)
            for slot in range(28):
                if chance.random() >= FULL:
                    continue
                start = opens + timedelta(minutes=20 * slot)
                period = (start, start + timedelta(minutes=20))
                rows += [Reservation(resource_id=one, appointment=appointment, period=period) for one in team]
    Reservation.objects.bulk_create(rows, batch_size=5000)


def world(sizes: list[int]) -> dict[str, Any]:
    from hospital.common.clock import now, shanghai_day, today
    from hospital.scheduling.models import Appointment, ExamType

    ExamType.objects.create(
        code="bench",
        name_zh="上腹部",
        name_en="Abdomen",
        minutes=20,
        service="remote_ultrasound",
        assistant=True,
    )
    appointment = Appointment.objects.create(
        starts_at=now(), ends_at=now() + timedelta(minutes=20), created_by_id=UUID(int=0)
    )
    chance, calendars = random.Random(5), {}
    for size in sizes:
        teams = _group(size)
        _book(teams, appointment, chance)
        calendars[str(size)] = [str(one) for team in teams for one in team]
    return {
        "appointment": str(appointment.id),
        "midnight": shanghai_day(today())[0].isoformat(),
        "calendars": calendars,
    }


def _wishes(desk: Any, chance: random.Random) -> Any:
    """Endless searches over 30 days; every second one has a filter."""
    from hospital.common.clock import now
    from hospital.scheduling.models import Resource
    from teleconsult.finding import Wish

    homes = sorted({place for place, _ in desk.memberships})
    people = Resource.objects.filter(kind="person", institution_id__in=homes).values_list(
        "user_id", flat=True
    )
    users = sorted(user for user in people if user is not None)
    while True:
        plain: dict[str, Any] = {"exam_type": "bench", "starts_from": now(), "days": DAYS}
        yield Wish(**plain)
        filters: list[dict[str, Any]] = [
            {"part_of_day": chance.choice(["morning", "afternoon"])},
            {"place_ids": frozenset({chance.choice(homes)})},
            {"person_ids": frozenset({chance.choice(users)})},
            {"language": "zh"},
            {"starts_from": now() + timedelta(days=chance.randrange(1, 15))},
        ]
        yield Wish(**plain | chance.choice(filters))


def _index_of(plan: dict[str, Any]) -> str:
    """The index that the plan of the busy time uses."""
    if PLAN_INDEX in plan:
        return str(plan[PLAN_INDEX])
    return next((found for child in plan.get("Plans", []) if (found := _index_of(child))), "")


def _busy(desk: Any) -> tuple[float, str]:
    """(milliseconds of the one query of busy time over the whole search, the index it uses)."""
    from django.db import connection

    from hospital.common.clock import now
    from hospital.scheduling import availability
    from hospital.scheduling.models import Resource

    homes = {place for place, _ in desk.memberships}
    ids = list(Resource.objects.filter(institution_id__in=homes).values_list("id", flat=True))
    start, end = now(), now() + timedelta(days=DAYS)
    began = time.perf_counter()
    availability.busy_times(ids, start, end)
    took = (time.perf_counter() - began) * 1000
    with connection.cursor() as cursor:
        given: list[Any] = [ids, start, end + timedelta(days=1), end, start]
        cursor.execute("EXPLAIN (FORMAT JSON) " + availability.BUSY, given)
        (plans,) = cursor.fetchone() or ([{}],)
    return took, _index_of((json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"])


def measure(size: int, runs: int) -> dict[str, Any]:
    from hospital.access.models import User
    from hospital.access.selectors import principal_of_user
    from teleconsult.finding import times_find

    desk = principal_of_user(User.objects.get(username=f"desk-{size}"))
    wishes = _wishes(desk, random.Random(7))
    for _ in range(WARM_N):
        times_find(desk, next(wishes))
    took, found = [], 0
    for _ in range(runs):
        wish = next(wishes)
        began = time.perf_counter()
        found += len(times_find(desk, wish).results)
        took.append((time.perf_counter() - began) * 1000)
    busy_ms, index = _busy(desk)
    return {"took_ms": took, "found": found, "busy_ms": busy_ms, "index": index}


def main(arguments: list[str]) -> None:
    django.setup()
    if arguments[0] == "world":
        answer = world([int(size) for size in arguments[1:]])
    else:
        answer = measure(int(arguments[1]), int(arguments[2]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])

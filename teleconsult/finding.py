"""Finding a time: when a whole team is free for an exam type, over several institutions, earliest first.

Candidates and papers come from the apps that own them, open and busy time from the calendars; what is left is
intersections, day by day, until the page is full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q

from devices.fleet import selectors as fleet
from devices.fleet.models import Robot
from hospital.access.models import Institution, Membership
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.clock import SHANGHAI, now, shanghai_day
from hospital.common.errors import NotFound
from hospital.people import bookable
from hospital.scheduling import availability, exam_rules, exam_times, holidays, rules, teams
from hospital.scheduling import selectors as scheduling
from hospital.scheduling.availability import Calendars
from hospital.scheduling.exam_times import Procedure
from hospital.scheduling.hours import day_of, midnight
from hospital.scheduling.intervals import Spans, intersect, normal, subtract
from hospital.scheduling.models import ExamType, Resource

STEP_S = 600  # design value: times are offered every ten minutes
DAYS_MAX = rules.SEARCH_DAYS_MAX
PAGE = 20
REMOTE, BEDSIDE, ASSISTANT, ROBOT, ROOM, PROBE = (
    "remote_physician",
    "bedside_physician",
    "assistant",
    "robot",
    "room",
    "probe",
)
PEOPLE = (REMOTE, BEDSIDE, ASSISTANT)
HOME_LANGUAGE = "zh"  # what everybody speaks about whom nothing was said


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is looked for. Empty filters allow everything; `place_ids` are where the patient would be examined."""

    exam_type: str
    starts_from: datetime
    days: int
    place_ids: frozenset[UUID] = frozenset()
    person_ids: frozenset[UUID] = frozenset()
    language: str = ""
    part_of_day: str = ""
    procedures: tuple[Procedure, ...] = ()


@dataclass(frozen=True)
class Found:
    """One page of times, whether there are more, who and what their ids name, and what the desk should know."""

    results: list[dict[str, Any]]
    more: bool
    who: dict[str, dict[str, str]]
    notices: list[dict[str, Any]]


@dataclass
class Candidates:
    """Who and what can fill each role at each place, whatever their time."""

    places: list[Institution]
    by_role: dict[tuple[UUID, str], list[Resource]] = field(default_factory=lambda: defaultdict(list))
    performing: dict[UUID, UUID] = field(default_factory=dict)  # calendar of a remote physician -> hospital
    robots: dict[UUID, Robot] = field(default_factory=dict)  # calendar -> robot

    def all(self) -> list[Resource]:
        found = {row.id: row for rows in self.by_role.values() for row in rows}
        return [found[ident] for ident in sorted(found)]


def _places(principal: Principal, wish: Wish) -> list[Institution]:
    """Where the caller may book, within the wish. NotFound for a place that is not theirs.

    The system, on behalf of a patient, names the places.
    """
    mine = set(wish.place_ids if principal.kind == "system" else places(principal, "exam.book"))
    if not wish.place_ids <= mine:
        raise NotFound()
    rows = Institution.objects.filter(id__in=wish.place_ids or mine)
    return list(rows.order_by("short_name", "id"))


def _staff(home: set[UUID], invited: set[UUID]) -> tuple[dict[str, set[tuple[UUID, UUID]]], dict[UUID, UUID]]:
    """(role -> (place, user), remote physician -> performing hospital), by the memberships of people who work."""
    at_home: dict[str, set[tuple[UUID, UUID]]] = defaultdict(set)
    performing: dict[UUID, UUID] = {}
    rows = Membership.objects.filter(Q(role=REMOTE) | Q(role__in=PEOPLE, institution_id__in=home))
    active = rows.filter(user__is_active=True).order_by("institution_id")
    for user_id, place, role in active.values_list("user_id", "institution_id", "role"):
        if role == REMOTE:
            performing.setdefault(user_id, place)  # the first one, as booking takes it
        else:
            at_home[role].add((place, user_id))
    return at_home, {user_id: place for user_id, place in performing.items() if place in invited}


def _candidates(kind: ExamType, wish: Wish, found_places: list[Institution]) -> Candidates:
    home = {place.id for place in found_places}
    at_home, performing = _staff(home, bookable.invited_by(home, kind.service))
    robots = {robot.resource_id: robot for robot in fleet.robots_at(home)}
    users = {user for pairs in at_home.values() for _, user in pairs} | performing.keys()
    rows = scheduling.usable(kind, user_ids=users, robot_ids=robots.keys(), place_ids=home)
    people = {row.user_id: row for row in rows if row.user_id is not None}
    found = Candidates(found_places, robots=robots)
    for role, pairs in at_home.items():
        for place, user_id in sorted(pairs):
            if user_id in people and _speaks(people[user_id], role, wish.language):
                found.by_role[place, role].append(people[user_id])
    for user_id, hospital in performing.items():
        if user_id in people:
            found.performing[people[user_id].id] = hospital
            for place in home - {hospital}:
                found.by_role[place, REMOTE].append(people[user_id])
    for row in rows:
        if row.kind != "person":
            found.by_role[row.institution_id, row.kind].append(row)
    return found


def _speaks(resource: Resource, role: str, language: str) -> bool:
    """A language is asked of the bedside physician, who speaks with the patient all the time."""
    return not language or role != BEDSIDE or language in (resource.languages or [HOME_LANGUAGE])


def _roles(kind: ExamType) -> list[str]:
    return [
        *(REMOTE, BEDSIDE, ROBOT, ROOM),
        *([ASSISTANT] if kind.assistant else []),
        *([PROBE] if kind.probe else []),
    ]


@dataclass(frozen=True)
class Search:
    """Everything a day needs, read before the first one."""

    kind: ExamType
    wish: Wish
    candidates: Candidates
    calendars: Calendars
    papers: bookable.OnFile
    windows: list[tuple[int, int]]
    orders: list[exam_times.Order]
    now_s: int

    @property
    def length(self) -> int:
        return self.kind.minutes * 60

    def may(self, place: UUID, role: str, resource: Resource, day: date) -> bool:
        """Whether papers and calibration let them be booked for that day."""
        if role == ROBOT:
            return not fleet.is_overdue(self.candidates.robots[resource.id], day)
        if role != REMOTE:
            return True
        hospital, service = self.candidates.performing[resource.id], self.kind.service
        assert resource.user_id is not None
        return self.papers.agreed(
            inviting_id=place, invited_id=hospital, service=service, on=day
        ) and not self.papers.problems(
            user_id=resource.user_id, requesting_id=place, performing_id=hospital, service=service, on=day
        )

    def within(self, day: date) -> Spans:
        """The moments of that day at which the wish and the exam type's own rules let it begin."""
        start, length = midnight(day), self.length
        opens = self.windows or [(0, rules.DAY_MIN)]
        found = normal((start + first * 60, start + last * 60 - length + 1) for first, last in opens)
        if self.wish.part_of_day:
            first, last = rules.PARTS_OF_DAY[self.wish.part_of_day]
            found = intersect(found, [(start + first * 60, start + last * 60)])
        begin, end = availability.seconds(
            self.wish.starts_from, self.wish.starts_from + timedelta(days=self.wish.days)
        )
        return subtract(intersect(found, [(begin, end)]), self._closed_by_order())

    def _closed_by_order(self) -> Spans:
        return normal(
            availability.seconds(procedure.at, exam_times.order_free_from(order, procedure))
            for order in self.orders
            for procedure in self.wish.procedures
            if procedure.code == order.procedure
        )

    def members(self, place: UUID, role: str, day: date) -> dict[UUID, Spans]:
        """Who can fill the role there on that day -> the moments at which they can begin."""
        found = {}
        for resource in self.candidates.by_role[place, role]:
            if not self.may(place, role, resource, day):
                continue
            free = self.calendars[resource.id].starts_on(
                day, length=self.length, place=place, now_s=self.now_s
            )
            if free:
                found[resource.id] = free
        return found

    def times(self, order: int, place: UUID, day: date) -> Iterator[tuple[int, int, teams.Free]]:
        """(moment, order of the place, who is free in each role) of one day at one place."""
        within = self.within(day)
        members: dict[str, dict[UUID, Spans]] = {}
        for role in _roles(self.kind) if within else []:
            members[role] = self.members(place, role, day)
            if not members[role]:
                return
        people = [role for role in members if role in PEOPLE]
        for moment, free in teams.times_on(members, people=people, within=within, step=STEP_S):
            wanted = self._with_the_wished(free)
            if wanted is not None:
                yield moment, order, wanted

    def _with_the_wished(self, free: teams.Free) -> teams.Free | None:
        """Each wished person must be in the team: their role is theirs."""
        if not self.wish.person_ids:
            return free
        left = dict(free)
        for user_id in self.wish.person_ids:
            role = next((role for role in PEOPLE if user_id in self._users(left.get(role, []))), None)
            if role is None:
                return None
            left[role] = [one for one in left[role] if self.calendars[one].resource.user_id == user_id]
        return teams.different(left, [role for role in left if role in PEOPLE])

    def _users(self, resource_ids: Sequence[UUID]) -> set[UUID | None]:
        return {self.calendars[one].resource.user_id for one in resource_ids}

    def days(self) -> Iterator[date]:
        first = self.wish.starts_from.astimezone(SHANGHAI).date()
        last = day_of(int((self.wish.starts_from + timedelta(days=self.wish.days)).timestamp()) - 1)
        for number in range((last - first).days + 1):
            yield first + timedelta(days=number)

    def all_times(self) -> Iterator[tuple[int, int, teams.Free]]:
        for day in self.days():
            self.calendars.read(shanghai_day(day)[1])
            found = (self.times(n, place.id, day) for n, place in enumerate(self.candidates.places))
            yield from merge(*found, key=lambda time: time[:2])


def times_find(principal: Principal, wish: Wish, *, page: int = 1, size: int = PAGE) -> Found:
    """The times at which a whole team is free, earliest first, `size` a page.

    Invalid `unknown_exam_type`; NotFound for a place where the caller does not book. What an agreement, a licence, a
    privilege or a calibration does not cover on that day is not offered.
    """
    kind = scheduling.exam_type_get(wish.exam_type)
    candidates = _candidates(kind, wish, _places(principal, wish))
    resources = candidates.all()
    users = [row.user_id for row in resources if row.user_id is not None]
    hospitals = {place.id for place in candidates.places} | set(candidates.performing.values())
    until = wish.starts_from + timedelta(days=wish.days)
    search = Search(
        kind=kind,
        wish=wish,
        candidates=candidates,
        calendars=availability.calendars(resources, wish.starts_from, until + rules.LONGEST),
        papers=bookable.on_file(users, list(hospitals)),
        windows=exam_rules.windows_of(kind),
        orders=exam_rules.orders_of(kind),
        now_s=int(now().timestamp()),
    )
    rows = list(islice(search.all_times(), (page - 1) * size, page * size + 1))
    results = [_time_json(search, *row) for row in rows[:size]]
    return Found(results, len(rows) > size, _who(search, rows[:size]), _notices(search))


def _id_of(search: Search, resource_id: UUID) -> str:
    """What a booking calls it: a person's user, a robot's own id, a room's calendar."""
    resource = search.calendars[resource_id].resource
    robot = search.candidates.robots.get(resource_id)
    return str(robot.id if robot else resource.user_id or resource.id)


def _time_json(search: Search, moment: int, order: int, free: teams.Free) -> dict[str, Any]:
    place = search.candidates.places[order]
    starts_at = datetime.fromtimestamp(moment, SHANGHAI)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(seconds=search.length)).isoformat(),
        "institution_id": str(place.id),
        "institution": place.name,
        "institution_en": place.name_en,
        "free": {role: [_id_of(search, one) for one in ids] for role, ids in free.items()},
    }


def _who(search: Search, rows: Sequence[tuple[int, int, teams.Free]]) -> dict[str, dict[str, str]]:
    ids = {one for _, _, free in rows for members in free.values() for one in members}
    named = [search.calendars[one].resource for one in ids]
    return {
        _id_of(search, row.id): {"kind": row.kind, "name": row.name, "name_en": row.name_en} for row in named
    }


def _notices(search: Search) -> list[dict[str, Any]]:
    """What makes the answer less sure than it looks: years without announced holidays, calendars without hours."""
    unknown = sorted({day.year for day in search.days() if not holidays.known(day)})
    unwritten = [row for row in search.calendars.by_id.values() if row.open.weekly is None]
    return [
        *({"code": "holidays_unknown", "year": year} for year in unknown),
        *([{"code": "hours_not_written", "count": len(unwritten)}] if unwritten else []),
    ]

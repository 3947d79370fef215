"""Who and what one exam takes: two physicians, an assistant and a probe where the type needs them, robot and room."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from hospital.access.models import Membership
from hospital.common.clock import now
from hospital.common.errors import Invalid
from hospital.common.prebuilt import Value, prebuilt
from hospital.scheduling import exam_rules
from hospital.scheduling import selectors as scheduling
from hospital.scheduling.exam_times import Procedure
from hospital.scheduling.models import ExamType, Resource

from .. import selectors

BOOKING_GRACE = timedelta(minutes=5)  # a start a few minutes ago still means "now"
FAR = timedelta(days=2 * 366)  # design value: what lies further ahead is a mistyped year


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that can be right, and the calendars that it takes."""

    ends_at: datetime
    requesting_id: UUID
    performing_id: UUID
    probe_id: UUID | None
    calendars: list[Resource]

    @property
    def resource_ids(self) -> list[UUID]:
        return [row.id for row in self.calendars]


Held = Collection[tuple[UUID, str, UUID]]  # (person, role, institution)


def _held_by(people: list[UUID]) -> Held:
    return _memberships(people=tuple(people))


@prebuilt
def _memberships(*, people: Value) -> QuerySet[Membership, tuple[UUID, str, UUID]]:
    rows = Membership.objects.filter(user_id__in=people, user__is_active=True).order_by("institution_id")
    return rows.values_list("user_id", "role", "institution_id")


def _institution_of(held: Held, user_id: UUID, role: str, *, home_id: UUID | None = None) -> UUID:
    """Where this person has the role; Invalid `wrong_role` when nowhere, or not in the house that is named."""
    for somebody, something, place_id in held:
        if (somebody, something) == (user_id, role) and home_id in (None, place_id):
            return place_id
    raise Invalid("wrong_role", role=role)


def _places(people: list[UUID], home_id: UUID) -> tuple[UUID, UUID]:
    """(requesting, performing) institution; `people` are remote, bedside and perhaps an assistant."""
    remote_id, bedside_id, *assistants = people
    if len(set(people)) < len(people):
        raise Invalid("same_person")
    held = _held_by(people)
    requesting = _institution_of(held, bedside_id, "bedside_physician", home_id=home_id)
    for assistant_id in assistants:
        _institution_of(held, assistant_id, "assistant", home_id=home_id)
    performing = _institution_of(held, remote_id, "remote_physician")
    if requesting == performing:
        raise Invalid("same_institution")
    return requesting, performing


def _calendars(people: list[UUID], robot: Any, room_id: UUID) -> list[Resource]:
    """Those of all of them, all in use, the room in the robot's house. Invalid `unknown_resource`."""
    rows = scheduling.calendars_of(people, [robot.resource_id, room_id])
    rooms = [row for row in rows if row.id == room_id and row.kind == "room"]
    if len(rows) < len(people) + 2 or not rooms or rooms[0].institution_id != robot.institution_id:
        raise Invalid("unknown_resource")
    return rows


def _end_of(kind: ExamType, starts_at: datetime, length: timedelta | None) -> datetime:
    """Invalid `in_the_past`; `bad_period` for a mistyped year."""
    if starts_at < now() - BOOKING_GRACE:
        raise Invalid("in_the_past")
    if starts_at > now() + FAR:
        raise Invalid("bad_period", field="starts_at")
    return starts_at + (length or timedelta(minutes=kind.minutes))


def team_checked(
    kind: ExamType,
    *,
    remote_id: UUID,
    bedside_id: UUID,
    assistant_id: UUID | None,
    robot: Any,
    room_id: UUID,
    starts_at: datetime,
    procedures: Iterable[Procedure],
    length: timedelta | None = None,
    time_asked: bool = True,
) -> Team:
    """The team, when people, places and the exam type's own rules allow it; `length` when not the type's.

    Invalid with what is wrong, Conflict where another time would be right: see `exam_rules.refuse_unfit`.
    """
    people = [remote_id, bedside_id, *([assistant_id] if assistant_id else [])]
    ends_at = _end_of(kind, starts_at, length)
    requesting, performing = _places(people, robot.institution_id)
    calendars = _calendars(people, robot, room_id)
    probe = exam_rules.probe_for(kind, place_id=requesting, starts_at=starts_at, ends_at=ends_at)
    calendars += [probe] if probe else []
    exam_rules.refuse_unfit(
        kind,
        starts_at=starts_at,
        ends_at=ends_at,
        resource_ids=[row.id for row in calendars],
        assistant=assistant_id is not None,
        procedures=procedures,
        time_asked=time_asked,
    )
    return Team(
        ends_at=ends_at,
        requesting_id=requesting,
        performing_id=performing,
        probe_id=probe.id if probe else None,
        calendars=calendars,
    )


def procedures_of(
    kind: ExamType, patient_id: UUID, told: Iterable[dict[str, Any]], *, but: UUID | None = None
) -> list[Procedure]:
    """What the desk was told, and the patient's own exams here that an order rule of the type names."""
    named = {order.procedure for order in exam_rules.orders_of(kind)}
    stated = [Procedure(row["procedure"], row["at"]) for row in told]
    return [*stated, *(selectors.exams_as_procedures(patient_id, named, but=but) if named else [])]

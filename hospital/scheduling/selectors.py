from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef, Q, QuerySet

from hospital.common.clock import now
from hospital.common.errors import Invalid
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.rows import only

from .models import CalendarException, ExamType, Reservation, Resource
from .states import BLOCKING, BOOKED, HOLD

Period = tuple[datetime, datetime]


def qualified(code: Value) -> Q:
    """Resources that may be used for the type: those said to, and those about which nothing was said."""
    return Q(exam_types=None) | Q(exam_types=code)


def busy(*, resource_ids: Iterable[UUID], starts_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    """Everything that blocks any of the resources in [starts_at, ends_at). Says what is busy, never with whom.

    `{resource_id, kind, name, name_en, status: hold|booked, starts_at, ends_at}`, times ISO 8601. Expired holds
    block nobody and are left out.
    """
    rows = _blocking(
        resource_ids=tuple(resource_ids), period=DateTimeTZRange(starts_at, ends_at), moment=now()
    )
    return [
        {
            "resource_id": str(row.resource_id),
            "kind": row.resource.kind,
            "name": row.resource.name,
            "name_en": row.resource.name_en,
            "status": row.status,
            "starts_at": row.period.lower.isoformat(),
            "ends_at": row.period.upper.isoformat(),
        }
        for row in rows
    ]


@prebuilt
def _blocking(*, resource_ids: Value, period: Value, moment: Value) -> QuerySet[Reservation]:
    alive = ~Q(status=HOLD) | Q(expires_at__gt=moment)
    rows = Reservation.objects.select_related("resource").filter(
        alive, resource_id__in=resource_ids, status__in=BLOCKING, period__overlap=period
    )
    return rows.order_by("resource__kind", "resource_id", "period")


def busy_periods(calendars: Iterable[Resource], starts_at: datetime, ends_at: datetime) -> dict[UUID, Period]:
    """The time each calendar is busy with: the exam's own with what the resource needs before and after it."""
    return {
        row.id: (
            starts_at - timedelta(minutes=row.before_minutes),
            ends_at + timedelta(minutes=row.after_minutes),
        )
        for row in calendars
    }


def _meets(row: dict[str, Any], periods: dict[UUID, Period]) -> bool:
    start, end = periods[UUID(row["resource_id"])]
    return datetime.fromisoformat(row["starts_at"]) < end and start < datetime.fromisoformat(row["ends_at"])


def taken(periods: dict[UUID, Period]) -> list[dict[str, Any]]:
    """What stands in the way of these periods, as `busy` says it."""
    first, last = min(start for start, _ in periods.values()), max(end for _, end in periods.values())
    found = busy(resource_ids=periods, starts_at=first, ends_at=last)
    return [row for row in found if _meets(row, periods)]


def in_the_way(periods: dict[UUID, Period]) -> tuple[list[UUID], list[UUID]]:
    """(appointments, holds) that block any of these periods."""
    appointments: set[UUID] = set()
    holds: set[UUID] = set()
    for resource_id, period in periods.items():
        rows = Reservation.objects.filter(
            resource_id=resource_id, status__in=BLOCKING, period__overlap=period
        ).exclude(status=HOLD, expires_at__lte=now())
        for appointment_id, hold_id, status in rows.values_list("appointment_id", "hold_id", "status"):
            if status == HOLD and hold_id is not None:
                holds.add(hold_id)
            elif appointment_id is not None:
                appointments.add(appointment_id)
    return sorted(appointments), sorted(holds)


def against_closed() -> QuerySet[Reservation]:
    """What is booked ahead on a calendar that is closed by then, by an exception of its own or of its house.

    Buffers may lie in closed time; what runs or is over is nobody's to move.
    """
    closed = CalendarException.objects.filter(
        Q(resource=OuterRef("resource")) | Q(institution=OuterRef("resource__institution")),
        open=False,
        withdrawn_at=None,
        period__startswith__lt=OuterRef("appointment__ends_at"),
        period__endswith__gt=OuterRef("appointment__starts_at"),
    )
    rows = Reservation.objects.filter(Exists(closed), status=BOOKED, appointment__ends_at__gt=now())
    return rows.select_related("resource").order_by("resource__kind", "resource__name", "id")


def holds_of(user_id: UUID) -> int:
    """How many times this person keeps for somebody now."""
    return len(_holds(user_id=user_id, moment=now()))


@prebuilt
def _holds(*, user_id: Value, moment: Value) -> QuerySet[Reservation, tuple[UUID | None]]:
    rows = Reservation.objects.filter(status=HOLD, held_by_id=user_id, expires_at__gt=moment)
    return rows.values_list("hold_id").distinct()


def resources(*, kind: str, institution_ids: Iterable[UUID]) -> list[Resource]:
    """The active resources of these institutions; of every kind when `kind` is empty."""
    rows = Resource.objects.select_related("institution").prefetch_related("exam_types")
    rows = rows.filter(active=True, institution_id__in=list(institution_ids))
    return list((rows.filter(kind=kind) if kind else rows).order_by("kind", "name", "id"))


def usable(
    kind: ExamType, *, user_ids: Iterable[UUID], robot_ids: Iterable[UUID], place_ids: Iterable[UUID]
) -> list[Resource]:
    """What an exam of this type can use: these people and robots, and the rooms and probes of these places."""
    things = Q(kind="room") | (Q(kind="probe", probe_type=kind.probe) if kind.probe else Q(pk__in=[]))
    rows = Resource.objects.filter(qualified(kind.code), active=True).filter(
        Q(user_id__in=list(user_ids))
        | Q(id__in=list(robot_ids))
        | things & Q(institution_id__in=list(place_ids))
    )
    return list(rows.distinct().order_by("name", "id"))


def person_resources(user_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """User id -> id of that person's calendar."""
    rows = Resource.objects.filter(user_id__in=list(user_ids)).values_list("user_id", "id")
    return {user_id: resource_id for user_id, resource_id in rows if user_id is not None}


def people(user_ids: Iterable[UUID]) -> list[Resource]:
    """The active calendars of these people."""
    rows = Resource.objects.filter(user_id__in=list(user_ids), active=True)
    return list(rows.order_by("name", "id"))


def calendars_of(user_ids: Iterable[UUID], resource_ids: Iterable[UUID]) -> list[Resource]:
    """The active calendars of these people and of these rooms and robots."""
    return _calendars(user_ids=tuple(user_ids), resource_ids=tuple(resource_ids))


@prebuilt
def _calendars(*, user_ids: Value, resource_ids: Value) -> QuerySet[Resource]:
    return Resource.objects.filter(Q(user_id__in=user_ids) | Q(id__in=resource_ids), active=True)


def room_named(resource_id: UUID) -> tuple[str, str]:
    """(name, English name) of a room, also of one no longer in use; empty for none."""
    names = Resource.objects.filter(id=resource_id, kind="room").values_list("name", "name_en")
    return names.first() or ("", "")


def room_institution(resource_id: UUID) -> UUID | None:
    """Whose room it is; None when it is no room, or not in use."""
    rooms = Resource.objects.filter(id=resource_id, kind="room", active=True)
    return only(rooms.values_list("institution_id", flat=True))


def exam_types() -> list[ExamType]:
    rows = ExamType.objects.prefetch_related("windows", "order_rules", "reminders")
    return list(rows.order_by("code"))


def exam_type_get(code: str) -> ExamType:
    """Invalid `unknown_exam_type`."""
    found = _exam_type.one(code=code)
    if found is None:
        raise Invalid("unknown_exam_type", field="exam_type")
    return found


@prebuilt
def _exam_type(*, code: Value) -> QuerySet[ExamType]:
    return ExamType.objects.filter(code=code)

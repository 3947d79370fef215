"""Writing what calendars and exam types are made of: hours, exceptions, released times, qualifications, rules.

Kept by the scheduler or the system administrator of the resource's own institution. Each deed is on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.models import Institution
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.events import emit
from hospital.common.work import work_add

from . import rules, services
from .events import BookedTimeClosed
from .models import (
    Appointment,
    CalendarException,
    ExamReminder,
    ExamType,
    ExamWindow,
    OrderRule,
    ReleasedTime,
    Resource,
)
from .selectors import Period
from .states import BOOKED

KEEP = "resource.keep"
RELEASE_RETURNS = "scheduling.release_returns"
RETURNS_EVERY = timedelta(minutes=30)  # design value: a long time returns piece by piece
ROWS_MAX = 100  # design value: rows of one week, or rules of one exam type


def resource_kept(principal: Principal, resource_id: UUID) -> Resource:
    """A resource whose calendar the caller keeps; NotFound for any other."""
    rows = Resource.objects.filter(institution_id__in=places(principal, KEEP), id=resource_id)
    found = rows.select_related("institution").first()
    if found is None:
        raise NotFound()
    return found


def calendar_locked(principal: Principal, resource_id: UUID) -> Resource:
    """Bookings of this calendar wait, and then see what was written."""
    resource_kept(principal, resource_id)
    return Resource.objects.select_for_update(no_key=True).get(id=resource_id)


def institution_kept(principal: Principal, institution_id: UUID) -> Institution:
    """An institution whose hours the caller keeps; NotFound for any other."""
    found = Institution.objects.filter(id__in=places(principal, KEEP)).filter(id=institution_id).first()
    if found is None:
        raise NotFound()
    return found


def house_locked(principal: Principal, institution_id: UUID) -> list[UUID]:
    """Bookings of every calendar there wait, in the order in which bookings lock, and then see what was written."""
    institution_kept(principal, institution_id)
    found = Resource.objects.filter(institution_id=institution_id).order_by("id")
    ids = list(found.values_list("id", flat=True))
    for ident in ids:
        services.resource_lock(ident)
    return ids


def noted(
    principal: Principal, action: str, kind: str, object_id: UUID | None, place: UUID | None, **details: Any
) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind=kind,
        object_id=object_id,
        institution_id=place,
        details=details,
    )


def period_checked(starts_at: datetime, ends_at: datetime) -> Period:
    """Invalid `bad_period`."""
    if ends_at <= starts_at:
        raise Invalid("bad_period", field="ends_at")
    return starts_at, ends_at


@transaction.atomic
def exception_add(
    *,
    principal: Principal,
    resource_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    open: bool,
    reason: str,
    note: str,
) -> tuple[CalendarException, list[dict[str, str]]]:
    """A time that differs from the week, and the bookings that a closed one meets: they stand until somebody moves
    them. Invalid `bad_period`."""
    resource, period = calendar_locked(principal, resource_id), period_checked(starts_at, ends_at)
    row = exception_written(principal, period, open=open, reason=reason, note=note, resource_id=resource.id)
    noted(principal, "resource.exception", "resource", resource.id, resource.institution_id, reason=reason)
    return row, [] if open else closed_over(resource.institution_id, [resource.id], period)


def exception_written(
    principal: Principal, period: Period, *, open: bool, reason: str, note: str, **owner: UUID
) -> CalendarException:
    """The row, of a calendar or of a whole house. What it opens is told. The calendars it counts for are locked."""
    if reason not in rules.EXCEPTION_REASONS:
        raise Invalid("invalid", field="reason")
    row = CalendarException.objects.create(
        period=period, open=open, reason=reason, note=note.strip(), created_by_id=principal.id, **owner
    )
    if open:
        services.freed(*period)
    return row


def exception_ended(exception_id: UUID, **owner: UUID) -> None:
    """What it closed is free time again. NotFound for one that is another owner's, or withdrawn already."""
    rows = CalendarException.objects.filter(id=exception_id, withdrawn_at=None, **owner)
    if (row := rows.first()) is None:
        raise NotFound()
    row.withdrawn_at = now()
    row.save(update_fields=["withdrawn_at"])
    if not row.open:
        services.freed(row.period.lower, row.period.upper)


def closed_over(place_id: UUID, resource_ids: Iterable[UUID], period: Period) -> list[dict[str, str]]:
    """The bookings of these calendars in a time that the institution closed, as `met` says them. Other houses hear."""
    rows = Appointment.objects.filter(
        starts_at__lt=period[1],
        ends_at__gt=period[0],
        reservations__resource_id__in=list(resource_ids),
        reservations__status=BOOKED,
    )
    return met(rows.distinct().order_by("starts_at", "id"), closed_by=place_id, listed=True)


def met(rows: Iterable[Appointment], *, closed_by: UUID, listed: bool) -> list[dict[str, str]]:
    """Each once: `{appointment_id, starts_at, ends_at}`; and word to whose exams they are (`BookedTimeClosed`)."""
    found = list(rows)
    if found:
        ids = tuple(row.id for row in found)
        emit(BookedTimeClosed(institution_id=closed_by, appointment_ids=ids, listed=listed))
    return [
        {
            "appointment_id": str(row.id),
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
        }
        for row in found
    ]


def exceptions_of(principal: Principal, resource_id: UUID) -> QuerySet[CalendarException]:
    """What still lies ahead or runs, the institution's included."""
    resource = resource_kept(principal, resource_id)
    rows = CalendarException.objects.filter(withdrawn_at=None, period__endswith__gt=now())
    mine = rows.filter(resource=resource) | rows.filter(institution_id=resource.institution_id)
    return mine.order_by("period", "id")


@transaction.atomic
def exception_withdraw(*, principal: Principal, resource_id: UUID, exception_id: UUID) -> None:
    """Leave that is not taken is free time again. NotFound for one that is another calendar's, or withdrawn already."""
    resource = calendar_locked(principal, resource_id)
    exception_ended(exception_id, resource_id=resource.id)
    noted(principal, "resource.exception_withdraw", "resource", resource.id, resource.institution_id)


def released_of(principal: Principal, resource_id: UUID) -> QuerySet[ReleasedTime]:
    """What still lies ahead or runs."""
    resource = resource_kept(principal, resource_id)
    rows = ReleasedTime.objects.filter(resource=resource, withdrawn_at=None, period__endswith__gt=now())
    return rows.select_related("partner").order_by("period", "id")


@transaction.atomic
def released_add(
    *,
    principal: Principal,
    resource_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    partner_id: UUID | None,
) -> ReleasedTime:
    """Give an expert to one partner, or to all, for a time. From the first one on the expert is bookable only in
    released times. Conflict `not_a_person`; Invalid `bad_period`."""
    resource, period = calendar_locked(principal, resource_id), period_checked(starts_at, ends_at)
    if resource.kind != "person":
        raise Conflict("not_a_person")
    if partner_id is not None and not Institution.objects.filter(id=partner_id).exists():
        raise Invalid("invalid", field="partner_id")
    if not resource.by_release:
        resource.by_release = True
        resource.save(update_fields=["by_release"])
    row = ReleasedTime.objects.create(
        resource=resource, partner_id=partner_id, period=period, released_by_id=principal.id
    )
    services.freed(starts_at, ends_at)
    _returns(row, starts_at - rules.RETURN_BEFORE)
    noted(principal, "resource.release", "resource", resource.id, resource.institution_id)
    return row


def _returns(row: ReleasedTime, due_at: datetime) -> None:
    """The calendar is computed and needs no work; who waits at the expert's own hospital is looked at then."""
    work_add(
        kind=RELEASE_RETURNS,
        key=f"{row.id}:{due_at.isoformat()}",
        payload={"released_id": str(row.id)},
        due_at=due_at,
    )


@transaction.atomic
def release_returned(*, released_id: UUID) -> None:
    """What of a released time lies less than 24 h ahead is its own hospital's again, and free."""
    row = ReleasedTime.objects.filter(id=released_id, withdrawn_at=None).first()
    if row is None:
        return
    back = now() + rules.RETURN_BEFORE
    services.freed(row.period.lower, min(row.period.upper, back))
    if back < row.period.upper:
        _returns(row, now() + RETURNS_EVERY)


@transaction.atomic
def released_withdraw(*, principal: Principal, resource_id: UUID, released_id: UUID) -> None:
    """Take a time back for one's own hospital; what partners have booked in it stands. NotFound the second time."""
    resource = calendar_locked(principal, resource_id)
    rows = ReleasedTime.objects.filter(id=released_id, resource=resource, withdrawn_at=None)
    if (row := rows.first()) is None:
        raise NotFound()
    row.withdrawn_at = now()
    row.save(update_fields=["withdrawn_at"])
    services.freed(row.period.lower, row.period.upper)
    noted(principal, "resource.release_withdraw", "resource", resource.id, resource.institution_id)


@transaction.atomic
def resource_keep(
    *,
    principal: Principal,
    resource_id: UUID,
    before_minutes: int,
    after_minutes: int,
    languages: Sequence[str],
    exam_types: Sequence[str],
    by_release: bool,
) -> Resource:
    """Buffers, languages and qualifications; no exam types means all. Conflict `not_a_person`."""
    resource = calendar_locked(principal, resource_id)
    if by_release and resource.kind != "person":
        raise Conflict("not_a_person")
    known = set(ExamType.objects.filter(code__in=exam_types).values_list("code", flat=True))
    if known != set(exam_types):
        raise Invalid("unknown_exam_type", field="exam_types")
    resource.before_minutes, resource.after_minutes = before_minutes, after_minutes
    resource.languages, resource.by_release = sorted(set(languages)), by_release
    resource.save(update_fields=["before_minutes", "after_minutes", "languages", "by_release"])
    resource.exam_types.set(known)
    # Less may be in the way of who waits.
    services.freed(now(), now() + timedelta(days=rules.SEARCH_DAYS_MAX))
    noted(principal, "resource.keep", "resource", resource.id, resource.institution_id)
    return resource_kept(principal, resource_id)


@transaction.atomic
def exam_type_keep(
    *,
    principal: Principal,
    code: str,
    windows: Iterable[dict[str, Any]],
    order_rules: Iterable[dict[str, Any]],
    reminders: Iterable[dict[str, Any]],
    **fields: Any,
) -> ExamType:
    """All rules of one exam type anew. `fields`: minutes, assistant, probe, preparation_zh, preparation_en.

    What is booked keeps its time. Invalid `bad_hours`, `order_rule_twice`; NotFound for no such type, or another
    institution's.
    """
    rows = ExamType.objects.select_for_update(no_key=True)
    kind = rows.filter(code=code, keeper_id__in=places(principal, "exam_type.keep")).first()
    if kind is None:
        raise NotFound()
    for name, value in fields.items():
        setattr(kind, name, value)
    kind.save(update_fields=list(fields))
    hours, orders = list(windows), list(order_rules)
    if any(row["closes_minute"] <= row["opens_minute"] for row in hours):
        raise Invalid("bad_hours", field="windows")
    if len({(row["procedure"], row["kind"]) for row in orders}) < len(orders):
        raise Invalid("order_rule_twice", field="order_rules")
    kind.windows.all().delete()
    kind.order_rules.all().delete()
    kind.reminders.all().delete()
    ExamWindow.objects.bulk_create([ExamWindow(exam_type=kind, **row) for row in hours])
    OrderRule.objects.bulk_create([OrderRule(exam_type=kind, **row) for row in orders])
    times = {(row["days_before"], row["minute"]) for row in reminders}
    ExamReminder.objects.bulk_create(
        [ExamReminder(exam_type=kind, days_before=days, minute=minute) for days, minute in sorted(times)]
    )
    noted(principal, "exam_type.keep", "exam_type", None, kind.keeper_id, code=code)
    return ExamType.objects.prefetch_related("windows", "order_rules", "reminders").get(code=code)

"""A whole house differs from its week: closed for a day, or open beside it. One row, for every calendar there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.principals import Principal
from hospital.common.clock import now

from .models import CalendarException
from .services_calendars import (
    closed_over,
    exception_ended,
    exception_written,
    house_locked,
    institution_kept,
    noted,
    period_checked,
)


@transaction.atomic
def house_exception_add(
    *,
    principal: Principal,
    institution_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    open: bool,
    reason: str,
    note: str,
) -> tuple[CalendarException, list[dict[str, str]]]:
    """Close everything there for a time, or open it; and the bookings that a closed one meets: they stand until
    somebody moves them. Invalid `bad_period`; NotFound for another's house; Conflict `calendar_locked`."""
    ids, period = house_locked(principal, institution_id), period_checked(starts_at, ends_at)
    row = exception_written(
        principal, period, open=open, reason=reason, note=note, institution_id=institution_id
    )
    over = [] if open else closed_over(institution_id, ids, period)
    told = {"reason": reason, "calendars": len(ids), "met": len(over)}
    noted(principal, "institution.exception", "institution", institution_id, institution_id, **told)
    return row, over


def house_exceptions_of(principal: Principal, institution_id: UUID) -> QuerySet[CalendarException]:
    """What still lies ahead or runs for the whole house."""
    place = institution_kept(principal, institution_id)
    rows = CalendarException.objects.filter(institution=place, withdrawn_at=None)
    return rows.filter(period__endswith__gt=now()).order_by("period", "id")


@transaction.atomic
def house_exception_withdraw(*, principal: Principal, institution_id: UUID, exception_id: UUID) -> None:
    """The house opens after all. NotFound for another's, or one that is withdrawn already."""
    house_locked(principal, institution_id)
    exception_ended(exception_id, institution_id=institution_id)
    noted(principal, "institution.exception_withdraw", "institution", institution_id, institution_id)

"""A whole house differs from its week: closed for a day, or open beside it. One row, for every calendar there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Invalid, NotFound

from . import rules, services
from .models import CalendarException, Resource
from .services_calendars import appointments_met, institution_kept


def _locked(principal: Principal, institution_id: UUID) -> list[UUID]:
    """Bookings of every calendar there wait, in the order in which bookings lock, and then see what was written."""
    institution_kept(principal, institution_id)
    found = Resource.objects.filter(institution_id=institution_id).order_by("id")
    ids = list(found.values_list("id", flat=True))
    for ident in ids:
        services.resource_lock(ident)
    return ids


def _noted(principal: Principal, action: str, place_id: UUID, **details: int | str) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="institution",
        object_id=place_id,
        institution_id=place_id,
        details=details,
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
    ids = _locked(principal, institution_id)
    if ends_at <= starts_at:
        raise Invalid("bad_period", field="ends_at")
    if reason not in rules.EXCEPTION_REASONS:
        raise Invalid("invalid", field="reason")
    row = CalendarException.objects.create(
        institution_id=institution_id,
        period=(starts_at, ends_at),
        open=open,
        reason=reason,
        note=note.strip(),
        created_by_id=principal.id,
    )
    if open:
        services.freed(starts_at, ends_at)
    met = [] if open else appointments_met(ids, (starts_at, ends_at))
    _noted(
        principal, "institution.exception", institution_id, reason=reason, calendars=len(ids), met=len(met)
    )
    return row, met


def house_exceptions_of(principal: Principal, institution_id: UUID) -> QuerySet[CalendarException]:
    """What still lies ahead or runs for the whole house."""
    place = institution_kept(principal, institution_id)
    rows = CalendarException.objects.filter(institution=place, withdrawn_at=None)
    return rows.filter(period__endswith__gt=now()).order_by("period", "id")


@transaction.atomic
def house_exception_withdraw(*, principal: Principal, institution_id: UUID, exception_id: UUID) -> None:
    """The house opens after all. NotFound for another's, or one that is withdrawn already."""
    _locked(principal, institution_id)
    rows = CalendarException.objects.filter(institution_id=institution_id, withdrawn_at=None)
    if (row := rows.filter(id=exception_id).first()) is None:
        raise NotFound()
    row.withdrawn_at = now()
    row.save(update_fields=["withdrawn_at"])
    if not row.open:
        services.freed(row.period.lower, row.period.upper)
    _noted(principal, "institution.exception_withdraw", institution_id)

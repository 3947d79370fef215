"""Weekly hours, of one calendar or of a whole house: written whole, and what that opens or leaves out is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.models import Institution
from hospital.access.principals import Principal
from hospital.common.clock import SHANGHAI, now, today
from hospital.common.errors import Invalid

from . import availability, rules, services
from .hours import Open, Week, newly_open
from .models import Appointment, Reservation, Resource, WeeklyHours
from .services_calendars import ROWS_MAX, calendar_locked, house_locked, met, noted
from .states import BOOKED


def _locked_place(principal: Principal, institution_id: UUID) -> Institution:
    """Who writes the same week waits: two whole weeks must not become one. Who books there waits too."""
    house_locked(principal, institution_id)
    return Institution.objects.select_for_update(no_key=True).get(id=institution_id)


def weekly_hours(
    *, resource_id: UUID | None = None, institution_id: UUID | None = None
) -> QuerySet[WeeklyHours]:
    """The rows of one owner, in the week's order."""
    owner = {"resource_id": resource_id} if resource_id else {"institution_id": institution_id}
    return WeeklyHours.objects.filter(**owner).order_by("weekday", "opens_minute", "id")


def _hours_replace(rows: Sequence[dict[str, Any]], **owner: UUID | None) -> None:
    if len(rows) > ROWS_MAX:
        raise Invalid("invalid", field="hours")
    named = {row["place_id"] for row in rows if row.get("place_id")}
    if Institution.objects.filter(id__in=named).count() < len(named):
        raise Invalid("invalid", field="place_id")
    for row in rows:
        first, last = row.get("valid_from"), row.get("valid_to")
        if row["closes_minute"] <= row["opens_minute"] or (first and last and last < first):
            raise Invalid("bad_hours", field="hours")
    weekly_hours(**owner).delete()
    WeeklyHours.objects.bulk_create([WeeklyHours(**owner, **row) for row in rows])


def _week_replace(
    owner: Resource | Institution, rows: Sequence[dict[str, Any]], **named: UUID
) -> list[dict[str, str]]:
    """The whole week anew. What it opens is told once, as far ahead as times are looked for, however long it holds;
    what it leaves out of the bookings ahead is told to every desk concerned, and is what comes back."""
    before = availability.week_of(owner)
    _hours_replace(rows, **named)
    after = availability.week_of(owner)
    opened = newly_open(before, after, first=today(), days=rules.SEARCH_DAYS_MAX)
    if opened is not None:
        services.freed(*(datetime.fromtimestamp(second, SHANGHAI) for second in opened))
    place = owner.institution_id if isinstance(owner, Resource) else owner.id
    return met(_left_out(owner, before), closed_by=place, listed=False)


def _of_the_week(owner: Resource | Institution) -> list[Resource]:
    """The calendars for which the owner's week counts."""
    if isinstance(owner, Resource):
        return [owner]
    own = WeeklyHours.objects.filter(resource__institution=owner).values("resource_id")
    return list(Resource.objects.filter(institution=owner).exclude(id__in=own).order_by("id"))


def _sites(appointment_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Where each is done: where its room is."""
    rooms = Reservation.objects.filter(
        appointment_id__in=appointment_ids, status=BOOKED, resource__kind="room", appointment__isnull=False
    )
    return dict(rooms.values_list("appointment_id", "resource__institution_id"))


def _left_out(owner: Resource | Institution, before: Week | None) -> list[Appointment]:
    """The bookings ahead that were inside the week before, at the site where each is done, and are outside it now."""
    calendars = _of_the_week(owner)
    booked = Reservation.objects.filter(
        resource__in=calendars, status=BOOKED, appointment__starts_at__gt=now()
    ).select_related("appointment")
    ahead = [(row.resource_id, row.appointment) for row in booked if row.appointment]
    if not ahead:
        return []
    last = max(appointment.ends_at for _, appointment in ahead)
    opens = availability.opening(calendars, now(), last)
    sites = _sites({one.id for _, one in ahead})

    def left(calendar: Open, one: Appointment) -> bool:
        when = (one.starts_at, one.ends_at)
        inside = availability.in_week(replace(calendar, weekly=before), *when, place=sites.get(one.id))
        return inside and not availability.in_week(calendar, *when, place=sites.get(one.id))

    found = {one.id: one for resource_id, one in ahead if left(opens[resource_id], one)}
    return sorted(found.values(), key=lambda one: (one.starts_at, one.id))


@transaction.atomic
def resource_hours_set(
    *, principal: Principal, resource_id: UUID, rows: Sequence[dict[str, Any]]
) -> list[dict[str, str]]:
    """The whole week of one calendar anew; no rows go back to the institution's hours. What is booked stays; what of
    it lies outside now comes back, as `met` says it.

    Rows `{weekday, opens_minute, closes_minute, place_id?, valid_from?, valid_to?}`. Invalid `bad_hours`.
    """
    resource = calendar_locked(principal, resource_id)
    left = _week_replace(resource, rows, resource_id=resource.id)
    told = {"rows": len(rows), "met": len(left)}
    noted(principal, "resource.hours", "resource", resource.id, resource.institution_id, **told)
    return left


@transaction.atomic
def institution_hours_set(
    *, principal: Principal, institution_id: UUID, rows: Sequence[dict[str, Any]]
) -> list[dict[str, str]]:
    """The week of everything there that has no hours of its own; else as `resource_hours_set`."""
    place = _locked_place(principal, institution_id)
    left = _week_replace(place, rows, institution_id=place.id)
    noted(principal, "institution.hours", "institution", place.id, place.id, rows=len(rows), met=len(left))
    return left

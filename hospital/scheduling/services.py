"""Bookings: all resources of one appointment or none, in one transaction.

The exclusion constraint decides. Resource rows are locked in id order first, so that two bookings that share
resources queue instead of deadlocking, and the loser can be told everything that is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from hospital.common.clock import now
from hospital.common.errors import Conflict
from hospital.common.locks import limit_lock_wait

from . import selectors
from .models import Appointment, Reservation, Resource
from .states import BOOKED, CANCELLED, CLOSES


def _lock(resource_ids: Iterable[UUID]) -> list[UUID]:
    """Lock the calendars in one order; Conflict `taken` when somebody holds them longer than 3 s."""
    ids = sorted(set(resource_ids))
    limit_lock_wait()
    try:
        list(Resource.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id", flat=True))
    except OperationalError as error:
        raise Conflict("taken", taken=[]) from error
    return ids


def _release_expired(ids: list[UUID]) -> None:
    """Holds past their time must not block: they are released by whoever meets them first."""
    Reservation.objects.filter(resource_id__in=ids, status="hold", expires_at__lte=now()).update(status="released")


def _reserve(appointment: Appointment, ids: list[UUID]) -> None:
    """Write the reservations; what stands in the way is named, all of it."""
    start, end = appointment.starts_at, appointment.ends_at
    taken = selectors.busy(resource_ids=ids, starts_at=start, ends_at=end, but=appointment.id)
    if taken:
        raise Conflict("taken", taken=taken)
    try:
        with transaction.atomic():
            Reservation.objects.bulk_create(
                Reservation(resource_id=resource_id, appointment=appointment, period=(start, end)) for resource_id in ids
            )
    except IntegrityError as error:
        taken = selectors.busy(resource_ids=ids, starts_at=start, ends_at=end, but=appointment.id)
        raise Conflict("taken", taken=taken) from error


@transaction.atomic
def appointment_book(*, resource_ids: Iterable[UUID], starts_at: datetime, ends_at: datetime, by: UUID) -> Appointment:
    """Book all resources for [starts_at, ends_at). Conflict `taken` with `taken[]` otherwise, nothing written."""
    ids = _lock(resource_ids)
    _release_expired(ids)
    appointment = Appointment.objects.create(starts_at=starts_at, ends_at=ends_at, created_by_id=by)
    _reserve(appointment, ids)
    return appointment


def _open(appointment_id: UUID) -> Appointment:
    appointment = Appointment.objects.select_for_update().get(id=appointment_id)
    if appointment.status != BOOKED:
        raise Conflict("appointment_over", status=appointment.status)
    return appointment


@transaction.atomic
def appointment_move(
    *, appointment_id: UUID, resource_ids: Iterable[UUID], starts_at: datetime, ends_at: datetime, by: UUID
) -> Appointment:
    """Another time or other resources. When the new time is taken, everything stays as it was."""
    appointment = _open(appointment_id)
    ids = _lock(resource_ids)
    _release_expired(ids)
    appointment.starts_at, appointment.ends_at = starts_at, ends_at
    appointment.save(update_fields=["starts_at", "ends_at"])
    Reservation.objects.filter(appointment=appointment, status="booked").update(status="released")
    _reserve(appointment, ids)
    return appointment


@transaction.atomic
def appointment_cancel(*, appointment_id: UUID, reason: str, by: UUID) -> None:
    """Frees all resources at once."""
    appointment = _open(appointment_id)
    appointment.status, appointment.cancel_reason = CANCELLED, reason
    appointment.save(update_fields=["status", "cancel_reason"])
    Reservation.objects.filter(appointment=appointment, status="booked").update(status="released")


@transaction.atomic
def appointment_close(*, appointment_id: UUID, status: str) -> None:
    """The exam is over: what is left of its time is free again."""
    if status not in CLOSES:
        raise ValueError(f"{status} does not close an appointment")
    appointment = _open(appointment_id)
    appointment.status = status
    appointment.save(update_fields=["status"])
    Reservation.objects.filter(appointment=appointment, status="booked").update(status="released")

"""Bookings and holds: all resources of one time or none, in one transaction.

The exclusion constraint decides. Resource rows are locked in id order first, so that rivals queue instead of
deadlocking and the loser can be told everything that is taken. A writer that came without the locks still meets the
constraint; what it runs into is looked up again after PostgreSQL refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import QuerySet

from hospital.common.clock import day_of, now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.events import emit
from hospital.common.ids import uuid7
from hospital.common.locks import LOCK_NOT_AVAILABLE, limit_lock_wait, sqlstate_of
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.work import work_add

from . import availability, holidays, rules, selectors
from .events import TimeFreed
from .models import Appointment, Reservation, Resource
from .selectors import Period
from .states import BOOKED, CLOSING, HOLD, RELEASED, IllegalStep, advance

HOLD_EXPIRE = "scheduling.hold_expire"
HOLDS_REMEMBERED = timedelta(days=1)  # design value: long enough to ask who kept a time
TRIES = 3  # design value: each try meets a rival that has ended since
RETRY_AFTER_S = 2  # design value, told to the caller whose rival is still undecided
# PostgreSQL Appendix A: exclusion_violation; deadlock_detected, serialization_failure, lock_not_available.
EXCLUDED, RIVALS = "23P01", frozenset({"40P01", "40001", LOCK_NOT_AVAILABLE})


def _still_deciding(error: Exception) -> Conflict:
    """A rival holds the calendars and has not committed: nothing can be named, but trying again helps.

    Any other database error is a bug and goes on as it came.
    """
    if sqlstate_of(error) not in RIVALS | {EXCLUDED}:
        raise error
    conflict = Conflict("calendar_locked", retry_after_s=RETRY_AFTER_S)
    conflict.__cause__ = error
    return conflict


def _lock(resource_ids: Iterable[UUID]) -> list[Resource]:
    """Lock the calendars in id order. Invalid `unknown_resource`; Conflict `calendar_locked` after 3 s of waiting."""
    ids = sorted(set(resource_ids))
    limit_lock_wait()
    try:
        with transaction.atomic(savepoint=False):
            found = _locked(ids=tuple(ids))
    except OperationalError as error:
        raise _still_deciding(error) from error
    if not ids or len(found) != len(ids):
        raise Invalid("unknown_resource")
    return found


@prebuilt
def _locked(*, ids: Value) -> QuerySet[Resource]:
    rows = Resource.objects.select_for_update(no_key=True).filter(id__in=ids, active=True)
    return rows.order_by("id")


def resource_lock(resource_id: UUID) -> None:
    """One at a time with this resource until the caller's transaction ends. Conflict `calendar_locked` after 3 s."""
    limit_lock_wait()
    try:
        with transaction.atomic():
            list(Resource.objects.select_for_update(no_key=True).filter(id=resource_id).values_list("id"))
    except OperationalError as error:
        raise _still_deciding(error) from error


def _check(starts_at: datetime, ends_at: datetime) -> None:
    if not rules.period_is_bookable(starts_at, ends_at):
        raise Invalid("bad_period", field="starts_at")


def _release_expired(ids: list[UUID]) -> None:
    """Holds past their time must not block: they are released by whoever runs into them."""
    Reservation.objects.filter(resource_id__in=ids, status=HOLD, expires_at__lte=now()).update(
        status=RELEASED
    )


def _reserve(periods: dict[UUID, Period], make: Callable[[UUID, Period], Reservation]) -> None:
    """Write one reservation per resource, or raise Conflict `taken` that names all that stands in the way."""
    refused: Conflict | None = None
    for _ in range(TRIES):
        if refused:
            _release_expired(list(periods))
        taken = selectors.taken(periods)
        if taken:
            raise Conflict("taken", taken=taken) from refused
        try:
            with transaction.atomic():
                Reservation.objects.bulk_create([make(*one) for one in periods.items()])
            return
        except (IntegrityError, OperationalError) as error:
            # The savepoint is undone, so a deadlock's other side can finish; then the look-up sees its rows.
            refused = _still_deciding(error)
    assert refused is not None
    raise refused


def _free(appointment: Appointment, starts_at: datetime, ends_at: datetime) -> None:
    """Release the rows of the appointment, whose time was this one."""
    Reservation.objects.filter(appointment=appointment, status=BOOKED).update(status=RELEASED)
    freed(starts_at, ends_at)


def freed(starts_at: datetime, ends_at: datetime) -> None:
    """Tell it, when there is something left of it."""
    if ends_at > now():
        emit(TimeFreed(starts_at=starts_at, ends_at=ends_at))


def _book(appointment: Appointment, calendars: list[Resource]) -> None:
    _reserve(
        selectors.busy_periods(calendars, appointment.starts_at, appointment.ends_at),
        lambda ident, period: Reservation(resource_id=ident, appointment=appointment, period=period),
    )


def _refuse_closed(
    calendars: list[Resource], starts_at: datetime, ends_at: datetime, place_id: UUID | None
) -> None:
    """Conflict `resource_closed` or `not_released`, with all that is not open in `closed[]`, and the `holiday`.

    The calendars are locked: whoever closes one meanwhile waits, and finds the booking.
    """
    closed = availability.closed_for(calendars, starts_at, ends_at, place=place_id)
    if closed:
        raise Conflict(closed[0]["code"], closed=closed, **_why_that_day(starts_at))


def _why_that_day(starts_at: datetime) -> dict[str, dict[str, str]]:
    """`holiday {day, name, name_en}` on a public holiday, whose week's hours do not hold."""
    day = day_of(starts_at)
    names = holidays.holiday_of(day)
    return {"holiday": {"day": day.isoformat(), "name": names[0], "name_en": names[1]}} if names else {}


@transaction.atomic
def appointment_book(
    *,
    resource_ids: Iterable[UUID],
    starts_at: datetime,
    ends_at: datetime,
    by: UUID,
    hold_id: UUID | None = None,
    place_id: UUID | None = None,
) -> Appointment:
    """Book all resources for [starts_at, ends_at) with their buffers; with `hold_id`, in the place of that hold.

    `place_id` is where it is done: hours and released times can be for one place. Conflict `taken` with `taken[]`
    (all of it), `resource_closed` or `not_released` with `closed[]`, `hold_over` when the hold has ended meanwhile
    or is somebody else's, `calendar_locked` with `retry_after_s`; Invalid `bad_period`, `unknown_resource`. Nothing
    is written then.
    """
    _check(starts_at, ends_at)
    calendars = _lock(resource_ids)
    if hold_id is not None and not _hold_end(hold_id, by=by):
        raise Conflict("hold_over")
    _refuse_closed(calendars, starts_at, ends_at, place_id)
    appointment = Appointment.objects.create(starts_at=starts_at, ends_at=ends_at, created_by_id=by)
    _book(appointment, calendars)
    return appointment


@prebuilt
def _appointment(*, appointment_id: Value) -> QuerySet[Appointment]:
    return Appointment.objects.select_for_update().filter(id=appointment_id)


def _step(appointment_id: UUID, command: str, by: UUID | None) -> Appointment:
    """The locked appointment, one step further but not saved. Conflict `appointment_over` for an illegal step."""
    appointment = _appointment.one(appointment_id=appointment_id)
    if appointment is None:
        raise NotFound()
    try:
        appointment.status = advance(appointment.status, command)
    except IllegalStep as error:
        raise Conflict("appointment_over", status=appointment.status) from error
    appointment.changed_by_id, appointment.changed_at = by, now()
    return appointment


@transaction.atomic
def appointment_move(
    *,
    appointment_id: UUID,
    resource_ids: Iterable[UUID],
    starts_at: datetime,
    ends_at: datetime,
    by: UUID,
    hold_id: UUID | None = None,
    place_id: UUID | None = None,
) -> Appointment:
    """Another time or other resources. When the new time can't be had, everything stays as it was.

    With `hold_id`, into the place of that hold. The old time is free for others only once this transaction commits.
    What keeps its time is not asked again whether it is open. Errors as in `appointment_book`.
    """
    _check(starts_at, ends_at)
    appointment = _step(appointment_id, "move", by)
    calendars = _lock(resource_ids)
    if hold_id is not None and not _hold_end(hold_id, by=by):
        raise Conflict("hold_over")
    kept, before = _kept(appointment, starts_at, ends_at), (appointment.starts_at, appointment.ends_at)
    _refuse_closed([one for one in calendars if one.id not in kept], starts_at, ends_at, place_id)
    appointment.starts_at, appointment.ends_at = starts_at, ends_at
    appointment.save(update_fields=["starts_at", "ends_at", "changed_by_id", "changed_at"])
    _free(appointment, *before)
    _book(appointment, calendars)
    return appointment


def _kept(appointment: Appointment, starts_at: datetime, ends_at: datetime) -> frozenset[UUID]:
    """The calendars that a move leaves at their time."""
    if (appointment.starts_at, appointment.ends_at) != (starts_at, ends_at):
        return frozenset()
    rows = Reservation.objects.filter(appointment=appointment, status=BOOKED)
    return frozenset(rows.values_list("resource_id", flat=True))


@transaction.atomic
def appointment_cancel(*, appointment_id: UUID, reason: str, by: UUID) -> None:
    """Frees all resources at once. Conflict `appointment_over` when it is no longer booked."""
    appointment = _step(appointment_id, "cancel", by)
    appointment.cancel_reason = reason
    appointment.save(update_fields=["status", "cancel_reason", "changed_by_id", "changed_at"])
    _free(appointment, appointment.starts_at, appointment.ends_at)


@transaction.atomic
def appointment_close(*, appointment_id: UUID, status: str, by: UUID | None = None) -> None:
    """The exam is over (fulfilled, noshow or aborted): what is left of its time is free again."""
    if status not in CLOSING:
        raise ValueError(f"{status} does not close an appointment")
    appointment = _step(appointment_id, CLOSING[status], by)
    appointment.save(update_fields=["status", "changed_by_id", "changed_at"])
    _free(appointment, appointment.starts_at, appointment.ends_at)


@transaction.atomic
def hold_place(
    *,
    resource_ids: Iterable[UUID],
    starts_at: datetime,
    ends_at: datetime,
    expires_at: datetime,
    by: UUID,
    place_id: UUID | None = None,
) -> UUID:
    """Keep a time for somebody who is deciding, until `expires_at`; the hold's id. Errors as in `appointment_book`."""
    _check(starts_at, ends_at)
    if expires_at <= now():
        raise Invalid("bad_period", field="expires_at")
    calendars, hold_id = _lock(resource_ids), uuid7()
    _refuse_closed(calendars, starts_at, ends_at, place_id)

    def make(resource_id: UUID, period: Period) -> Reservation:
        return Reservation(
            resource_id=resource_id,
            hold_id=hold_id,
            held_by_id=by,
            period=period,
            status=HOLD,
            expires_at=expires_at,
        )

    _reserve(selectors.busy_periods(calendars, starts_at, ends_at), make)
    work_add(kind=HOLD_EXPIRE, key=str(hold_id), payload={}, due_at=expires_at)
    return hold_id


def _hold_end(hold_id: UUID, by: UUID | None = None) -> bool:
    """Release the hold's rows; False when it was over already, or is not held by `by` where that is asked."""
    rows = Reservation.objects.filter(hold_id=hold_id, status=HOLD, expires_at__gt=now())
    if by is not None:
        rows = rows.filter(held_by_id=by)
    return rows.update(status=RELEASED) > 0


@transaction.atomic
def hold_release(*, hold_id: UUID, by: UUID | None = None) -> bool:
    """Give the time back early. False when the hold was over already, or is not held by `by`, which is fine too."""
    released = _hold_end(hold_id, by)
    if released:
        _holds_freed([hold_id])
    return released


def _holds_freed(hold_ids: Iterable[UUID]) -> None:
    for hold_id in hold_ids:
        periods = list(Reservation.objects.filter(hold_id=hold_id).values_list("period", flat=True))
        if periods:
            freed(min(one.lower for one in periods), max(one.upper for one in periods))


@transaction.atomic
def hold_expire_due() -> int:
    """Release what has expired; returns how many rows. Only tidies: expired holds block nobody meanwhile.

    Rows somebody else is working on are left to them, so this never waits and never deadlocks. What was kept
    yesterday and never booked is forgotten.
    """
    old = Reservation.objects.filter(
        status=RELEASED, appointment=None, expires_at__lt=now() - HOLDS_REMEMBERED
    ).select_for_update(skip_locked=True)
    Reservation.objects.filter(id__in=list(old.values_list("id", flat=True))).delete()
    due = Reservation.objects.select_for_update(skip_locked=True).filter(status=HOLD, expires_at__lte=now())
    rows = dict(due.values_list("id", "hold_id"))
    count = Reservation.objects.filter(id__in=list(rows)).update(status=RELEASED)
    _holds_freed(sorted({hold_id for hold_id in rows.values() if hold_id is not None}))
    return count


def person_replaced(*, appointment_id: UUID, before_id: UUID, after_id: UUID) -> bool:
    """Move one person's part of a running appointment to another's calendar; False when that one has no calendar or
    is busy then, and everything stays. Who stands beside a patient is not decided here. In the caller's transaction.
    """
    calendars = selectors.person_resources([before_id, after_id])
    if not {before_id, after_id} <= calendars.keys():
        return False
    mine = Reservation.objects.filter(
        appointment_id=appointment_id, resource_id=calendars[before_id], status=BOOKED
    )
    try:
        with transaction.atomic():
            return bool(mine.update(resource_id=calendars[after_id]))
    except IntegrityError as error:
        if sqlstate_of(error) != EXCLUDED:
            raise
        return False


@transaction.atomic
def appointments_erase(*, appointment_ids: Iterable[UUID]) -> int:
    """Of exams that were erased, with their reservations; how many appointments. When that may be is decided above."""
    rows = Appointment.objects.filter(id__in=list(appointment_ids))
    count = rows.count()
    rows.delete()
    return count

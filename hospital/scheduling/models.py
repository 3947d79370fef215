from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .models_calendars import CalendarException as CalendarException
from .models_calendars import ReleasedTime as ReleasedTime
from .models_calendars import WeeklyHours as WeeklyHours
from .models_exam_types import ExamReminder as ExamReminder
from .models_exam_types import ExamWindow as ExamWindow
from .models_exam_types import OrderRule as OrderRule
from .rules import BUFFER_MAX_MIN, KINDS
from .states import BLOCKING, BOOKED, HOLD, RELEASED, STATUSES


class Resource(models.Model):
    """Something that can be in one place at a time: a person, a room, a robot, a probe.

    One person has one calendar over all roles and sites. `before_minutes` (a robot warms up) and `after_minutes`
    (a room is cleaned, a probe disinfected) are busy with each reservation. No `exam_types` means every type; a
    person `by_release` can be booked only in times that their hospital has released.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=8)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="resource")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="resources")
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    active = models.BooleanField(default=True)
    before_minutes = models.PositiveSmallIntegerField(default=0)
    after_minutes = models.PositiveSmallIntegerField(default=0)
    probe_type = models.CharField(max_length=20, blank=True)
    languages = ArrayField(models.CharField(max_length=12), default=list)
    exam_types: Any = models.ManyToManyField("ExamType", related_name="able")
    by_release = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="resource_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="probe") & ~Q(probe_type="") | ~Q(kind="probe") & Q(probe_type=""),
                name="resource_probe_type_iff_probe",
            ),
            models.CheckConstraint(
                condition=Q(before_minutes__lte=BUFFER_MAX_MIN, after_minutes__lte=BUFFER_MAX_MIN),
                name="resource_buffers_bounded",
            ),
            models.CheckConstraint(
                condition=Q(by_release=False) | Q(kind="person"), name="resource_by_release_is_person"
            ),
            models.CheckConstraint(
                condition=Q(kind="person", user__isnull=False) | (~Q(kind="person") & Q(user=None)),
                name="resource_user_iff_person",
            ),
        ]


class ExamType(models.Model):
    """What is done, and its own rules: see also `ExamWindow`, `OrderRule`, `ExamReminder`.

    `assistant`: a third person must be there. `probe`: a probe of this type must be free; empty for none.
    `keeper` is the institution whose administrator writes the rules.
    """

    code = models.CharField(primary_key=True, max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    minutes = models.PositiveSmallIntegerField()
    service = models.CharField(max_length=40)
    preparation_zh = models.TextField(blank=True)
    preparation_en = models.TextField(blank=True)
    views: Any = models.JSONField(default=list)
    assistant = models.BooleanField(default=False)
    probe = models.CharField(max_length=20, blank=True)
    keeper = models.ForeignKey("access.Institution", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="exam_type_takes_time")]


class Appointment(models.Model):
    """One time for several resources."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, default="booked")
    cancel_reason = models.TextField(blank=True)
    created_by_id = models.UUIDField()
    created_at = models.DateTimeField(default=now)
    changed_by_id = models.UUIDField(null=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="appointment_status_known"),
        ]


class Reservation(models.Model):
    """One resource's busy time. Holds and bookings meet in one exclusion constraint: PostgreSQL has the last word.

    A hold keeps a time for somebody who is still deciding; all its rows share `hold_id`. Past `expires_at` it blocks
    nobody: the next booking that meets it releases it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="reservations")
    appointment = models.ForeignKey(Appointment, models.CASCADE, null=True, related_name="reservations")
    hold_id = models.UUIDField(null=True, db_index=True)
    held_by_id = models.UUIDField(null=True)
    period = DateTimeRangeField()
    status = models.CharField(max_length=10, default=BOOKED)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="no_resource_twice",
                expressions=[("resource", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(status__in=list(BLOCKING)),
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*BLOCKING, RELEASED]), name="reservation_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=HOLD) | Q(expires_at__isnull=False, hold_id__isnull=False),
                name="reservation_hold_expires",
            ),
            models.CheckConstraint(
                condition=~Q(status=BOOKED) | Q(appointment__isnull=False),
                name="reservation_booked_for_appointment",
            ),
            models.CheckConstraint(condition=Q(period__isempty=False), name="reservation_period_not_empty"),
        ]
        # What a search reads: the busy time of some calendars from a moment on. The past lies before it in the
        # index and is never touched, however long it grows.
        indexes = [
            models.Index(
                F("resource"),
                Func(F("period"), function="upper", output_field=models.DateTimeField()),
                name="reservation_busy_by_end",
                condition=Q(status__in=list(BLOCKING)),
            ),
            # Only holds end by themselves: few rows in a table that grows for ever.
            models.Index(
                fields=["expires_at"],
                name="reservation_hold_by_expiry",
                condition=Q(expires_at__isnull=False),
            ),
        ]

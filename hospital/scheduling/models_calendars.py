"""Tables of when something is open: weekly hours, exceptions, times released to partners. Busy time is reservations."""

from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .rules import DAY_MIN, EXCEPTION_REASONS

_ONE_OWNER = Q(resource=None, institution__isnull=False) | Q(resource__isnull=False, institution=None)


class WeeklyHours(models.Model):
    """One stretch of one weekday on which a resource, or everything in an institution, is open.

    Minutes of the Shanghai day, 0 to 1440; weekday 0 is Monday. What has rows of its own does not look at its
    institution's. `place` limits a person's stretch to one site. Both days of `valid_*` count.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.ForeignKey("Resource", models.CASCADE, null=True, related_name="weekly_hours")
    institution = models.ForeignKey(
        "access.Institution", models.CASCADE, null=True, related_name="weekly_hours"
    )
    place = models.ForeignKey("access.Institution", models.PROTECT, null=True, related_name="+")
    weekday = models.PositiveSmallIntegerField()
    opens_minute = models.PositiveSmallIntegerField()
    closes_minute = models.PositiveSmallIntegerField()
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_ONE_OWNER, name="weekly_hours_one_owner"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekly_hours_weekday"),
            models.CheckConstraint(
                condition=Q(closes_minute__gt=F("opens_minute"), closes_minute__lte=DAY_MIN),
                name="weekly_hours_within_a_day",
            ),
        ]


class CalendarException(models.Model):
    """A time that differs from the week: leave, maintenance, a closed day, or an extra session.

    Closed wins over open. Withdrawn ones stay for the record.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.ForeignKey("Resource", models.PROTECT, null=True, related_name="exceptions")
    institution = models.ForeignKey(
        "access.Institution", models.PROTECT, null=True, related_name="calendar_exceptions"
    )
    period = DateTimeRangeField()
    open = models.BooleanField(default=False)
    reason = models.CharField(max_length=12)
    note = models.CharField(max_length=200, blank=True)
    created_by_id = models.UUIDField()
    created_at = models.DateTimeField(default=now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_ONE_OWNER, name="calendar_exception_one_owner"),
            models.CheckConstraint(
                condition=Q(reason__in=EXCEPTION_REASONS), name="calendar_exception_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False)
                & Q(period__endswith__isnull=False),
                name="calendar_exception_has_ends",
            ),
        ]


class ReleasedTime(models.Model):
    """A time for which an expert's hospital gives the expert to partners: to one of them, or to all by agreement.

    What nobody booked goes back by itself, `rules.RETURN_BEFORE` ahead: that is read from the clock, not done.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.ForeignKey("Resource", models.PROTECT, related_name="released_times")
    partner = models.ForeignKey("access.Institution", models.PROTECT, null=True, related_name="+")
    period = DateTimeRangeField()
    released_by_id = models.UUIDField()
    released_at = models.DateTimeField(default=now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False)
                & Q(period__endswith__isnull=False),
                name="released_time_has_ends",
            ),
        ]

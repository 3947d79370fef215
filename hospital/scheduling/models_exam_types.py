"""An exam type's own rules as rows. A type without rows has no such rule."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from hospital.common.ids import uuid7

from .rules import DAY_MIN, ORDER_KINDS


class ExamWindow(models.Model):
    """Hours of the Shanghai day in which the whole exam must lie (an upper abdomen fasts: mornings)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_type = models.ForeignKey("ExamType", models.CASCADE, related_name="windows")
    opens_minute = models.PositiveSmallIntegerField()
    closes_minute = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_minute__gt=F("opens_minute"), closes_minute__lte=DAY_MIN),
                name="exam_window_within_a_day",
            )
        ]


class OrderRule(models.Model):
    """How the exam stands to another procedure of the patient, see `rules.order_problem`."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_type = models.ForeignKey("ExamType", models.CASCADE, related_name="order_rules")
    procedure = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    days = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ORDER_KINDS), name="order_rule_kind_known"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=60), name="order_rule_days_bounded"),
            models.UniqueConstraint(
                fields=["exam_type", "procedure", "kind"], name="one_order_rule_per_procedure"
            ),
        ]


class ExamReminder(models.Model):
    """When a patient is reminded: whole Shanghai days before the exam's, at a minute of that day."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_type = models.ForeignKey("ExamType", models.CASCADE, related_name="reminders")
    days_before = models.PositiveSmallIntegerField()
    minute = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(days_before__lte=30, minute__lt=DAY_MIN), name="exam_reminder_bounded"
            ),
            models.UniqueConstraint(
                fields=["exam_type", "days_before", "minute"], name="one_reminder_a_time"
            ),
        ]

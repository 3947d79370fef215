"""What was done between two exams, by whom, with what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .turnover_rules import BY_CODE, CODES, MEANS

_WITH_MEANS = [item.code for item in BY_CODE.values() if item.with_means]


class Turnover(models.Model):
    """Owed from the moment an exam goes live: what it was done with keeps for the next one what was there then."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.OneToOneField("teleconsult.Exam", models.CASCADE, related_name="turnover")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    robot = models.ForeignKey("fleet.Robot", models.PROTECT, related_name="+")
    room = models.ForeignKey("scheduling.Resource", models.PROTECT, related_name="+")
    probe = models.ForeignKey("scheduling.Resource", models.PROTECT, null=True, related_name="+")
    begun_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["robot", "begun_at"], name="turnover_of_robot"),
            models.Index(fields=["room", "begun_at"], name="turnover_of_room"),
        ]


class TurnoverTick(models.Model):
    """One signature of one item, or its taking back. Never changed (a trigger); the highest `step` of an item counts.

    The first tick has step 1; two people who sign at once can't both have it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    turnover = models.ForeignKey(Turnover, models.CASCADE, related_name="ticks")
    item = models.CharField(max_length=20)
    step = models.PositiveSmallIntegerField()
    done = models.BooleanField()
    means = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["turnover", "item", "step"], name="turnover_step_once"),
            models.CheckConstraint(condition=Q(item__in=CODES), name="turnover_item_known"),
            models.CheckConstraint(condition=Q(step__gte=1), name="turnover_steps_from_one"),
            models.CheckConstraint(
                condition=Q(done=True, item__in=_WITH_MEANS, means__in=list(MEANS)) | Q(means=""),
                name="turnover_means_known",
            ),
            models.CheckConstraint(
                condition=~Q(done=True, item__in=_WITH_MEANS, means=""), name="turnover_means_said"
            ),
            models.CheckConstraint(
                condition=Q(done=True) | ~Q(reason=""), name="turnover_taken_back_with_reason"
            ),
        ]

"""Who has arrived and is called when."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.ids import uuid7


class QueueTicket(models.Model):
    """The number a patient was given on arrival, for one room and one Shanghai day; one number is given once.

    Turns go by `turn`, at first the minute of the day for which the exam is booked; who was called and did not come
    gets another one, see `queue_rules.turn_after`. `called_at` is empty for who waits for a call, also after a pass.
    `told_late_at`: that they will wait more than 20 minutes was told, once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.OneToOneField("teleconsult.Exam", models.CASCADE, related_name="ticket")
    room = models.ForeignKey("scheduling.Resource", models.PROTECT, related_name="+")
    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    turn = models.FloatField()
    taken_at = models.DateTimeField(default=now)
    called_at = models.DateTimeField(null=True)
    calls_n = models.PositiveSmallIntegerField(default=0)
    passes_n = models.PositiveSmallIntegerField(default=0)
    told_late_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "day", "number"], name="queue_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="queue_number_counts_from_one"),
            models.CheckConstraint(
                condition=Q(called_at=None) | Q(calls_n__gte=1), name="queue_called_is_counted"
            ),
            models.CheckConstraint(condition=Q(passes_n__lte=F("calls_n")), name="queue_passed_after_a_call"),
        ]

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.ids import uuid7
from hospital.messages.kinds import LANGUAGES, PHONE_CHANNELS, REFUSABLE


class MessageWish(models.Model):
    """How a patient wants to be told of bookings: language, SMS or a call, and which kinds not at all."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="message_wishes")
    language = models.CharField(max_length=2, default="zh")
    channel = models.CharField(max_length=5, default="sms")
    refused = ArrayField(models.CharField(max_length=12), default=list)
    changed_by_kind = models.CharField(max_length=10)
    changed_by_id = models.UUIDField()
    changed_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient"], name="one_message_wish_per_patient"),
            models.CheckConstraint(condition=Q(language__in=LANGUAGES), name="message_wish_language_known"),
            models.CheckConstraint(
                condition=Q(channel__in=PHONE_CHANNELS), name="message_wish_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(refused__contained_by=sorted(REFUSABLE)), name="message_wish_refusable"
            ),
        ]

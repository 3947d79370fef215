"""What clinicians ask for, who waits for a time, and the times that were offered."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from .states_requests import (
    ASKED,
    BOOKED,
    FEES,
    OFFER_STATES,
    OPEN,
    OPEN_REQUESTS,
    PRIORITIES,
    REQUEST_STATES,
    ROUTINE,
    UNPAID,
)


class ExamRequest(models.Model):
    """A clinician's request for an exam, in the inbox of the institution that would examine the patient.

    `priority` as FHIR ServiceRequest; `fee` is only what the cash desk said, nothing is paid here. `requested_by` is
    empty when the house itself asks again, for an exam that had to give way.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="exam_requests")
    exam_type = models.ForeignKey("scheduling.ExamType", models.PROTECT, related_name="+")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    priority = models.CharField(max_length=8, default=ROUTINE)
    clinical_question = EncryptedTextField()
    history = EncryptedTextField(default="")
    fee = models.CharField(max_length=8, default=UNPAID)
    state = models.CharField(max_length=10, default=ASKED)
    asked_at = models.DateTimeField(default=now)
    decided_by_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    exam = models.OneToOneField("teleconsult.Exam", models.SET_NULL, null=True, related_name="request")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=REQUEST_STATES), name="exam_request_state_known"),
            models.CheckConstraint(condition=Q(priority__in=PRIORITIES), name="exam_request_priority_known"),
            models.CheckConstraint(condition=Q(fee__in=FEES), name="exam_request_fee_known"),
            models.CheckConstraint(
                condition=Q(exam=None) | Q(state=BOOKED), name="exam_request_exam_means_booked"
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "asked_at"],
                name="exam_request_inbox",
                condition=Q(state__in=OPEN_REQUESTS),
            )
        ]


class WaitingEntry(models.Model):
    """What a request on the waiting list can take: from `earliest` to `latest` (Shanghai days), parts of the day.

    No parts means all. `front`: its exam had to give way to an emergency, so it is served before all others.
    """

    request = models.OneToOneField(ExamRequest, models.CASCADE, primary_key=True, related_name="waiting")
    earliest = models.DateField()
    latest = models.DateField()
    parts_of_day = ArrayField(models.CharField(max_length=10), default=list)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    front = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(latest__gte=F("earliest")), name="waiting_entry_days_in_order")
        ]


class SlotOffer(models.Model):
    """A time that is held for one who waits, until `expires_at`. The link in the message is kept as a digest only."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    request = models.ForeignKey(ExamRequest, models.CASCADE, related_name="offers")
    hold_id = models.UUIDField(unique=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    team: Any = models.JSONField()  # the ids of a booking: people, robot, room
    digest = models.BinaryField(max_length=32, unique=True)
    state = models.CharField(max_length=10, default=OPEN)
    made_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by_kind = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OFFER_STATES), name="slot_offer_state_known"),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state=OPEN), name="one_open_offer_per_request"
            ),
        ]

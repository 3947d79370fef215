from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import dicom_uid, uuid7

from .models_feeds import CalendarFeed as CalendarFeed
from .models_queue import QueueTicket as QueueTicket
from .models_requests import ExamRequest as ExamRequest
from .models_requests import SlotOffer as SlotOffer
from .models_requests import WaitingEntry as WaitingEntry
from .models_turnover import Turnover as Turnover
from .models_turnover import TurnoverTick as TurnoverTick
from .states import State
from .states_requests import PRIORITIES, ROUTINE

_STATES = [str(state) for state in State]
# Who and what an exam is booked with, as far as the desk chooses it.
BOOKED_WITH = ("remote_physician_id", "bedside_physician_id", "assistant_id", "robot_id", "room_id")


class Exam(models.Model):
    """One remote ultrasound exam. Its state is the truth; the appointment follows it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    accession = models.CharField(max_length=16, unique=True)
    study_uid = models.CharField(max_length=64, unique=True, default=dicom_uid)
    state = models.CharField(max_length=12, default=State.BOOKED)
    priority = models.CharField(max_length=8, default=ROUTINE)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="exams")
    exam_type = models.ForeignKey("scheduling.ExamType", models.PROTECT, related_name="+")
    appointment = models.OneToOneField("scheduling.Appointment", models.PROTECT, related_name="exam")
    remote_physician = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    bedside_physician = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    robot = models.ForeignKey("fleet.Robot", models.PROTECT, related_name="exams")
    room = models.ForeignKey("scheduling.Resource", models.PROTECT, related_name="+")
    assistant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    probe = models.ForeignKey("scheduling.Resource", models.PROTECT, null=True, related_name="+")
    other_procedures: Any = models.JSONField(default=list)  # [{procedure, at}] the desk was told when booking
    requesting_institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    performing_institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    clinical_question = EncryptedTextField()
    history = EncryptedTextField(default="")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    checked_in_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_code = models.CharField(max_length=40, blank=True)
    end_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=_STATES), name="exam_state_known"),
            models.CheckConstraint(condition=Q(priority__in=PRIORITIES), name="exam_priority_known"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="exam_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(remote_physician=F("bedside_physician")), name="exam_two_different_physicians"
            ),
        ]

    @property
    def booked_with(self) -> tuple[UUID, ...]:
        """Its people, robot and room, without an assistant where none is needed."""
        return tuple(filter(None, (getattr(self, name) for name in BOOKED_WITH)))


class ExamTransition(models.Model):
    """Each step of an exam: who, when, why. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.ForeignKey(Exam, models.CASCADE, related_name="transitions")
    command = models.CharField(max_length=20)
    before = models.CharField(max_length=12)
    after = models.CharField(max_length=12)
    by_id = models.UUIDField()
    by_kind = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=now)


class IdentifierCheck(models.Model):
    """Two identifiers confirmed by a person at one end (bedside, remote)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.ForeignKey(Exam, models.CASCADE, related_name="identifier_checks")
    end = models.CharField(max_length=10)
    confirmed = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exam", "end"], name="one_identifier_check_per_end")]


class Checklist(models.Model):
    """The bedside checklist; concerns need both physicians' agreement. New answers end old agreements."""

    exam = models.OneToOneField(Exam, models.CASCADE, primary_key=True, related_name="checklist")
    answers = EncryptedTextField()
    concerns = models.JSONField(default=list)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=now)
    agreed_bedside_at = models.DateTimeField(null=True)
    agreed_remote_at = models.DateTimeField(null=True)


class Presence(models.Model):
    """The one page that counts for a role of an exam; the newest wins. Silence of 6 s is absence."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.ForeignKey(Exam, models.CASCADE, related_name="presences")
    role = models.CharField(max_length=10)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    peer_id = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField(default=now)
    last_seen_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exam", "role"], name="one_presence_per_role")]


class LinkQuality(models.Model):
    """One measurement of the console's link to the robot, kept with the exam."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.ForeignKey(Exam, models.CASCADE, related_name="link_qualities")
    at = models.DateTimeField(default=now)
    rtt_p50_ms = models.FloatField()
    rtt_p95_ms = models.FloatField()
    loss_pct = models.FloatField()
    jitter_ms = models.FloatField()
    fps = models.FloatField()
    seconds = models.FloatField()
    good = models.BooleanField()


class BedsideHandOver(models.Model):
    """Somebody else stands at the bedside from here on. Never changed.

    `calendar_moved` is false when the new person's calendar was taken: who stands there is not decided by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam = models.ForeignKey(Exam, models.CASCADE, related_name="hand_overs")
    before = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    after = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    tablet = models.ForeignKey("access.Tablet", models.PROTECT, related_name="+")
    state = models.CharField(max_length=12)
    calendar_moved = models.BooleanField()
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(before=F("after")), name="hand_over_to_another"),
            models.CheckConstraint(condition=Q(state__in=_STATES), name="hand_over_state_known"),
        ]

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from .rules import MISSING_REASONS
from .states import DRAFT, SIGNED, SUPERSEDED


class Image(models.Model):
    """A still or loop of an exam. The bytes never change; an unwanted one is marked removed, with a reason.

    `offset_x`, `offset_y`: where the lossless frame's first pixel stands; marks are written around the frame.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_id = models.UUIDField(db_index=True)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="+")
    sop_uid = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8)
    view = models.CharField(max_length=64, blank=True)
    frame_id = models.BigIntegerField()
    frames = models.PositiveIntegerField(default=1)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    mm_per_px_x = models.FloatField(null=True)
    mm_per_px_y = models.FloatField(null=True)
    region = models.JSONField(null=True)
    offset_x = models.PositiveIntegerField(default=0)
    offset_y = models.PositiveIntegerField(default=0)
    path = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    taken_at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    removed_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["still", "loop"]), name="image_kind_known"),
            models.CheckConstraint(
                condition=Q(removed_at=None) | ~Q(removed_reason=""), name="image_removed_with_reason"
            ),
        ]


class FrozenFrame(models.Model):
    """The lossless frame of a freeze, with its calibration: what calipers work on. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_id = models.UUIDField()
    frame_id = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    mm_per_px_x = models.FloatField(null=True)
    mm_per_px_y = models.FloatField(null=True)
    region = models.JSONField(null=True)
    more_regions = models.JSONField(default=list)
    path = models.CharField(max_length=80)
    taken_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exam_id", "frame_id"], name="frozen_frame_once")]


class Measurement(models.Model):
    """A distance, an ellipse or a volume drawn on frozen frames; `values` by those frames' calibration (see rules).

    `frame_ids` has one frame, or the three of a volume's axes. Never changed; an unwanted one is marked removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_id = models.UUIDField(db_index=True)
    frame_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, default="distance")
    frame_ids = models.JSONField(default=list)
    points = models.JSONField()
    value_mm = models.FloatField(null=True)
    values = models.JSONField(default=dict)
    label = models.CharField(max_length=80, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["distance", "ellipse", "volume"]), name="measurement_kind_known"
            )
        ]


class MissingView(models.Model):
    """Why a standard view has no picture, in the physician's judgement; the newest word counts, `text` explains other."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_id = models.UUIDField()
    view = models.CharField(max_length=64)
    reason = models.CharField(max_length=8)
    text = EncryptedTextField(default="")
    explained = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exam_id", "view"], name="missing_view_once"),
            models.CheckConstraint(condition=Q(reason__in=MISSING_REASONS), name="missing_view_reason_known"),
            models.CheckConstraint(
                condition=~Q(reason="other") | Q(explained=True), name="missing_view_other_explained"
            ),
        ]


class Report(models.Model):
    """One version of an exam's report. A trigger keeps what was signed; only `signed -> superseded` may happen."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    exam_id = models.UUIDField(db_index=True)
    version = models.PositiveIntegerField()
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, default=DRAFT)
    findings = EncryptedTextField(default="")
    impression = EncryptedTextField(default="")
    revision = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    amend_reason = models.TextField(blank=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)
    content = EncryptedTextField(null=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=now)
    saved_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exam_id", "version"], name="report_version_once"),
            models.UniqueConstraint(fields=["exam_id"], condition=Q(status=DRAFT), name="one_draft_per_exam"),
            models.UniqueConstraint(
                fields=["exam_id"], condition=Q(status=SIGNED), name="one_signed_per_exam"
            ),
            models.CheckConstraint(
                condition=Q(status=DRAFT, signed_at=None)
                | Q(status__in=[SIGNED, SUPERSEDED], signed_at__isnull=False),
                name="report_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status=DRAFT)
                | Q(signed_by__isnull=False, content__isnull=False) & ~Q(content_sha256=""),
                name="report_signed_complete",
            ),
        ]

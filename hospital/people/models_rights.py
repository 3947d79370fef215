"""Tables of a patient's rights: checks of who they are, corrections they ask for, copies of their record."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7


class IdentityVerification(models.Model):
    """One answer of an identity authority: who looked, when, at which kind of document. Never its picture (LAW-13)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="verifications")
    authority = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10)
    seen = models.CharField(max_length=20)
    document_type = models.CharField(max_length=2)
    reference = models.CharField(max_length=80, blank=True)
    checked_by_id = models.UUIDField()
    checked_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["verified", "refused"]), name="verification_outcome_known"
            )
        ]


class CorrectionRequest(models.Model):
    """A patient says that a field of their registration is wrong (PIPL 46). `before` is what an acceptance replaced;
    a refusal needs its reason in `answer`."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="corrections")
    account_id = models.UUIDField()
    field = models.CharField(max_length=20)
    wanted = EncryptedTextField()
    reason = EncryptedTextField()
    proof_path = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=10, default="open")
    asked_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    before = EncryptedTextField(default="")
    answer = EncryptedTextField(default="")
    decided_by_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "field"], condition=Q(status="open"), name="one_open_correction_per_field"
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None)
                | Q(status__in=["accepted", "refused"], decided_at__isnull=False),
                name="correction_status_known",
            ),
        ]


class PatientArchive(models.Model):
    """A copy of everything about one patient, built for one account; its file is encrypted and goes when it expires."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="archives")
    account_id = models.UUIDField(db_index=True)
    status = models.CharField(max_length=10, default="waiting")
    done_n = models.PositiveIntegerField(default=0)
    total_n = models.PositiveIntegerField(default=0)
    pieces = models.JSONField(default=list)
    path = models.CharField(max_length=80, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(default=now)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downloaded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "account_id"],
                condition=Q(status__in=["waiting", "ready"]),
                name="one_archive_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "expired"], ready_at=None)
                | Q(status__in=["ready", "expired", "taken"], ready_at__isnull=False),
                name="archive_status_known",
            ),
        ]

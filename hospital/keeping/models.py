from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

# Subjects are ids without a foreign key: a request and its answer outlive the record they are about.


class LegalHold(models.Model):
    """Nothing of the subject is erased while this stands: why, for which case, until when (None: until lifted).

    Whoever sets it can't lift it: the one who could gain from erasing needs a second person.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    subject_kind = models.CharField(max_length=10)
    subject_id = models.UUIDField(db_index=True)
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    case_number = EncryptedTextField()
    reason = EncryptedTextField()
    until = models.DateField(null=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=now)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = EncryptedTextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_by=F("set_by")),
                name="hold_lifted_by_another",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind__in=["patient", "robot"]), name="hold_kind_known"
            ),
        ]


class ErasureRequest(models.Model):
    """A patient asks to be erased: what went, what stays until when and why. `received` until it can be answered."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient_id = models.UUIDField(db_index=True)
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    by_kind = models.CharField(max_length=10)
    by_id = models.UUIDField(db_index=True)
    paper = models.CharField(max_length=120, blank=True)
    received_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    waits_for = models.CharField(max_length=40, blank=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient_id"], condition=Q(answered_at=None), name="one_open_erasure_request"
            ),
            models.CheckConstraint(
                condition=Q(by_kind="patient") | Q(by_kind="staff") & ~Q(paper=""),
                name="erasure_by_staff_on_paper",
            ),
        ]


class Restriction(models.Model):
    """The record is stored and nothing else (PIPL 47): no door, page, search or export shows it while this stands."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient_id = models.UUIDField(db_index=True)
    request = models.ForeignKey(ErasureRequest, models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField(default=now)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    lifted_paper = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient_id"], condition=Q(lifted_at=None), name="one_restriction_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_by__isnull=False) & ~Q(lifted_paper=""),
                name="restriction_lifted_on_paper",
            ),
        ]


class Erasure(models.Model):
    """What was erased when, by class and count, never the content. Written before anything goes: the triggers over
    records let a row go only in the transaction that holds this row and names the row's subject or exam in `scope`.

    PostgreSQL refuses it before `kept_until` by its own clock, and while a hold stands. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    subject_kind = models.CharField(max_length=10)
    subject_id = models.UUIDField(db_index=True)
    scope = ArrayField(models.UUIDField())
    kept_until = models.DateField()
    classes = models.JSONField()
    xid = models.BigIntegerField(db_index=True, editable=False)
    at = models.DateTimeField(editable=False)

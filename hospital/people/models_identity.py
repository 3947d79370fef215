"""Tables of who is who: merges of two registrations, what may be one person, where else a patient is known."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7


class PatientInstitution(models.Model):
    """Another institution whose desk registered the same person with the same document, name and birth date."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey("people.Patient", models.CASCADE, related_name="institutions")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    linked_by_id = models.UUIDField()
    linked_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "institution"], name="patient_institution_once")
        ]


class PatientMerge(models.Model):
    """`source` became an alias of `survivor`; `moved` is column -> keys of the rows that changed hands.

    Never deleted: an undone merge keeps who undid it and why. HAZ-18.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.ForeignKey("people.Patient", models.PROTECT, related_name="+")
    survivor = models.ForeignKey("people.Patient", models.PROTECT, related_name="+")
    reason = EncryptedTextField()
    moved = models.JSONField(default=dict)
    merged_by_id = models.UUIDField()
    merged_at = models.DateTimeField(default=now)
    undone_by_id = models.UUIDField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_reason = EncryptedTextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("survivor")), name="merge_of_two"),
            models.UniqueConstraint(
                fields=["source"], condition=Q(undone_at=None), name="one_live_merge_per_source"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by_id=None)
                | Q(undone_at__isnull=False, undone_by_id__isnull=False),
                name="merge_undone_by_somebody",
            ),
        ]


class DuplicateReview(models.Model):
    """Two registrations that may be one person (`first` < `second`), or one and what a desk read from a document
    that is on file under another name (`claim`). A person decides, and is not asked again."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    first = models.ForeignKey("people.Patient", models.PROTECT, related_name="+")
    second = models.ForeignKey("people.Patient", models.PROTECT, null=True, related_name="+")
    claim = EncryptedTextField(default="")
    claim_index = models.BinaryField(max_length=32, null=True)
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    reasons = ArrayField(models.CharField(max_length=20))
    opened_by_id = models.UUIDField()
    opened_at = models.DateTimeField(default=now)
    status = models.CharField(max_length=10, default="open")
    decided_by_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    note = EncryptedTextField(default="")
    merge = models.ForeignKey(PatientMerge, models.PROTECT, null=True, related_name="reviews")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_review_per_pair"),
            models.UniqueConstraint(fields=["first", "claim_index"], name="one_review_per_claim"),
            models.CheckConstraint(
                condition=Q(second__isnull=False, claim_index=None)
                | Q(second=None, claim_index__isnull=False),
                name="review_of_a_pair_or_a_claim",
            ),
            models.CheckConstraint(
                condition=Q(second=None) | Q(first__lt=F("second")), name="review_pair_in_order"
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None)
                | Q(status__in=["same", "distinct"], decided_at__isnull=False),
                name="review_status_known",
            ),
        ]

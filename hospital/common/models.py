from __future__ import annotations

from django.db import models
from django.db.models import Q

from .clock import now
from .crypto import EncryptedTextField
from .ids import uuid7


class Work(models.Model):
    """Something that must happen, now or later: due time, tries and a fencing id, safe from lost queues.

    The row is written in the transaction of its cause. `key` is the identity of the deed within `kind`, so asking
    twice is asking once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField(default=now)
    attempts = models.PositiveIntegerField(default=0)
    fence = models.UUIDField(null=True)
    taken_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="work_once_per_kind_and_key")]
        indexes = [models.Index(fields=["due_at"], name="work_due", condition=Q(finished_at=None))]


class IdempotentRequest(models.Model):
    """One POST with an `Idempotency-Key`: who, what, and the answer (encrypted: it may hold patient data)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    principal_id = models.UUIDField()
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=now)
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedTextField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["principal_id", "key"], name="one_request_per_key")]

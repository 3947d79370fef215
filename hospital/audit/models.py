from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.ids import uuid7


class AuditEntry(models.Model):
    """Who did what to which object, when and why. Append-only: a trigger and the database role refuse the rest.

    Ids only: the log knows no other app's tables and must survive them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    at = models.DateTimeField(default=now, db_index=True)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(db_index=True)
    institution_id = models.UUIDField(null=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.UUIDField(db_index=True, null=True)
    outcome = models.CharField(max_length=10, default="success")
    reason = models.TextField(blank=True)
    address = models.CharField(max_length=45, blank=True)
    details = models.JSONField(default=dict)

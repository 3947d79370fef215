from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7


class Message(models.Model):
    """One message to one person. `status`: queued -> sent | expired. `code` is kept apart for one-time codes."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    channel = models.CharField(
        max_length=8,
        choices=[("sms", "SMS"), ("voice", "voice"), ("email", "e-mail"), ("in_app", "in the pages")],
    )
    to = EncryptedTextField()
    to_index = models.BinaryField(max_length=32, db_index=True)
    template = models.CharField(max_length=40)
    text = EncryptedTextField()
    code = EncryptedTextField(null=True)
    status = models.CharField(max_length=8, default="queued")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from .states import Outcome, State


class Message(models.Model):
    """One message to one reader; see `states`. `code` is kept apart for one-time codes.

    `about_kind` and `about_id` name what it speaks of: then recipient, language and text are made anew when it is
    sent (`composing`). `context` is the values its template was filled with, as JSON: carriers fill templates of
    their own. `not_before`: quiet hours keep it until then. `reason`: why it had another end than being sent.
    `read_at`: when the reader of a notice in the pages had them all before them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    channel = models.CharField(
        max_length=8,
        choices=[
            ("sms", "SMS"),
            ("voice", "voice"),
            ("email", "e-mail"),
            ("in_app", "in the pages"),
            ("group", "a staff group"),
        ],
    )
    to = EncryptedTextField()
    to_index = models.BinaryField(max_length=32, db_index=True)
    template = models.CharField(max_length=40)
    text = EncryptedTextField()
    code = EncryptedTextField(null=True)
    context = EncryptedTextField(null=True)
    about_kind = models.CharField(max_length=20, blank=True)
    about_id = models.UUIDField(null=True)
    status = models.CharField(max_length=8, default=State.QUEUED)
    reason = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[str(state) for state in State]), name="message_status_known"
            ),
            models.CheckConstraint(
                condition=Q(about_kind="", about_id=None) | ~Q(about_kind="") & Q(about_id__isnull=False),
                name="message_about_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["about_kind", "about_id"], name="message_about", condition=~Q(about_kind="")
            ),
        ]


class MessageReceipt(models.Model):
    """One try at one message: which provider, when, its own number for it, and what it answered."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    message = models.ForeignKey(Message, models.CASCADE, related_name="receipts")
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=20)
    at = models.DateTimeField(default=now)
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, default=Outcome.TRYING)
    code = models.CharField(max_length=80, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="one_receipt_a_try"),
            models.CheckConstraint(
                condition=Q(outcome__in=[str(outcome) for outcome in Outcome]),
                name="receipt_outcome_known",
            ),
            models.UniqueConstraint(
                fields=["message"], condition=Q(outcome=Outcome.ACCEPTED), name="accepted_once"
            ),
        ]

"""Sign-ins of everybody, and what is issued and counted for them."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .models_patients import PatientAccount
from .models_staff import User


class AccessToken(models.Model):
    """A bearer token or a page session's identity; only the SHA-256 of a bearer token is stored.

    `idle_s` is how long it may stay unused before it ends (None: only `expires_at` counts); `address` and `agent` let
    its owner recognise it in the list of sessions; `family` joins a patient's tokens to their refresh tokens.
    `proven_at` is when both factors or a step-up were last seen; `stepped_up_at` a step-up that no deed used up yet.
    `tablet` is the paired bedside tablet it is used on; `bedside_only` one that was begun there by a change of person.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    digest = models.BinaryField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="tokens")
    account = models.ForeignKey(PatientAccount, models.CASCADE, null=True, related_name="tokens")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    stepped_up_at = models.DateTimeField(null=True)
    proven_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(default=now)
    idle_s = models.PositiveIntegerField(null=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    family = models.UUIDField(null=True, db_index=True)
    tablet = models.ForeignKey("Tablet", models.PROTECT, null=True, related_name="tokens")
    bedside_only = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None, account__isnull=False)
                | models.Q(user__isnull=False, account=None),
                name="token_of_one_principal",
            ),
            models.CheckConstraint(
                condition=models.Q(bedside_only=False) | models.Q(tablet__isnull=False, user__isnull=False),
                name="bedside_token_on_a_tablet",
            ),
            models.UniqueConstraint(
                fields=["tablet"],
                condition=models.Q(bedside_only=True, revoked_at=None),
                name="one_person_at_a_tablet",
            ),
        ]


class RefreshToken(models.Model):
    """Exchanged once for the next access and refresh token of its family; seen a second time it ends the family."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    digest = models.BinaryField(max_length=32, unique=True)
    account = models.ForeignKey(PatientAccount, models.CASCADE, related_name="refresh_tokens")
    family = models.UUIDField(db_index=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class Ticket(models.Model):
    """Opens one socket within 30 s, once. Sockets can't send an Authorization header from a browser."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    digest = models.BinaryField(max_length=32, unique=True)
    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="tickets")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class UnknownName(models.Model):
    """A name that nobody signs in with is locked like a real one: the answers don't tell which names exist."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    failed_n = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    last_at = models.DateTimeField(default=now, db_index=True)

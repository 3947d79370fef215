"""What a person proves an identity with: security keys, their challenges, proofs for one deed, a new authenticator."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from .models_sign_ins import AccessToken
from .models_staff import User


class SecurityKey(models.Model):
    """A WebAuthn credential of a member of staff; the public half only.

    `sign_count` must grow when the authenticator counts at all; one that does not is a copy: `suspended_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    aaguid = models.CharField(max_length=36)
    backed_up = models.BooleanField(default=False)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)


class KeyChallenge(models.Model):
    """What a key is asked to sign, once, within two minutes; for a proof also the one deed it is good for."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    challenge = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=10)
    token = models.ForeignKey(AccessToken, models.CASCADE, null=True, related_name="key_challenges")
    tablet = models.ForeignKey("Tablet", models.CASCADE, null=True, related_name="challenges")
    address = models.CharField(max_length=45, blank=True, db_index=True)
    action = models.CharField(max_length=60, blank=True)
    object_id = models.UUIDField(null=True)
    version = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=("register", "sign_in", "proof", "tablet")),
                name="key_challenge_purpose_known",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="tablet", tablet__isnull=False)
                | (~models.Q(purpose="tablet") & models.Q(tablet=None)),
                name="key_challenge_of_a_tablet",
            ),
        ]


class Proof(models.Model):
    """A fresh proof of identity for one deed on one object in one version, used up by it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="proofs")
    action = models.CharField(max_length=60)
    object_id = models.UUIDField(null=True)
    version = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=4)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class NewTotp(models.Model):
    """An authenticator that its owner is about to change to; one at a time, known to the sign-in that asked for it.

    The old secret counts until a code of this one has been seen.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="+")
    secret = EncryptedTextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()

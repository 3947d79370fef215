"""Other institutions' systems."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .models_staff import Institution, User


class Peer(models.Model):
    """A public key with which another institution's system reads what `keeper` keeps. Several of one institution may
    be in force, so that they can rotate; a revoked one never works again."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    keeper = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    kid = models.CharField(max_length=16)
    algorithm = models.CharField(max_length=5)
    public_key_pem = models.TextField()
    registered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    registered_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["keeper", "kid"], name="peer_key_once"),
            models.CheckConstraint(
                condition=~models.Q(institution=models.F("keeper")), name="peer_is_another_institution"
            ),
            models.CheckConstraint(
                condition=models.Q(algorithm__in=["EdDSA", "ES256"]), name="peer_algorithm_known"
            ),
        ]


class PeerNonce(models.Model):
    """A `jti` already used with a peer's key: a short token can't be replayed."""

    id = models.BigAutoField(primary_key=True)
    peer = models.ForeignKey(Peer, models.CASCADE, related_name="+")
    jti_sha256 = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "jti_sha256"], name="peer_jti_once")]

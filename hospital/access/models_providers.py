"""OpenID Connect providers that sign people in."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from .models_staff import Institution, User


class IdentityProvider(models.Model):
    """An OpenID Connect issuer that an institution trusts: `staff` for its own people, `city` for patients.

    `trusted_acr` are its names for a sign-in with a cryptographic second factor; `document_claim` is the claim in
    which it gives a document number that it has itself checked; `redirect_uris` are those of patients' apps.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=5)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=200)
    client_secret = EncryptedTextField()
    trusted_acr = models.JSONField(default=list)
    document_claim = models.CharField(max_length=60, blank=True)
    redirect_uris = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "client_id"], name="identity_provider_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=("staff", "city")), name="identity_provider_kind_known"
            ),
        ]


class ProviderSubject(models.Model):
    """Which member of staff a provider's subject is; written by the security administrator, never by a sign-in."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="subjects")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, models.CASCADE, related_name="provider_subjects")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="provider_subject_once"),
            models.UniqueConstraint(fields=["provider", "user"], name="provider_user_once"),
        ]


class ProviderRequest(models.Model):
    """A sign-in that was sent to a provider: answered once, within ten minutes, in the browser or app that began it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    state_digest = models.BinaryField(max_length=32, unique=True)
    binding_digest = models.BinaryField(max_length=32)
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="requests")
    nonce = models.CharField(max_length=64)
    verifier = EncryptedTextField()
    redirect_uri = models.CharField(max_length=300)
    address = models.CharField(max_length=45, blank=True, db_index=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

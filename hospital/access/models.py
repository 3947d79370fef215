from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7


class Role(models.TextChoices):
    REMOTE_PHYSICIAN = "remote_physician"
    BEDSIDE_PHYSICIAN = "bedside_physician"
    ASSISTANT = "assistant"
    SCHEDULER = "scheduler"
    NURSE = "nurse"
    ALARM_DESK = "alarm_desk"
    QUALITY_CONTROL = "quality_control"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")


class Institution(models.Model):
    """A licensed hospital. `region_code` is GB/T 2260, `uscc` the unified social credit code (GB 32100)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    short_name = models.CharField(max_length=20)
    region_code = models.CharField(max_length=6)
    uscc = models.CharField(max_length=18, unique=True)


class User(AbstractBaseUser):
    """A member of staff. Signs in with a password and TOTP (RFC 6238; a code counts once) or a security key.

    An empty `totp_secret` is no TOTP. Who did not sign in since `active_since` or `last_sign_in_at` for too long is
    no longer active (SEC-05).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    totp_secret = EncryptedTextField()
    totp_last_step = models.BigIntegerField(default=0)
    failed_n = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)
    password_set_at = models.DateTimeField(default=now)
    active_since = models.DateTimeField(default=now)
    last_sign_in_at = models.DateTimeField(null=True)
    deactivated_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = BaseUserManager["User"]()


class Membership(models.Model):
    """One role of one person in one institution."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(granted_by=models.F("user")), name="nobody_grants_himself"
            ),
            models.UniqueConstraint(fields=["user", "institution", "role"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
            # SEC-06: system, security and audit administration are three people.
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(role__in=ADMINISTRATORS),
                name="one_administration_per_person",
            ),
        ]


class Activation(models.Model):
    """A way into an account: a code, told once, for a new person or for one who lost a factor.

    A reset has a second person's yes before it has a code. `totp_secret` waits here until a first code proves it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(User, models.PROTECT, related_name="activations")
    purpose = models.CharField(max_length=10, choices=[("new", "new"), ("reset", "reset")])
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    approved_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    code_digest = models.BinaryField(max_length=32, null=True)
    totp_secret = EncryptedTextField(default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(used_at=None, closed_at=None), name="one_open_activation"
            ),
            models.CheckConstraint(
                condition=~models.Q(asked_by=models.F("user"))
                & ~models.Q(approved_by=models.F("user"))
                & ~models.Q(approved_by=models.F("asked_by")),
                name="activation_by_others",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="new")
                | models.Q(code_digest=None)
                | models.Q(approved_by__isnull=False),
                name="reset_by_two_people",
            ),
        ]


class PatientAccount(models.Model):
    """A phone that signed in. It opens no record by itself; see people.AccountPatient."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone = EncryptedTextField()
    phone_index = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=now)
    last_sign_in_at = models.DateTimeField(null=True)


class LoginCode(models.Model):
    """A one-time code for a phone: hashed, 5 minutes, 5 tries, used once."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone_index = models.BinaryField(max_length=32, db_index=True)
    address = models.CharField(max_length=45, db_index=True)
    code_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)


class CodeTry(models.Model):
    """One try at a one-time code, right or wrong: what the limits per account and per address count."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone_index = models.BinaryField(max_length=32, db_index=True)
    address = models.CharField(max_length=45, db_index=True)
    at = models.DateTimeField(default=now, db_index=True)


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


class Tablet(models.Model):
    """A bedside tablet of one room: the public half of a key that its browser can't give away (ECDSA P-256).

    Named by an administrator first, with a code told once; paired when a browser answered with that code and its key.
    `room_id` is a room of scheduling. A revoked one never works again; the room's next one is another row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    room_id = models.UUIDField(db_index=True)
    name = models.CharField(max_length=60)
    code_digest = models.BinaryField(max_length=32, null=True, unique=True)
    code_expires_at = models.DateTimeField(null=True)
    public_key = models.BinaryField(max_length=200, null=True, unique=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now)
    paired_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                condition=models.Q(revoked_at=None),
                name="tablet_name_once",
            ),
            models.CheckConstraint(
                condition=models.Q(public_key=None, paired_at=None)
                | models.Q(public_key__isnull=False, paired_at__isnull=False, code_digest=None),
                name="tablet_paired_with_a_key",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by=None)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False, code_digest=None),
                name="tablet_revoked_by_somebody",
            ),
        ]


class TabletOpening(models.Model):
    """Somebody signed in with both factors on this tablet: until `ends_at` a PIN or a touch is enough there."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    tablet = models.ForeignKey(Tablet, models.CASCADE, related_name="openings")
    user = models.ForeignKey(User, models.CASCADE, related_name="tablet_openings")
    opened_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tablet", "user"], name="tablet_opening_once"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("opened_at")), name="tablet_opening_ends_later"
            ),
        ]


class BedsidePin(models.Model):
    """A person's six digits (argon2), good on paired tablets only. Wrong ones end the person's openings."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="bedside_pin")
    digest = models.CharField(max_length=200)
    set_at = models.DateTimeField(default=now)
    failed_n = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(failed_n__lte=5), name="bedside_pin_tries_limited")
        ]

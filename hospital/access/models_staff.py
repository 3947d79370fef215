"""Members of staff: accounts, roles, and the ways into an account."""

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

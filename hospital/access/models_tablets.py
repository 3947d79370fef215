"""Bedside tablets, and who may change in on them."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .models_staff import Institution, User


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

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.ids import uuid7


class Robot(models.Model):
    """An ultrasound robot as the hospital sees it: where it stands, its key, and the newest lease epoch.

    `retired_at` is the end of its life: from then the clock of its use file runs (SAF-07).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.OneToOneField("scheduling.Resource", models.PROTECT, related_name="robot")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    public_key_pem = models.TextField(blank=True)
    pairing_code_sha256 = models.CharField(max_length=64, blank=True)
    pairing_expires_at = models.DateTimeField(null=True)
    paired_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    last_epoch = models.BigIntegerField(default=0)
    calibration_due_on = models.DateField()
    maintenance_due_on = models.DateField()
    connection = models.CharField(max_length=64, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    hello = models.JSONField(default=dict)
    status = models.JSONField(default=dict)


class ControlLease(models.Model):
    """Who may move a robot. `epoch` grows for ever; `serial` counts renewals; one live lease per robot."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    robot = models.ForeignKey(Robot, models.PROTECT, related_name="leases")
    epoch = models.BigIntegerField()
    serial = models.BigIntegerField(default=0)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    exam_id = models.UUIDField(db_index=True)
    peer_id = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=120)
    granted_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    release_code = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["robot"], condition=Q(released_at=None), name="one_live_lease_per_robot"
            ),
            models.UniqueConstraint(fields=["robot", "epoch"], name="lease_epoch_once"),
        ]


class SelfTest(models.Model):
    """One self-test of a robot for one exam, asked for by the bedside, answered by the robot."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    robot = models.ForeignKey(Robot, models.PROTECT, related_name="self_tests")
    exam_id = models.UUIDField(db_index=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)
    passed = models.BooleanField(null=True)
    checks = models.JSONField(default=list)


class RobotEvent(models.Model):
    """What happened at the robot (stops, clearings, captures), kept once however often it is sent."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    robot = models.ForeignKey(Robot, models.PROTECT, related_name="events")
    serial = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    exam_id = models.UUIDField(null=True, db_index=True)
    data = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot", "serial", "at"], name="robot_event_once")]


class RobotNonce(models.Model):
    """A `jti` already used by a robot: its short token can't be replayed."""

    jti = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField()

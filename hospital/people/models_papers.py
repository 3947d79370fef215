"""Tables of what a person may do on paper: where they are registered, and which privilege at the robot they hold."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.ids import uuid7

from .practice import LEVELS, SIMULATOR_HOURS, SUPERVISED_EXAMS


class Registration(models.Model):
    """A physician's place of practice: `main`, or a `filing` for a further one with the consent of the first (LAW-08).

    `paper` names the document; an end in the open is a main registration that lasts as long as the licence.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="registrations")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    paper = models.CharField(max_length=120)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["main", "filing"]), name="registration_kind_known"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="registration_valid_range"
            ),
            models.CheckConstraint(condition=~Q(paper=""), name="registration_on_paper"),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(kind="main", ended_at=None),
                name="one_main_registration_per_person",
            ),
        ]


class Privilege(models.Model):
    """What a physician may do with the robot: practise on the simulator, under supervision, or independently.

    Independent takes the hours and exams of `practice`, or a `basis` that says why not. Nobody grants their own.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="privileges")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    level = models.CharField(max_length=11)
    simulator_hours = models.PositiveSmallIntegerField(default=0)
    supervised_exams = models.PositiveSmallIntegerField(default=0)
    basis = models.CharField(max_length=200, blank=True)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(default=now)
    valid_to = models.DateField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(level__in=LEVELS), name="privilege_level_known"),
            models.CheckConstraint(
                condition=~Q(level="independent")
                | Q(simulator_hours__gte=SIMULATOR_HOURS, supervised_exams__gte=SUPERVISED_EXAMS)
                | ~Q(basis=""),
                name="privilege_independent_was_earned",
            ),
            models.CheckConstraint(
                condition=Q(granted_by=None) | ~Q(granted_by=F("user")), name="privilege_granted_by_another"
            ),
            models.UniqueConstraint(
                fields=["user", "institution"], condition=Q(revoked_at=None), name="one_privilege_per_place"
            ),
        ]

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from hospital.common.clock import now
from hospital.common.ids import uuid7


class CalendarFeed(models.Model):
    """A secret address under which one calendar, a person's or a room's, can be subscribed to.

    Only the address's digest is kept: who lost it makes another. `made_by` answers for it: it ends with their account
    and with their right to that calendar.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    resource = models.ForeignKey("scheduling.Resource", models.PROTECT, related_name="feeds")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "made_by"], condition=Q(revoked_at=None), name="one_feed_each"
            )
        ]

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncHour

from .models import AuditEntry

Accesses = QuerySet[AuditEntry, Any]


def accesses_of(patient_id: UUID, *, but_by: Iterable[UUID] = ()) -> Accesses:
    """Who read or did what with one patient's record, the newest first; `but_by` names actors to leave out.

    One row for what the same person did the same way within an hour of the clock: `first_at`, `last_at`, `times`.
    """
    return (
        AuditEntry.objects.filter(
            patient_ids__contains=[patient_id], actor_kind__in=("staff", "patient", "robot")
        )
        .exclude(actor_id__in=list(but_by))
        .exclude(outcome="refused")
        .values(
            "actor_kind", "actor_id", "actor_institution_id", "action", "object_kind", "outcome", "reason"
        )
        .annotate(hour=TruncHour("at"), first_at=Min("at"), last_at=Max("at"), times=Count("id"))
        .order_by("-last_at", "actor_id", "action")
    )

"""The physicians of an institution with all their papers, for who keeps them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch

from hospital.access.models import Membership
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.clock import today

from .licences import practice_problems
from .models import Privilege, Registration
from .representations_papers import licence_json, privilege_json, registration_json
from .selectors import agreements_in_force

PHYSICIANS = ("remote_physician", "bedside_physician")
SERVICE = "remote_ultrasound"


def physicians(principal: Principal) -> list[dict[str, Any]]:
    """One row a person and role: licence, registrations, privilege; `problems` against booking an expert today, by
    the hospital that invites."""
    rows = Membership.objects.select_related("user", "institution", "user__practitioner")
    rows = rows.prefetch_related(
        Prefetch(
            "user__registrations",
            Registration.objects.filter(ended_at=None).select_related("institution").order_by("valid_from"),
        ),
        Prefetch("user__privileges", Privilege.objects.filter(revoked_at=None).select_related("granted_by")),
    )
    mine = rows.filter(
        institution_id__in=places(principal, "registry.read"), role__in=PHYSICIANS, user__is_active=True
    )
    return [_row(row) for row in mine.order_by("institution__short_name", "role", "user__username")]


def _row(row: Membership) -> dict[str, Any]:
    licence = getattr(row.user, "practitioner", None)
    held = [held for held in row.user.privileges.all() if held.institution_id == row.institution_id]
    return {
        "user_id": str(row.user_id),
        "name": row.user.name,
        "role": row.role,
        "institution_id": str(row.institution_id),
        "institution": row.institution.name,
        "institution_en": row.institution.name_en,
        "licence": licence_json(licence) if licence else None,
        "registrations": [registration_json(found) for found in row.user.registrations.all()],
        "privilege": privilege_json(held[0]) if held else None,
        "problems": _problems(row),
    }


def _problems(row: Membership) -> list[dict[str, Any]]:
    if row.role != "remote_physician":
        return []
    found = []
    for agreement in (
        agreements_in_force(today()).filter(invited_id=row.institution_id).select_related("inviting")
    ):
        codes = practice_problems(
            user_id=row.user_id,
            requesting_id=agreement.inviting_id,
            performing_id=row.institution_id,
            service=SERVICE,
            on=today(),
        )
        inviting = agreement.inviting
        found.append({"inviting": inviting.name, "inviting_en": inviting.name_en, "codes": list(codes)})
    return found

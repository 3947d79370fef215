"""Registrations that are one person's, and what brings them together and apart."""

from __future__ import annotations

from datetime import date
from typing import Any

from hospital.access.models import AccessToken
from hospital.common.clock import now
from hospital.people import merges, reviews, services
from hospital.people.models import Patient
from tests.factories import World

PASSPORT = "E12345678"
OTHER_PHONE = "13900000088"


def registered(world: World, **changes: Any) -> Patient:
    fields: dict[str, Any] = {
        "name": "王小东", "document_type": "03", "document_number": PASSPORT, "birth_date": date(1950, 3, 15),
        "sex": "1", "phone": OTHER_PHONE,
    }  # fmt: skip
    who = changes.pop("who", "desk")
    patient, _ = services.patient_register(principal=world.principals[who], **(fields | changes))
    return patient


def proven(world: World, who: str = "desk") -> None:
    AccessToken.objects.filter(user=world.users[who]).update(stepped_up_at=now())


def merge(world: World, source: Patient, survivor: Patient, who: str = "desk") -> merges.PatientMerge:
    proven(world, who)
    return merges.patient_merge(
        principal=world.principals[who], source_id=source.id, survivor_id=survivor.id, reason="同一位患者"
    )


def unmerge(world: World, row: merges.PatientMerge) -> merges.PatientMerge:
    proven(world)
    return reviews.merge_undo(principal=world.principals["desk"], merge_id=row.id, reason="其实是两个人")

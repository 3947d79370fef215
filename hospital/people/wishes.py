"""How a patient wants to be told: language, SMS or a call, and what not at all. Changes of a booking are always told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Invalid
from hospital.common.prebuilt import Value, prebuilt
from hospital.messages.kinds import KINDS, LANGUAGES, PHONE_CHANNELS, REFUSABLE

from . import selectors
from .models import MessageWish, Patient


@dataclass(frozen=True)
class Wishes:
    """What holds for a patient; who never said anything is told everything, in Chinese, by SMS."""

    language: str = "zh"
    channel: str = "sms"
    refused: frozenset[str] = field(default_factory=frozenset)


def wishes_of(patient_id: UUID) -> Wishes:
    row = _said.one(patient_id=patient_id)
    if row is None:
        return Wishes()
    return Wishes(language=row.language, channel=row.channel, refused=frozenset(row.refused))


@prebuilt
def _said(*, patient_id: Value) -> QuerySet[MessageWish]:
    return MessageWish.objects.filter(patient_id=patient_id)


def wishes_json(patient_id: UUID) -> dict[str, Any]:
    """`{language, channel, refused[], refusable[], kinds[]}`."""
    said = wishes_of(patient_id)
    return {
        "language": said.language,
        "channel": said.channel,
        "refused": sorted(said.refused),
        "refusable": sorted(REFUSABLE),
        "kinds": list(KINDS),
    }


def _checked(language: str, channel: str, refused: list[str]) -> None:
    if language not in LANGUAGES:
        raise Invalid("invalid", field="language")
    if channel not in PHONE_CHANNELS:
        raise Invalid("invalid", field="channel")
    if not set(refused) <= REFUSABLE:
        raise Invalid("message_not_refusable", field="refused")


@transaction.atomic
def wishes_set(
    *, principal: Principal, action: str, patient_id: UUID, language: str, channel: str, refused: list[str]
) -> Patient:
    """All three anew. Invalid `message_not_refusable` for a kind that is always told; NotFound for anybody else's."""
    _checked(language, channel, refused)
    patient = selectors.patient_for_writing(principal=principal, patient_id=patient_id, action=action)
    MessageWish.objects.update_or_create(
        patient=patient,
        defaults={
            "language": language,
            "channel": channel,
            "refused": sorted(set(refused)),
            "changed_by_kind": principal.kind,
            "changed_by_id": principal.id,
            "changed_at": now(),
        },
    )
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=patient.id,
        institution_id=patient.institution_id,
        details={"language": language, "channel": channel, "refused": sorted(set(refused))},
        patient_ids=(patient.id,),
    )
    return patient

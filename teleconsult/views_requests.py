"""Requests, waiting and offers as JSON, and what reading them shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hospital.common.reads import Shown
from hospital.people.representations import patient_found, patient_named

from .models import ExamRequest, SlotOffer
from .states_requests import OPEN


def request_json(row: ExamRequest, *, texts: bool = False) -> dict[str, Any]:
    """One request; whole name and clinical texts only where one request is opened, which the log has."""
    entry = getattr(row, "waiting", None)
    kind, place = row.exam_type, row.institution
    found: dict[str, Any] = {
        "id": str(row.id),
        "state": row.state,
        "priority": row.priority,
        "fee": row.fee,
        "asked_at": row.asked_at.isoformat(),
        "exam_type": {"code": kind.code, "name_zh": kind.name_zh, "name_en": kind.name_en},
        "institution": {"id": str(place.id), "name": place.name, "name_en": place.name_en},
        "requested_by": row.requested_by.name if row.requested_by else None,
        "patient": patient_named(row.patient) if texts else patient_found(row.patient),
        "exam_id": str(row.exam_id) if row.exam_id else None,
        "reason": row.reason,
        "waiting": {
            "earliest": entry.earliest.isoformat(),
            "latest": entry.latest.isoformat(),
            "parts_of_day": entry.parts_of_day,
            "person_id": str(entry.person_id) if entry.person_id else None,
            "front": entry.front,
        }
        if entry
        else None,
        "offer": next((offer_json(offer) for offer in row.offers.all() if offer.state == OPEN), None),
    }
    return found | ({"clinical_question": row.clinical_question, "history": row.history} if texts else {})


def offer_json(offer: SlotOffer) -> dict[str, Any]:
    """A time on offer; nothing about why."""
    return {
        "id": str(offer.id),
        "state": offer.state,
        "starts_at": offer.starts_at.isoformat(),
        "ends_at": offer.ends_at.isoformat(),
        "expires_at": offer.expires_at.isoformat(),
    }


def offer_for_patient(offer: SlotOffer) -> dict[str, Any]:
    """What the link in the message and the patient's app show."""
    place = offer.request.institution
    return offer_json(offer) | {"place": place.name, "place_en": place.name_en or place.name}


def requests_shown(rows: Iterable[ExamRequest]) -> Shown:
    """A list: one row of the log, with all its patients."""
    found = list(rows)
    return Shown(
        kind="exam_requests",
        patient_ids=tuple(dict.fromkeys(row.patient_id for row in found)),
        institution_id=found[0].institution_id if found else None,
        why="desk",
        details={"shown": [str(row.id) for row in found]},
    )


def request_shown(row: ExamRequest) -> Shown:
    return Shown(
        kind="exam_request",
        object_id=row.id,
        patient_ids=(row.patient_id,),
        institution_id=row.institution_id,
        why="desk",
    )


def offers_shown(rows: Iterable[SlotOffer]) -> Shown:
    found = list(rows)
    return Shown(
        kind="offers",
        patient_ids=tuple(dict.fromkeys(row.request.patient_id for row in found)),
        why="own",
        details={"shown": [str(row.id) for row in found]},
    )

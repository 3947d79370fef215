"""Who read a patient's record, in the patient's words: names and institutions of staff, when, what and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from hospital.access import selectors as access
from hospital.access.principals import Principal
from hospital.audit.selectors import Accesses, Lent, accesses_of
from hospital.audit.services import audit_record
from hospital.common.errors import NotFound

from . import selectors
from .models import Patient, PatientMerge

# Reasons as the log keeps them -> (zh, en). Free text (why an exam was paused) is shown as it was written.
WHY: dict[str, tuple[str, str]] = {
    "remote": ("本次检查的远程医生", "remote physician of this exam"),
    "bedside": ("本次检查的床旁医生", "bedside physician of this exam"),
    "desk": ("预约与登记", "booking and registration"),
    "erasure": ("答复您的删除申请", "answering your request for erasure"),
    "exam": ("本次检查的医生", "physician of this exam"),
    "break_glass": ("紧急调阅", "emergency access"),
    "transfer": ("您同意转交的机构", "an institution you agreed to share with"),
    "own": ("本人或家属账户", "your own or your family's account"),
}


def accesses_for(*, principal: Principal, patient_id: UUID | None) -> tuple[UUID, Accesses]:
    """(patient, rows) of the patient asked for, or the first the account speaks for. NotFound for anybody else's."""
    patients = selectors.patients(principal, "me.accesses")
    mine = patients.filter(id=patient_id) if patient_id else patients.order_by("created_at")
    patient = mine.values_list("id", flat=True).first()
    if patient is None:
        raise NotFound()
    return patient, accesses_to(patient, but_by=[principal.id])


def accesses_to(patient: UUID, *, but_by: Iterable[UUID] = ()) -> Accesses:
    """Who read the record of one person, under whatever id the log knew them."""
    return accesses_of(selectors.ids_of(patient), but_by=but_by, lent=_lent_out(patient))


def _lent_out(patient: UUID) -> list[Lent]:
    """While a merge stood that was undone later, this patient's rows were another's in the log."""
    undone = PatientMerge.objects.filter(source_id=patient, undone_at__isnull=False)
    return [
        Lent(
            patient_id=row.survivor_id,
            since=row.merged_at,
            until=row.undone_at,
            objects=[UUID(key) for keys in row.moved.values() for key in keys if len(key) == 36],
        )
        for row in undone
        if row.undone_at is not None
    ]


@transaction.atomic
def patient_reveal(*, principal: Principal, patient_id: UUID, reason: str) -> Patient:
    """A patient of the caller's desk, to be shown with full numbers. NotFound for anybody else's."""
    patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.reveal")
    audit_record(
        principal=principal,
        action="patient.reveal",
        object_kind="patient",
        object_id=patient.id,
        institution_id=patient.institution_id,
        outcome="read",
        reason=reason,
    )
    return patient


def _why(reason: str) -> dict[str, str]:
    words = reason.split(" ")
    pairs = [WHY[word] for word in words if word in WHY]
    if not pairs or len(pairs) < len(words):
        return {"zh": reason, "en": reason}
    return {"zh": "、".join(zh for zh, _ in pairs), "en": ", ".join(en for _, en in pairs)}


class Row:
    """Renders rows; names are looked up once for a page."""

    def __init__(self) -> None:
        self.people: dict[UUID, str] = {}
        self.places: dict[UUID, dict[str, str]] = {}

    def _person(self, found: dict[str, Any]) -> str | None:
        if found["actor_kind"] != "staff":
            return None
        if found["actor_id"] not in self.people:
            self.people |= access.user_names(ids=[found["actor_id"]])
        return self.people.get(found["actor_id"])

    def _place(self, institution: UUID | None) -> dict[str, str]:
        if institution is not None and institution not in self.places:
            self.places |= access.institution_names(ids=[institution])
        return self.places.get(institution, {}) if institution else {}

    def __call__(self, found: dict[str, Any]) -> dict[str, Any]:
        place = self._place(found["actor_institution_id"])
        return {
            "kind": found["actor_kind"],
            "name": self._person(found),
            "institution": place.get("name"),
            "institution_en": place.get("name_en"),
            "first_at": found["first_at"].isoformat(),
            "last_at": found["last_at"].isoformat(),
            "times": found["times"],
            "action": found["action"],
            "what": found["object_kind"],
            "outcome": found["outcome"],
            "why": _why(found["reason"]),
        }

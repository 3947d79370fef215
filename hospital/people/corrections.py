"""A patient says that something in their registration is wrong: asked from the phone, answered by a person in time.

PIPL 46. An acceptance changes the registration and keeps what stood there; a refusal says why. Only the registration:
signed reports are amended by their physicians, never here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from hospital.access import phones
from hospital.access.keys import Deed
from hospital.access.principals import SYSTEM, Principal
from hospital.access.services import proof_consume
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common import objects
from hospital.common.clock import SHANGHAI, now, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.events import Event, emit
from hospital.common.work import work_add, worker
from hospital.messages.services import message_send

from . import references, reviews, rules, search, selectors, services
from .models import CorrectionRequest, Patient

ANSWER_WITHIN = timedelta(days=15)  # design value
OVERDUE = "correction.overdue"
FIELDS = ("name", "birth_date", "sex", "document_number", "phone")
IDENTIFYING = frozenset({"name", "birth_date", "document_number"})
PROOF_MAX_BYTES = 5_000_000  # design value: a phone's photograph
PROOF_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
OPEN, ACCEPTED, REFUSED = "open", "accepted", "refused"


@dataclass(frozen=True, kw_only=True)
class PatientCorrected(Event):
    """A registration says something else from now on."""

    patient_id: UUID
    field: str


def wanted_checked(field: str, wanted: str) -> str:
    """The wanted value in normal form. Invalid with the field's own code."""
    try:
        if field == "name":
            return rules.name_checked(wanted)
        if field == "birth_date":
            return date.fromisoformat(wanted.strip()).isoformat()
        if field == "document_number":
            return rules.document_normal(wanted)
    except ValueError:
        raise Invalid(f"{field}_invalid", field="wanted") from None
    if field == "phone":
        return phones.phone_normal(wanted)
    if field != "sex":
        raise Invalid("correction_field", field="field")
    if wanted not in rules.SEXES:
        raise Invalid("sex_invalid", field="wanted")
    return wanted


def _proof(proof: str) -> str:
    """Path of the stored picture, base64 as it came; empty for none. Invalid `correction_proof`."""
    if not proof:
        return ""
    try:
        data = base64.b64decode(
            proof.partition(",")[2] if proof.startswith("data:") else proof, validate=True
        )
    except (binascii.Error, ValueError):
        data = b""
    if len(data) > PROOF_MAX_BYTES or proof_type(data) is None:
        raise Invalid("correction_proof", field="proof")
    return objects.put(data)[0]


def proof_type(data: bytes) -> str | None:
    return next((kind for magic, kind in PROOF_MAGIC.items() if data.startswith(magic)), None)


def current(patient: Patient, field: str) -> str:
    value = getattr(patient, field)
    return value.isoformat() if isinstance(value, date) else str(value)


@transaction.atomic
def correction_ask(
    *, principal: Principal, patient: Patient, field: str, wanted: str, reason: str, proof: str = ""
) -> CorrectionRequest:
    """Ask for another value of one field; `proof` is a base64 picture. Conflict `correction_open`, `correction_same`."""
    if field not in FIELDS:
        raise Invalid("correction_field", field="field")
    plain, patient = wanted_checked(field, wanted), selectors.held(patient)
    if plain == current(patient, field):
        raise Conflict("correction_same")
    if not reason.strip():
        raise Invalid("reason_required", field="reason")
    try:
        with transaction.atomic():
            row = CorrectionRequest.objects.create(
                patient=patient, account_id=principal.id, field=field, wanted=plain, reason=reason.strip(),
                proof_path=_proof(proof), due_at=now() + ANSWER_WITHIN,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("correction_open") from None
    _noted(principal, "correction.ask", row)
    work_add(kind=OVERDUE, key=str(row.id), payload={"correction_id": str(row.id)}, due_at=row.due_at)
    return row


def corrections_of(patient: Patient) -> QuerySet[CorrectionRequest]:
    return CorrectionRequest.objects.filter(patient=patient).order_by("-asked_at")


def to_answer(principal: Principal) -> list[CorrectionRequest]:
    """Open requests of the caller's patients, the one due first at the top, then the last hundred answered."""
    rows = _mine(principal)
    done = rows.exclude(status=OPEN).order_by("-decided_at")[:100]
    return [*rows.filter(status=OPEN).order_by("due_at"), *done]


def _mine(principal: Principal) -> QuerySet[CorrectionRequest]:
    here = selectors.readable().filter(institution_id__in=places(principal, "correction.decide"))
    return CorrectionRequest.objects.select_related("patient").filter(patient__in=here.values("id"))


def correction_get(principal: Principal, correction_id: UUID) -> CorrectionRequest:
    found = _mine(principal).filter(id=correction_id).first()
    if found is None:
        raise NotFound()
    return found


def proof_get(principal: Principal, correction_id: UUID) -> tuple[CorrectionRequest, bytes, str]:
    """(request, picture, media type). NotFound when there is none."""
    row = correction_get(principal, correction_id)
    if not row.proof_path:
        raise NotFound()
    data = objects.read(row.proof_path)
    return row, data, proof_type(data) or "application/octet-stream"


@transaction.atomic
def correction_decide(
    *, principal: Principal, correction_id: UUID, accepted: bool, answer: str
) -> CorrectionRequest:
    """Change the registration, or say why not, with a fresh proof of identity; the patient gets a message.

    Conflict `correction_decided`, `patient_exists` when the document is somebody else's; Invalid
    `document_conflict` when number, birth date and sex would not fit together (ID-04).
    """
    if not accepted and not answer.strip():
        raise Invalid("reason_required", field="answer")
    correction_get(principal, correction_id)
    row = CorrectionRequest.objects.select_for_update().get(id=correction_id)
    if row.status != OPEN:
        raise Conflict("correction_decided")
    verdict = ACCEPTED if accepted else REFUSED
    proof_consume(
        principal=principal, deed=Deed(action="correction.decide", object_id=row.id, version=verdict)
    )
    patient = Patient.objects.select_for_update(no_key=True).get(id=row.patient_id)
    row.status, row.answer = verdict, answer.strip()
    row.decided_by_id, row.decided_at = principal.id, now()
    told = patient.phone
    if accepted:
        row.before = current(patient, row.field)
        patient_correct(principal=principal, patient=patient, field=row.field, value=row.wanted)
    row.save()
    _noted(principal, "correction.decide", row)
    message_send(to=told, channel="sms", template="correction_answered", context={})
    return row


def patient_correct(*, principal: Principal, patient: Patient, field: str, value: str) -> None:
    """Write one field with all its indexes; who may be the same person is looked at again. In a transaction that
    holds the patient's row."""
    if field in IDENTIFYING:
        for (
            check
        ) in references.checks():  # nobody's name changes while they are called, identified or scanned
            check(patient.id, patient.id)
    new: dict[str, Any] = {name: getattr(patient, name) for name in FIELDS}
    new[field] = date.fromisoformat(value) if field == "birth_date" else value
    name, number = services.identity_checked(
        patient.document_type, new["document_number"], new["name"], new["birth_date"], new["sex"]
    )
    index = search.document_index(patient.document_type, number)
    if Patient.objects.filter(document_index=index).exclude(id=patient.id).exists():
        raise Conflict("patient_exists")
    patient.name, patient.name_index = name, search.name_index(name)
    patient.document_number, patient.document_index = number, index
    patient.document_tail_index = search.document_tail_index(number[-4:])
    patient.birth_date, patient.sex, patient.phone = new["birth_date"], new["sex"], new["phone"]
    patient.phone_index = phones.phone_index(patient.phone)
    patient.phone_tail_index = search.phone_tail_index(patient.phone[-4:])
    if field in IDENTIFYING:
        patient.verified_at = None  # the card was seen for another name, day or number
    patient.save()
    if field == "name":
        services.syllables_write(patient)
    reviews.duplicates_look(principal=principal, patient=patient)
    emit(PatientCorrected(patient_id=patient.id, field=field))


@worker(OVERDUE)
def _overdue(payload: dict[str, Any]) -> None:
    """Fifteen days later: a request that nobody answered is put on record as such."""
    row = CorrectionRequest.objects.filter(id=payload["correction_id"], status=OPEN).first()
    if row is not None:
        _noted(SYSTEM, "correction.overdue", row)


def overdue(row: CorrectionRequest) -> bool:
    return row.status == OPEN and row.due_at < now()


def days_left(row: CorrectionRequest) -> int:
    return (row.due_at.astimezone(SHANGHAI).date() - today()).days


def _noted(principal: Principal, action: str, row: CorrectionRequest) -> None:
    """The log names the field and the outcome, never a value."""
    audit_record(
        principal=principal,
        action=action,
        object_kind="correction",
        object_id=row.id,
        institution_id=row.patient.institution_id,
        reason=row.status,
        details={"field": row.field},
        patient_ids=(row.patient_id,),
    )

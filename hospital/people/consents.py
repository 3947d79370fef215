"""Writes of consent: the texts, which consent was given how, and its withdrawal (LAW-21, PI-01, PI-03)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from hospital.access.models import Institution
from hospital.access.principals import SYSTEM, Principal
from hospital.access.scopes import within
from hospital.audit.services import audit_record
from hospital.common.clock import now, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.events import Event, emit

from . import rules
from .models import Consent, ConsentText, Patient

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
SIGNATURE_MAX_BYTES = 200_000  # design value: a signature pad's picture has a tenth of that


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(Event):
    """From this moment nothing may be done that stood on this consent."""

    exam_id: UUID | None
    patient_id: UUID
    kind: str
    by: Principal
    reason: str


@transaction.atomic
def consent_text_publish(*, kind: str, version: str, body_zh: str, body_en: str) -> ConsentText:
    """A new text of a kind; it replaces the one before for consents given from now on, and never changes."""
    digest = hashlib.sha256(f"{body_zh}\n\n{body_en}".encode()).hexdigest()
    row = ConsentText.objects.create(
        kind=kind, version=version, body_zh=body_zh, body_en=body_en, sha256=digest
    )
    audit_record(
        principal=SYSTEM, action="consent_text.publish", object_kind="consent_text", object_id=row.id
    )
    return row


def _signature(png_base64: str) -> str:
    """The picture as it came, if it is a PNG."""
    plain = png_base64.removeprefix("data:image/png;base64,")
    try:
        data = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data.startswith(PNG_MAGIC) or len(data) > SIGNATURE_MAX_BYTES:
        raise Invalid("signature_invalid", field="signature_png")
    return plain


def _noted(principal: Principal, action: str, consent: Consent, reason: str = "") -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="consent",
        object_id=consent.id,
        reason=reason,
        details={
            "patient_id": str(consent.patient_id),
            "exam_id": str(consent.exam_id) if consent.exam_id else None,
            "receiver_id": str(consent.receiver_id) if consent.receiver_id else None,
            "kind": consent.kind,
        },
        patient_ids=(consent.patient_id,),
    )


@transaction.atomic
def consent_record(
    *,
    principal: Principal,
    patient_id: UUID,
    kind: str,
    exam_id: UUID | None = None,
    receiver_id: UUID | None = None,
    text_version: str,
    given_by: str,
    method: str,
    guardian_name: str = "",
    guardian_relation: str = "",
    signature_png: str = "",
    witness_name: str = "",
) -> Consent:
    """One written consent of the newest text, by the patient or a guardian, with signature or witness.

    `signature_png` is base64. Invalid with the code of what is missing; `guardian_required` below 14 years;
    Conflict `consent_exists` while another one of the kind is active for the exam, patient or receiver.
    """
    _about_checked(kind, exam_id, receiver_id)
    newest = ConsentText.objects.filter(kind=kind).order_by("-published_at").first()
    if newest is None or newest.version != text_version:
        raise Invalid("consent_text_unknown", current=newest.version if newest else None)
    patient = Patient.objects.filter(id=patient_id).first()
    if patient is None:
        raise NotFound()
    if given_by not in ("patient", "guardian") or method not in ("signature", "witness"):
        raise Invalid("invalid", field="given_by" if method in ("signature", "witness") else "method")
    if given_by == "patient" and rules.age_on(patient.birth_date, today()) < rules.GUARDIAN_BELOW_YEARS:
        raise Invalid("guardian_required", field="given_by")
    if given_by == "guardian" and not (guardian_name.strip() and guardian_relation.strip()):
        raise Invalid("consent_guardian_missing")
    if not (signature_png if method == "signature" else witness_name.strip()):
        raise Invalid("consent_proof_missing")
    try:
        with transaction.atomic():
            row = Consent.objects.create(
                patient=patient,
                kind=kind,
                exam_id=exam_id,
                receiver_id=receiver_id,
                text=newest,
                given_by=given_by,
                guardian_name=guardian_name.strip(),
                guardian_relation=guardian_relation.strip(),
                method=method,
                signature_png=_signature(signature_png) if method == "signature" else "",
                witness_name=witness_name.strip(),
                recorded_by_id=principal.id,
            )
    except IntegrityError:
        raise Conflict("consent_exists") from None
    _noted(principal, "consent.give", row)
    return row


def consent_withdraw(*, principal: Principal, exam_id: UUID, kind: str, reason: str) -> None:
    """The exam's consent of that kind; NotFound when none is active."""
    _withdraw(principal, Consent.objects.filter(exam_id=exam_id, kind=kind), reason)


def consent_take_back(*, principal: Principal, action: str, consent_id: UUID, reason: str) -> None:
    """One consent within the caller's reach for `action`; NotFound for any other, or one withdrawn before."""
    mine = within(principal, action, "consent")
    _withdraw(principal, Consent.objects.filter(mine, id=consent_id), reason)


@transaction.atomic
def _withdraw(principal: Principal, which: QuerySet[Consent], reason: str) -> None:
    """Withdrawal acts on the next request; what was done before stays lawful (PIPL 15)."""
    found = which.filter(withdrawn_at=None).values_list("id", flat=True)
    active = Consent.objects.select_for_update().filter(id__in=found, withdrawn_at=None).first()
    if active is None:
        raise NotFound()
    active.withdrawn_at, active.withdrawn_reason = now(), reason
    active.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    _noted(principal, "consent.withdraw", active, reason)
    emit(
        ConsentWithdrawn(
            exam_id=active.exam_id,
            patient_id=active.patient_id,
            kind=active.kind,
            by=principal,
            reason=reason,
        )
    )


def _about_checked(kind: str, exam_id: UUID | None, receiver_id: UUID | None) -> None:
    """What a consent of this kind is about; the database says the same."""
    if kind not in rules.CONSENT_KINDS:
        raise Invalid("consent_kind_unknown", field="kind")
    if (kind in rules.EXAM_KINDS) is not (exam_id is not None):
        raise Invalid("consent_exam_named", field="exam_id")
    if (kind == rules.TRANSFER) is not (receiver_id is not None):
        raise Invalid("consent_receiver_named", field="receiver_id")
    if receiver_id is not None and not Institution.objects.filter(id=receiver_id).exists():
        raise Invalid("consent_receiver_named", field="receiver_id")

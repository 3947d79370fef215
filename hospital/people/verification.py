"""Who says that a document is real and this person's: a pluggable authority (LAW-13).

The embedded default is a member of staff with the card in the hand. Whatever the authority, what is kept is its
answer, never the picture of a document; a registration never waits for it, so an emergency is never held up.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import today
from hospital.common.errors import Conflict, Invalid, Unavailable

from . import mrz, rules, selectors
from .models import IdentityVerification, Patient

log = structlog.get_logger()
ANSWER_WITHIN_S = 5.0  # design value: a desk waits no longer for a register
SEEN = ("card", "passport", "household_book", "other_document")
Outcome = Literal["verified", "refused"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is asked: is this document real, and is this its holder."""

    document_type: str
    number: str
    name: str
    birth_date: date
    sex: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`reference` is the authority's own number for its answer, if it has one."""

    outcome: Outcome
    reference: str = ""


# An authority answers or raises; it may not touch the database, it runs in a thread of its own.
Authority = Callable[[Claim], Answer]


def staff_check(claim: Claim) -> Answer:
    """A member of staff saw the document and its holder; who they are stands in the row."""
    return Answer(outcome="verified")


_authorities: dict[str, Authority] = {"staff": staff_check}
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="authority")


def authority_register(name: str, authority: Authority) -> None:
    """Make an authority known; `IDENTITY_AUTHORITY` chooses it."""
    _authorities[name] = authority


def _asked(claim: Claim) -> Answer:
    """Unavailable `authority_unavailable` when it fails, is silent for 5 s or is not there."""
    name = settings.IDENTITY_AUTHORITY
    try:
        return _pool.submit(_authorities[name], claim).result(timeout=ANSWER_WITHIN_S)
    except TooLate as error:
        log.error("authority_silent", authority=name)
        raise Unavailable("authority_unavailable") from error
    except Exception as error:
        log.error("authority_failed", authority=name, error=type(error).__name__)
        raise Unavailable("authority_unavailable") from error


def _line_checked(patient: Patient, line: str) -> None:
    """A passport's machine-readable line must be whole and say the same person. Invalid `passport_line`."""
    try:
        found = mrz.passport(line, on=today())
    except rules.DocumentInvalid:
        raise Invalid("passport_line", field="passport_line") from None
    sexes = {found.sex, patient.sex} - {"0", "9"}
    if (found.number, found.birth_date) != (patient.document_number, patient.birth_date) or len(sexes) > 1:
        raise Invalid("passport_line_other", field="passport_line")
    if found.expires_on < today():
        raise Invalid("document_expired", field="passport_line")


def patient_verify(
    *, principal: Principal, patient_id: UUID, seen: str, passport_line: str = ""
) -> IdentityVerification:
    """Ask the authority about the patient's document, which `seen` says how the desk saw.

    Conflict `identity_refused` with the refusal on record; Unavailable `authority_unavailable` changes nothing.
    """
    patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="patient.verify")
    if seen not in SEEN:
        raise Invalid("invalid", field="seen")
    if passport_line.strip():
        _line_checked(patient, passport_line)
    answer = _asked(claim_of(patient))  # outside a transaction: nobody's row waits for a register
    row = _kept(principal, patient, seen, answer)
    if row.outcome == "refused":
        raise Conflict("identity_refused")
    return row


def claim_of(patient: Patient) -> Claim:
    return Claim(
        document_type=patient.document_type,
        number=patient.document_number,
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,
    )


@transaction.atomic
def _kept(principal: Principal, patient: Patient, seen: str, answer: Answer) -> IdentityVerification:
    held = Patient.objects.select_for_update(no_key=True).get(id=patient.id)
    if claim_of(held) != claim_of(patient):
        raise Conflict("identity_changed")  # corrected while the authority was thinking
    row = IdentityVerification.objects.create(
        patient=held,
        authority=settings.IDENTITY_AUTHORITY,
        outcome=answer.outcome,
        seen=seen,
        document_type=held.document_type,
        reference=answer.reference[:80],
        checked_by_id=principal.id,
    )
    held.verified_at = row.checked_at if answer.outcome == "verified" else None
    held.save(update_fields=["verified_at"])
    audit_record(
        principal=principal,
        action="patient.verify",
        object_kind="patient",
        object_id=held.id,
        institution_id=held.institution_id,
        reason=answer.outcome,
        details={"authority": row.authority, "seen": seen, "document_type": held.document_type},
    )
    return row


def verification_of(patient: Patient) -> IdentityVerification | None:
    """The check that stands behind `verified_at`; None for the unverified."""
    if patient.verified_at is None:
        return None
    rows = IdentityVerification.objects.filter(patient=patient, outcome="verified")
    return rows.order_by("-checked_at").first()

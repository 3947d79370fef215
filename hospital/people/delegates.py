"""Family and carers: one phone for many elders, each with a scope and an end, revocable by either side.

A phone number alone never opens a record: the delegate names, once, the document number of the patient.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from hospital.access.models import PatientAccount
from hospital.access.phones import phone_index, phone_normal
from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.work import work_add, worker
from hospital.messages.services import message_send

from . import rules, selectors
from .models import Delegation, Patient

READ = "read"
# scope -> what a delegate may do with it; what has no row here nobody is lent
SCOPES = {
    READ: "see exams, signed reports and pictures",
    "book": "ask for, move and cancel bookings",
    "copy": "fetch the archive of the whole record",
}
WARN_BEFORE = timedelta(days=14)  # design value: time for a visit at the desk
ENDING = "delegation.ending"
LONGEST_DAYS = 366  # design value: a family's arrangement is looked at again once a year


def delegations_active() -> Q:
    """Granted, not revoked, not over."""
    return Q(revoked_at=None, expires_at__gt=now())


def delegations_of(patient: Patient) -> QuerySet[Delegation]:
    """A patient's delegates of today, oldest first."""
    return Delegation.objects.filter(delegations_active(), patient=patient).order_by("granted_at")


def readers_of(patient_id: UUID) -> QuerySet[Delegation]:
    """Who may see this patient's exams today, and has proven on that phone whose they are."""
    rows = Delegation.objects.filter(delegations_active(), patient_id=patient_id, proven_at__isnull=False)
    return rows.filter(scopes__contains=[READ]).order_by("granted_at", "id")


def own_patient(principal: Principal, patient_id: UUID) -> Patient:
    """A patient whom this account's phone belongs to; a delegate cannot delegate further. NotFound otherwise."""
    return selectors.patient_get(principal=principal, patient_id=patient_id, action="me.delegates")


def _checked(name: str, scopes: list[str], days: int) -> None:
    try:
        rules.name_checked(name)
    except ValueError:
        raise Invalid("name_invalid", field="name") from None
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise Invalid("delegation_scope", field="scopes")
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid("delegation_days", field="days")


@transaction.atomic
def delegation_grant(
    *,
    principal: Principal,
    patient: Patient,
    name: str,
    relation: str,
    phone: str,
    scopes: list[str],
    days: int,
    paper: str = "",
) -> Delegation:
    """A delegate for a patient; staff name the paper that the patient signed.

    Invalid `delegation_scope`, `delegation_days`, `delegation_paper`, `delegation_self`; Conflict `delegation_exists`.
    """
    _checked(name, scopes, days)
    patient = selectors.held(patient)
    if principal.kind == "staff" and not paper.strip():
        raise Invalid("delegation_paper", field="paper")
    plain = phone_normal(phone)
    if phone_index(plain) == bytes(patient.phone_index):
        raise Invalid("delegation_self", field="phone")
    mine = Delegation.objects.filter(patient=patient, phone_index=phone_index(plain), revoked_at=None)
    mine.filter(expires_at__lte=now()).update(revoked_at=now(), revoked_by_kind="system")
    try:
        with transaction.atomic():
            row = Delegation.objects.create(
                patient=patient,
                name=rules.name_plain(name),
                relation=relation,
                phone=plain,
                phone_index=phone_index(plain),
                scopes=sorted(set(scopes)),
                granted_by_kind=principal.kind,
                granted_by_id=principal.id,
                paper=paper.strip(),
                expires_at=now() + timedelta(days=days),
            )
    except IntegrityError:
        raise Conflict("delegation_exists") from None
    _noted(principal, "delegation.grant", row)
    warn_at = row.expires_at - WARN_BEFORE
    if warn_at > now():
        work_add(kind=ENDING, key=str(row.id), payload={"delegation_id": str(row.id)}, due_at=warn_at)
    return row


@worker(ENDING)
def _ending(payload: dict[str, Any]) -> None:
    """Both are told while there is time to renew; a delegation that was revoked or renewed since says nothing."""
    row = (
        Delegation.objects.select_related("patient")
        .filter(delegations_active(), id=payload["delegation_id"])
        .first()
    )
    if row is None or now() < row.expires_at - WARN_BEFORE:
        return
    on = row.expires_at.astimezone(SHANGHAI).strftime("%Y-%m-%d")
    for phone in dict.fromkeys([row.patient.phone, row.phone]):
        message_send(to=phone, channel="sms", template="delegation_ends", context={"on": on})


@transaction.atomic
def delegation_revoke(*, principal: Principal, patient: Patient, delegation_id: UUID) -> None:
    """Ends at once: the delegate's next request finds nothing. NotFound for what is not this patient's."""
    _revoke(principal, Delegation.objects.filter(patient=patient, id=delegation_id))


@transaction.atomic
def delegation_give_back(*, principal: Principal, delegation_id: UUID) -> None:
    """The delegate no longer wants it. NotFound for another phone's."""
    account = PatientAccount.objects.get(id=principal.id)
    _revoke(principal, Delegation.objects.filter(phone_index=account.phone_index, id=delegation_id))


def _revoke(principal: Principal, which: QuerySet[Delegation]) -> None:
    row = which.filter(revoked_at=None).select_for_update().first()
    if row is None:
        raise NotFound()
    row.revoked_at, row.revoked_by_kind, row.revoked_by_id = now(), principal.kind, principal.id
    row.save(update_fields=["revoked_at", "revoked_by_kind", "revoked_by_id"])
    _noted(principal, "delegation.revoke", row)


def delegation_prove(*, phone: str, document_number: str) -> bool:
    """The delegate named the patient's document: from now on this phone's delegation opens. In the caller's
    transaction; False when no delegation fits."""
    fitting = Delegation.objects.filter(
        delegations_active(),
        phone_index=phone_index(phone),
        patient__in=selectors.patients_with_document(document_number),
    )
    return fitting.update(proven_at=now()) > 0


def delegation_proven(phone: str) -> bool:
    """Whether this phone opens at least one patient's record by delegation."""
    return Delegation.objects.filter(
        delegations_active(), phone_index=phone_index(phone), proven_at__isnull=False
    ).exists()


def delegations_forget(phone: str) -> None:
    """The number may have a new owner: the document must be named again."""
    Delegation.objects.filter(phone_index=phone_index(phone)).update(proven_at=None)


def _noted(principal: Principal, action: str, row: Delegation) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=row.patient_id,
        institution_id=row.patient.institution_id,
        details={"delegation": str(row.id), "scopes": row.scopes, "expires_at": row.expires_at.isoformat()},
        on_behalf_of=("patient", row.patient_id) if principal.kind == "staff" and row.paper else None,
    )

"""Writes of people: patients. Consents and the accounts of patients' phones have their own modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from hospital.access import phones
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.keeping import selectors as keeping

from . import matching, reviews, rules, search, selectors
from .accounts import patient_code_send, patient_sign_in
from .consents import consent_record, consent_take_back, consent_text_publish, consent_withdraw
from .matching import Identity
from .models import Patient, PatientInstitution, PatientSyllable

__all__ = [
    "consent_record",
    "consent_text_publish",
    "consent_withdraw",
    "patient_admit",
    "patient_code_send",
    "patient_register",
    "patient_sign_in",
]


NAMESAKES_MAX = 20


def identity_checked(
    document_type: str, number: str, name: str, birth_date: date, sex: str
) -> tuple[str, str]:
    """(name, document number) in normal form. A conflict with the number stops and asks staff (ID-04)."""
    on = today()
    try:
        plain = rules.document_checked(document_type, number, on=on)
    except rules.DocumentInvalid:
        raise Invalid("document_invalid", field="document_number") from None
    if sex not in rules.SEXES:
        raise Invalid("sex_invalid", field="sex")
    if birth_date > on or rules.age_on(birth_date, on) > rules.OLDEST_YEARS:
        raise Invalid("birth_date_invalid", field="birth_date")
    if document_type == rules.CITIZEN:
        says = rules.citizen(plain, on=on)
        if says.birth_date != birth_date or (sex in ("1", "2") and says.sex != sex):
            raise Invalid("document_conflict", field="document_number")
    try:
        return rules.name_checked(name), plain
    except ValueError:
        raise Invalid("name_invalid", field="name") from None


def _mpi() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('people_mpi')")
        row = cursor.fetchone()
    assert row is not None
    return f"P{row[0]:08d}"


def _home(principal: Principal, institution_id: UUID | None) -> UUID:
    """The registering institution: the caller's own desk, or the one named by the system."""
    if principal.kind == "system" and institution_id is not None:
        return institution_id
    desks = places(principal, "patient.register")
    if not desks or institution_id not in (None, *desks):
        raise NotFound()
    return institution_id or desks[0]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """`linked`: the person was on file with this document, name and birth date, and nothing new was made.
    `reviews_n`: how many registrations somebody will compare with this one."""

    patient: Patient
    namesakes: list[Patient]
    linked: bool = False
    reviews_n: int = 0


def _on_file(document_index: bytes) -> tuple[Patient, Patient] | None:
    """(the registration with this document, who answers for it after merges)."""
    found = Patient.objects.select_related("merged_into").filter(document_index=document_index).first()
    return (found, found.merged_into or found) if found is not None else None


def _linked(principal: Principal, patient: Patient, home: UUID) -> Registered:
    """The same person again, maybe at another hospital's desk: it sees the patient from now on."""
    if not Patient.objects.filter(selectors.known_in([home]), id=patient.id).exists():
        PatientInstitution.objects.create(patient=patient, institution_id=home, linked_by_id=principal.id)
        _noted(principal, "patient.link", patient.id, home)
    return Registered(patient=patient, namesakes=[], linked=True)


def _noted(principal: Principal, action: str, patient_id: UUID, home: UUID) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=patient_id,
        institution_id=home,
    )


def patient_register(**fields: Any) -> tuple[Patient, list[Patient]]:
    """(patient, namesakes) of `patient_admit`."""
    found = patient_admit(**fields)
    return found.patient, found.namesakes


def patient_admit(
    *,
    principal: Principal,
    name: str,
    document_type: str,
    document_number: str,
    birth_date: date,
    sex: str,
    phone: str,
    institution_id: UUID | None = None,
) -> Registered:
    """A new patient, or the one on file with the same document, name and birth date (ID-12); namesakes are those of
    the caller's institutions. Whoever else may be the same person goes to the review queue.

    Conflict `patient_exists` for a document on file under another name or birth date, with `patient_id` when that is
    the caller's to see, `patient_restricted` for one whose record is only stored; it also opens a review, kept although the registration is refused. The unique constraint
    decides between two desks at once. Invalid with the field's code for what can't be right.
    """
    name, plain = identity_checked(document_type, document_number, name, birth_date, sex)
    phone = phones.phone_normal(phone)
    home = _home(principal, institution_id)
    given = Identity(document_type=document_type, number=plain, name=name, birth_date=birth_date, phone=phone)
    try:
        return _same_again(principal, given, home, sex) or _new(principal, given, home, sex)
    except IntegrityError as error:  # another desk was faster
        found = _same_again(principal, given, home, sex)
        if found is None:
            raise error from None
        return found


def _same_again(principal: Principal, given: Identity, home: UUID, sex: str) -> Registered | None:
    """Somebody on file with this document: linked when all fits, refused and put up for review when not."""
    known = _on_file(search.document_index(given.document_type, given.number))
    if known is None:
        return None
    answering = known[1]
    if keeping.is_restricted(answering.id):  # nothing is linked, compared or said about it
        selectors.restriction_checked(principal=principal, patient_id=answering.id)
        raise Conflict("patient_exists")
    with transaction.atomic():
        # The document is that of the registration on file; the name may be the one it was corrected to.
        if any(matching.same_name_and_birth(given, reviews.identity_of(one)) for one in known):
            return _linked(principal, answering, home)
        claim = {
            "document_type": given.document_type,
            "document_number": given.number,
            "name": given.name,
            "birth_date": given.birth_date.isoformat(),
            "sex": sex,
            "phone": given.phone,
        }
        reviews.claim_open(principal=principal, patient=answering, institution_id=home, claim=claim)
    mine = selectors.patients(principal).filter(id=answering.id).exists()
    raise Conflict("patient_exists", **({"patient_id": str(answering.id)} if mine else {}))


@transaction.atomic
def _new(principal: Principal, given: Identity, home: UUID, sex: str) -> Registered:
    name, phone = given.name, given.phone
    same_name = selectors.patients(principal).filter(name_index=search.name_index(name))
    namesakes = list(same_name.order_by("mpi")[:NAMESAKES_MAX])
    patient = Patient.objects.create(
        mpi=_mpi(),
        name=name,
        name_index=search.name_index(name),
        document_type=given.document_type,
        document_number=given.number,
        document_index=search.document_index(given.document_type, given.number),
        document_tail_index=search.document_tail_index(given.number[-4:]),
        birth_date=given.birth_date,
        sex=sex,
        phone=phone,
        phone_index=phones.phone_index(phone),
        phone_tail_index=search.phone_tail_index(phone[-4:]),
        institution_id=home,
        created_by_id=principal.id,
    )
    syllables_write(patient)
    _noted(principal, "patient.register", patient.id, home)
    opened = reviews.duplicates_look(principal=principal, patient=patient)
    return Registered(patient=patient, namesakes=namesakes, reviews_n=len(opened))


def consent_withdraw_own(*, principal: Principal, consent_id: UUID) -> None:
    """The patient takes a consent back from the phone. NotFound for others' and for what was withdrawn already."""
    consent_take_back(principal=principal, action="me.consents", consent_id=consent_id, reason="patient")


def syllables_write(patient: Patient) -> None:
    """Index the name by sound, in place of what was there."""
    PatientSyllable.objects.filter(patient=patient).delete()
    PatientSyllable.objects.bulk_create(
        PatientSyllable(patient=patient, index=search.syllable_index(part))
        for part in search.syllables(patient.name)
    )

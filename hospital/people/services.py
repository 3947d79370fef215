"""Writes of people: patients. Consents and the accounts of patients' phones have their own modules."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from hospital.access import phones
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import today
from hospital.common.errors import Conflict, Invalid, NotFound

from . import rules, search, selectors
from .accounts import patient_code_send, patient_sign_in
from .consents import consent_record, consent_text_publish, consent_withdraw
from .models import Patient, PatientSyllable

__all__ = [
    "consent_record",
    "consent_text_publish",
    "consent_withdraw",
    "patient_code_send",
    "patient_register",
    "patient_sign_in",
]


NAMESAKES_MAX = 20


def _checked(document_type: str, number: str, name: str, birth_date: date, sex: str) -> tuple[str, str]:
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


def _exists(principal: Principal, document_index: bytes) -> Conflict | None:
    """The error for a document on file; it names the patient only to those who may read the record."""
    known = Patient.objects.filter(document_index=document_index).first()
    if known is None:
        return None
    mine = selectors.patients(principal).filter(id=known.id).exists()
    return Conflict("patient_exists", **({"patient_id": str(known.id)} if mine else {}))


@transaction.atomic
def patient_register(
    *,
    principal: Principal,
    name: str,
    document_type: str,
    document_number: str,
    birth_date: date,
    sex: str,
    phone: str,
    institution_id: UUID | None = None,
) -> tuple[Patient, list[Patient]]:
    """(new patient, namesakes on file in the caller's institutions).

    Conflict `patient_exists` for a known document, with `patient_id` when it is the caller's to see; the unique
    constraint decides between two desks at once. Invalid with the field's code for what can't be right.
    """
    name, plain = _checked(document_type, document_number, name, birth_date, sex)
    phone = phones.phone_normal(phone)
    index = search.document_index(document_type, plain)
    home = _home(principal, institution_id)
    if refusal := _exists(principal, index):
        raise refusal
    same_name = selectors.patients(principal).filter(name_index=search.name_index(name))
    namesakes = list(same_name.order_by("mpi")[:NAMESAKES_MAX])
    try:
        with transaction.atomic():
            patient = Patient.objects.create(
                mpi=_mpi(),
                name=name,
                name_index=search.name_index(name),
                document_type=document_type,
                document_number=plain,
                document_index=index,
                document_tail_index=search.document_tail_index(plain[-4:]),
                birth_date=birth_date,
                sex=sex,
                phone=phone,
                phone_index=phones.phone_index(phone),
                phone_tail_index=search.phone_tail_index(phone[-4:]),
                institution_id=home,
                created_by_id=principal.id,
            )
    except IntegrityError as error:
        raise _exists(principal, index) or error from None
    PatientSyllable.objects.bulk_create(
        PatientSyllable(patient=patient, index=search.syllable_index(part)) for part in search.syllables(name)
    )
    audit_record(
        principal=principal,
        action="patient.register",
        object_kind="patient",
        object_id=patient.id,
        institution_id=home,
    )
    return patient, namesakes

"""Writes of people: patients, their phones' accounts, consents and their texts."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import date
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from hospital.access import services as access_services
from hospital.access.models import AccessToken
from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import now, today
from hospital.common.errors import Conflict, Invalid, NotFound, Unauthenticated

from . import rules, search
from .models import AccountPatient, Consent, ConsentText, Patient, PatientSyllable

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
DESK_ROLES = ("scheduler", "nurse", "assistant")


def _checked(document_type: str, number: str, name: str, birth_date: date, sex: str) -> tuple[str, str]:
    """(name, document number) in normal form. A conflict with the number stops and asks staff (ID-04)."""
    on = today()
    try:
        plain = rules.document_checked(document_type, number, on=on)
    except rules.DocumentInvalid:
        raise Invalid("document_invalid", field="document_number") from None
    if sex not in rules.SEXES:
        raise Invalid("sex_invalid", field="sex")
    if birth_date > on or on.year - birth_date.year > rules.OLDEST_YEARS:
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
    desks = [place for place, role in principal.memberships if role in DESK_ROLES]
    if not desks or institution_id not in (None, *desks):
        raise NotFound()
    return institution_id or desks[0]


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
    """(new patient, namesakes already on file). Conflict `patient_exists` with `patient_id` for a known document."""
    name, plain = _checked(document_type, document_number, name, birth_date, sex)
    phone = access_services.phone_normal(phone)
    index = search.document_index(document_type, plain)
    home = _home(principal, institution_id)
    known = Patient.objects.filter(document_index=index).first()
    if known is not None:
        raise Conflict("patient_exists", patient_id=str(known.id))
    namesakes = list(Patient.objects.filter(name_index=search.name_index(name)).order_by("mpi")[:20])
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
                phone_index=access_services.phone_index(phone),
                phone_tail_index=search.phone_tail_index(phone[-4:]),
                institution_id=home,
                created_by_id=principal.id,
            )
    except IntegrityError:
        known = Patient.objects.get(document_index=index)
        raise Conflict("patient_exists", patient_id=str(known.id)) from None
    PatientSyllable.objects.bulk_create(
        PatientSyllable(patient=patient, index=search.syllable_index(part)) for part in search.syllables(name)
    )
    audit_record(
        principal=principal, action="patient.register", object_kind="patient", object_id=patient.id, institution_id=home
    )
    return patient, namesakes


def patient_sign_in(*, phone: str, code: str, document_number: str) -> tuple[str, AccessToken]:
    """A token for the phone's account. The first time, and for each further patient, a document number proves
    that the phone is that patient's: the phone alone opens no record."""
    code_id = access_services.code_check(phone=phone, code=code)
    phone = access_services.phone_normal(phone)
    with transaction.atomic():
        patient = _patient_proven(phone, document_number) if document_number.strip() else None
        linked = AccountPatient.objects.filter(account__phone_index=access_services.phone_index(phone))
        if patient is None and not linked.exists():
            raise Invalid("document_required", field="document_number")
        token, row = access_services.code_consume(code_id=code_id, phone=phone)
        if patient is not None:
            AccountPatient.objects.get_or_create(account_id=row.account_id, patient=patient)
    return token, row


def _patient_proven(phone: str, document_number: str) -> Patient:
    plain = rules.document_normal(document_number)
    if len(plain) == 15 and plain.isdigit():
        plain = rules.citizen_from_15(plain)
    keys = [search.document_index(kind, plain) for kind in rules.DOCUMENT_TYPES]
    found = Patient.objects.filter(document_index__in=keys, phone_index=access_services.phone_index(phone)).first()
    if found is None:
        raise Unauthenticated("code_invalid")
    return found


@transaction.atomic
def consent_text_publish(*, kind: str, version: str, body_zh: str, body_en: str) -> ConsentText:
    digest = hashlib.sha256(f"{body_zh}\n\n{body_en}".encode()).hexdigest()
    return ConsentText.objects.create(kind=kind, version=version, body_zh=body_zh, body_en=body_en, sha256=digest)


def _signature(png_base64: str) -> str:
    """The picture as it came, if it is a PNG."""
    plain = png_base64.removeprefix("data:image/png;base64,")
    try:
        data = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data.startswith(PNG_MAGIC):
        raise Invalid("signature_invalid", field="signature_png")
    return plain


@transaction.atomic
def consent_record(
    *,
    principal: Principal,
    patient_id: UUID,
    kind: str,
    exam_id: UUID,
    text_version: str,
    given_by: str,
    method: str,
    guardian_name: str = "",
    guardian_relation: str = "",
    signature_png: str = "",
    witness_name: str = "",
) -> Consent:
    """One written consent (LAW-21): of the newest text, by the patient or a guardian, with signature or witness."""
    newest = ConsentText.objects.filter(kind=kind).order_by("-published_at").first()
    if newest is None or newest.version != text_version:
        raise Invalid("consent_text_unknown", current=newest.version if newest else None)
    if given_by == "guardian" and not (guardian_name.strip() and guardian_relation.strip()):
        raise Invalid("consent_guardian_missing")
    if not (signature_png if method == "signature" else witness_name.strip()):
        raise Invalid("consent_proof_missing")
    try:
        with transaction.atomic():
            return Consent.objects.create(
                patient_id=patient_id,
                kind=kind,
                exam_id=exam_id,
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


@transaction.atomic
def consent_withdraw(*, principal: Principal, exam_id: UUID, kind: str, reason: str) -> None:
    """Withdrawal acts on the next request; what was done before stays lawful (PIPL 15)."""
    active = Consent.objects.filter(exam_id=exam_id, kind=kind, withdrawn_at=None)
    if not active.update(withdrawn_at=now(), withdrawn_reason=reason):
        raise NotFound()

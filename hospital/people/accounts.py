"""The accounts of patients' phones: sign-in with a one-time code, and whom an account may speak for.

A phone alone opens no record: each patient is linked once, by the document number that only they and their family
know. A number that was not used for half a year may have a new owner: everything is proven again.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from hospital.access.models import AccessToken, PatientAccount
from hospital.access.patient_codes import code_check, code_consume, code_send
from hospital.access.phones import phone_index, phone_normal
from hospital.access.principals import NOBODY, Principal
from hospital.access.refresh import family_begin
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import DomainError, Invalid, Unauthenticated

from . import delegates, selectors
from .models import AccountPatient, Delegation, Patient

PROVEN_AGAIN_AFTER = timedelta(days=180)  # design value; carriers give numbers away after 90 days


def patient_code_send(*, phone: str, channel: str, address: str) -> int:
    """Life of the code in seconds; the same for phones known and unknown, but only patients' phones get a message."""
    phone = phone_normal(phone)
    mine = selectors.readable().filter(phone_index=phone_index(phone))
    lent = Delegation.objects.filter(delegates.delegations_active(), phone_index=phone_index(phone))
    known = mine.exists() or lent.exists()
    return code_send(phone=phone, channel=channel, address=address, deliver=known)


def patient_sign_in(*, phone: str, code: str, document_number: str) -> tuple[str, AccessToken, str]:
    """(access token of 30 minutes, its row, refresh token) for the phone's account.

    Unauthenticated `code_invalid`; Invalid `document_required`.
    """
    phone = phone_normal(phone)
    try:
        code_id = code_check(phone=phone, code=code)
        with transaction.atomic():
            named = bool(document_number.strip())
            patient = patient_proven(phone, document_number) if named else None
            if not named and not phone_linked(phone):
                raise Invalid("document_required", field="document_number")
            token, row = code_consume(code_id=code_id, phone=phone)
            account_link(row, patient)
            following = family_begin(row=row)
    except DomainError as error:
        audit_record(
            principal=NOBODY,
            action="auth.patient_sign_in",
            object_kind="account",
            object_id=None,
            outcome="refused",
            reason=error.code,
        )
        raise
    return token, row, following


def _account(phone: str) -> PatientAccount | None:
    """The phone's account, unless nobody used it for so long that it may be another person's phone."""
    fresh = now() - PROVEN_AGAIN_AFTER
    return PatientAccount.objects.filter(phone_index=phone_index(phone), last_sign_in_at__gt=fresh).first()


def phone_linked(phone: str) -> bool:
    account = _account(phone)
    if account is None:
        AccountPatient.objects.filter(account__phone_index=phone_index(phone)).delete()
        delegates.delegations_forget(phone)
        return False
    return selectors.own_patients(account.id).exists() or delegates.delegation_proven(phone)


def account_link(row: AccessToken, patient: Patient | None) -> None:
    assert row.account_id is not None
    if patient is not None:
        AccountPatient.objects.get_or_create(account_id=row.account_id, patient=selectors.held(patient))
    actor = Principal(kind="patient", id=row.account_id, name="", memberships=(), token_id=row.id)
    audit_record(
        principal=actor,
        action="auth.patient_sign_in",
        object_kind="account",
        object_id=row.account_id,
        details={"linked": str(patient.id)} if patient else {},
    )


def patient_proven(phone: str, document_number: str) -> Patient | None:
    """The patient with this document and this phone, None for a delegate who named the patient's document.

    A wrong document is answered like a wrong code.
    """
    phone_linked(phone)  # ends what an earlier owner of the number had
    theirs = Q(phone_index=phone_index(phone)) | Q(aliases__phone_index=phone_index(phone))
    found = selectors.patients_with_document(document_number).filter(theirs).first()
    lent = delegates.delegation_prove(phone=phone, document_number=document_number)
    if found is None and not lent:
        raise Unauthenticated("code_invalid")
    return found

"""Patients signing in by a city's identity provider: its checked phone and document stand for our code and document.

What opens a record is the same as by one-time code: a phone that is the patient's here, and once the document number.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from hospital.access import providers
from hospital.access.models import AccessToken, IdentityProvider
from hospital.access.patient_codes import account_sign_in
from hospital.access.phones import phone_normal
from hospital.access.principals import NOBODY
from hospital.access.refresh import family_begin
from hospital.audit.services import audit_record
from hospital.common.errors import DomainError, Invalid, Unauthenticated

from .accounts import account_link, patient_proven, phone_linked


def city_begin(*, provider_id: UUID, redirect_uri: str, binding: str) -> str:
    """Where the app sends the person; `binding` is the app's own secret, asked for again at the end."""
    return providers.provider_begin(
        provider_id=provider_id, kind="city", redirect_uri=redirect_uri, binding=binding
    )


def city_sign_in(*, state: str, code: str, binding: str, issuer: str) -> tuple[str, AccessToken, str]:
    """(access token of 30 minutes, its row, refresh token).

    Unauthenticated `provider_refused`, `phone_not_verified`, `city_no_match`; Invalid `document_required` when only
    a phone is known and nobody proved a document from it before; Unavailable `provider_unavailable`.
    """
    try:
        provider, claims = providers.provider_finish(
            kind="city", state=state, code=code, binding=binding, issuer=issuer
        )
        return _opened(provider, claims)
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


def _phone(claims: dict[str, Any]) -> str:
    if claims.get("phone_number_verified") is not True or not isinstance(claims.get("phone_number"), str):
        raise Unauthenticated("phone_not_verified")
    return phone_normal(claims["phone_number"])


@transaction.atomic
def _opened(provider: IdentityProvider, claims: dict[str, Any]) -> tuple[str, AccessToken, str]:
    phone = _phone(claims)
    document = claims.get(provider.document_claim) if provider.document_claim else None
    patient = None
    if isinstance(document, str) and document.strip():
        try:
            patient = patient_proven(phone, document)
        except Unauthenticated as error:
            raise Unauthenticated("city_no_match") from error
    elif not phone_linked(phone):
        raise Invalid("document_required", field="document_number")
    token, row = account_sign_in(phone=phone)
    account_link(row, patient)
    return token, row, family_begin(row=row)

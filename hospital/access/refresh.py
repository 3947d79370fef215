"""Patients' rotating refresh tokens: an app stays signed in for a month, a stolen token is found out at its second use."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Unauthenticated
from hospital.common.ids import uuid7
from hospital.common.locks import limit_lock_wait

from .models import AccessToken, PatientAccount, RefreshToken
from .principals import Principal
from .services import PATIENT_LIFE, digest_of, token_issue
from .sessions import family_end

REFRESH_LIFE = timedelta(days=30)  # design value: an app opened less than once a month asks for a new code


def family_begin(*, row: AccessToken) -> str:
    """The first refresh token of a fresh sign-in, in its transaction."""
    assert row.account_id is not None
    row.family = uuid7()
    row.save(update_fields=["family"])
    return _issue(account_id=row.account_id, family=row.family)


def _issue(*, account_id: UUID, family: UUID) -> str:
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        digest=digest_of(token), account_id=account_id, family=family, expires_at=now() + REFRESH_LIFE
    )
    return token


def refresh_exchange(*, refresh: str) -> tuple[str, AccessToken, str]:
    """(access token, its row, next refresh token). Unauthenticated `refresh_invalid`.

    A token that was exchanged before is either stolen or was stolen from: its whole family ends, and that stays
    although the caller gets an error.
    """
    with transaction.atomic():
        limit_lock_wait()
        row = RefreshToken.objects.select_for_update().filter(digest=digest_of(refresh)).first()
        good = row is not None and row.revoked_at is None and row.used_at is None and row.expires_at > now()
        if row is not None and good:
            return _rotate(row)
        if row is not None and row.used_at is not None:
            _reused(row)
    raise Unauthenticated("refresh_invalid")


def _rotate(row: RefreshToken) -> tuple[str, AccessToken, str]:
    row.used_at = now()
    row.save(update_fields=["used_at"])
    account = PatientAccount.objects.get(id=row.account_id)
    # One access token of a family at a time: the one before ends now, not in half an hour.
    AccessToken.objects.filter(family=row.family, revoked_at=None).update(revoked_at=now())
    token, access = token_issue(life=PATIENT_LIFE, account=account)
    access.family = row.family
    access.save(update_fields=["family"])
    return token, access, _issue(account_id=row.account_id, family=row.family)


def _reused(row: RefreshToken) -> None:
    family_end(family=row.family)
    owner = Principal(kind="patient", id=row.account_id, name="", memberships=(), token_id=None)
    audit_record(
        principal=owner,
        action="auth.refresh",
        object_kind="account",
        object_id=row.account_id,
        outcome="refused",
        reason="refresh_reused",
    )

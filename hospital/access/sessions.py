"""The life of a sign-in after it began: use, idle end, the list of one's sessions, revoking, changing the password."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Invalid, NotFound

from .models import AccessToken, RefreshToken, Role, User
from .principals import Principal
from .selectors import not_idle

# SEC-02: an operator's screen stands beside a patient, so it ends sooner; design values of the access rules.
IDLE_OPERATOR, IDLE_STAFF = timedelta(minutes=10), timedelta(minutes=30)
OPERATORS = frozenset({Role.REMOTE_PHYSICIAN.value, Role.BEDSIDE_PHYSICIAN.value})
TOUCH_EVERY = timedelta(seconds=30)  # a write per request would cost more than the precision is worth
PASSWORD_MIN, PASSWORD_LIFE = 10, timedelta(days=90)  # SEC-01: periodic change; 90 days is usual
_COMMON = CommonPasswordValidator()


def idle_s_of(roles: Iterable[str]) -> int:
    """Seconds without use after which the sign-in of somebody with these roles ends."""
    return int((IDLE_STAFF if OPERATORS.isdisjoint(roles) else IDLE_OPERATOR).total_seconds())


def token_touch(*, token_id: UUID | None, used_at: datetime | None = None) -> None:
    """Note that somebody is there. Only a person's deeds and live pages call this, never a page's own polling.

    `used_at` is when they were there last, for who has just read it.
    """
    late = now() - TOUCH_EVERY
    if token_id is not None and (used_at is None or used_at < late):
        AccessToken.objects.filter(id=token_id, last_used_at__lt=late).update(last_used_at=now())


def _mine(principal: Principal) -> QuerySet[AccessToken]:
    owner = {"user_id" if principal.kind == "staff" else "account_id": principal.id}
    return AccessToken.objects.filter(not_idle(now()), revoked_at=None, expires_at__gt=now(), **owner)


def sessions_of(principal: Principal) -> list[dict[str, Any]]:
    """The caller's own open sign-ins, newest use first."""
    return [
        {
            "id": str(row.id),
            "began_at": row.created_at.isoformat(),
            "last_used_at": row.last_used_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
            "address": row.address,
            "agent": row.agent,
            "current": row.id == principal.token_id,
        }
        for row in _mine(principal).order_by("-last_used_at")
    ]


@transaction.atomic
def session_revoke(*, principal: Principal, session_id: UUID) -> None:
    """End one of one's own sign-ins, with what refreshes it. NotFound for anybody else's."""
    row = _mine(principal).filter(id=session_id).select_for_update().first()
    if row is None:
        raise NotFound()
    _end(AccessToken.objects.filter(id=row.id))
    if row.family is not None:
        family_end(family=row.family)
    audit_record(
        principal=principal, action="auth.session_revoke", object_kind="session", object_id=session_id
    )


def family_end(*, family: UUID) -> None:
    """End every access and refresh token that descends from one sign-in."""
    _end(AccessToken.objects.filter(family=family))
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=now())


def _end(rows: QuerySet[AccessToken]) -> None:
    rows.filter(revoked_at=None).update(revoked_at=now())


def sessions_end(*, user_id: UUID) -> None:
    """End every sign-in of a member of staff; in the caller's transaction."""
    _end(AccessToken.objects.filter(user_id=user_id))


def others_end(*, user_id: UUID, keep: UUID) -> None:
    """End every sign-in of a member of staff but this one; in the caller's transaction."""
    _end(AccessToken.objects.filter(user_id=user_id).exclude(id=keep))


def password_old(user: User) -> bool:
    """Whether the password is older than SEC-01 allows."""
    return user.password_set_at < now() - PASSWORD_LIFE


def password_check(*, password: str, username: str, before: str | None = None) -> None:
    """Invalid `password_weak` for short, common or name-like passwords, `password_same` for the old one again."""
    weak = len(password) < PASSWORD_MIN or username.casefold() in password.casefold()
    try:
        _COMMON.validate(password)
    except ValidationError:
        weak = True
    if weak:
        raise Invalid("password_weak", field="new_password")
    if before is not None and check_password(password, before):
        raise Invalid("password_same", field="new_password")


def password_set(*, user: User, password: str, keep: UUID | None = None) -> None:
    """Store a checked password and end the person's other sign-ins; in the caller's transaction."""
    User.objects.filter(id=user.id).update(password=make_password(password), password_set_at=now())
    others = AccessToken.objects.filter(user=user)
    _end(others if keep is None else others.exclude(id=keep))

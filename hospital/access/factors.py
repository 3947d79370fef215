"""The second factor, whichever it is, and the count of failures that locks an account."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.crypto import blind_index
from hospital.common.errors import TooMany

from . import keys
from . import totp as one_time
from .keys import Deed, Touch
from .models import UnknownName, User
from .principals import Principal

LOCK_AFTER_N, LOCKED_FOR = 5, timedelta(minutes=30)  # SEC-02, usual values


@dataclass(frozen=True, kw_only=True)
class Given:
    """What somebody gave as second factor: a TOTP code or a touch of a key, and what the touch was asked for."""

    code: str = ""
    touch: Touch | None = None
    purpose: str = "sign_in"
    token_id: UUID | None = None
    deed: Deed | None = None

    @property
    def method(self) -> str:
        return "key" if self.touch is not None else "totp"


def unlocked(row: User | UnknownName) -> bool:
    return row.locked_until is None or row.locked_until <= now()


def locked_error(row: User | UnknownName) -> TooMany:
    assert row.locked_until is not None
    left_s = max(1, int((row.locked_until - now()).total_seconds()))
    return TooMany("locked", until=row.locked_until.isoformat(), retry_after_s=left_s)


def _failed(row: User | UnknownName) -> None:
    row.failed_n += 1
    if row.failed_n >= LOCK_AFTER_N:
        row.failed_n, row.locked_until = 0, now() + LOCKED_FOR


def name_unknown(username: str) -> UnknownName | None:
    """Count a try at a name nobody has, in the caller's transaction; the row when it was locked already."""
    digest = blind_index("unknown_name", username)
    UnknownName.objects.bulk_create([UnknownName(digest=digest)], ignore_conflicts=True)
    row = UnknownName.objects.select_for_update().get(digest=digest)
    if not unlocked(row):
        return row
    _failed(row)
    row.last_at = now()
    row.save(update_fields=["failed_n", "locked_until", "last_at"])
    return None


def proven(user: User, given: Given, *, password: str | None) -> bool:
    """Check both under the caller's row lock; use up the code's step or the challenge, or count the failure."""
    known = password is None or check_password(password, user.password)
    if given.touch is not None:
        good = known & keys.touch_holds(
            user=user, touch=given.touch, purpose=given.purpose, token_id=given.token_id, deed=given.deed
        )
    else:
        step = _totp_step(user, given.code)
        good = known and step is not None
        if known and step is not None:
            user.totp_last_step = step
    if good:
        user.failed_n, user.locked_until = 0, None
    else:
        _failed(user)
    user.save(update_fields=["totp_last_step", "failed_n", "locked_until"])
    return good


def _totp_step(user: User, code: str) -> int | None:
    if not user.totp_secret:  # an empty secret would make codes that anybody can compute
        return None
    return one_time.matching_step(user.totp_secret, code, now_s=time.time(), after=user.totp_last_step)


def refused(actor: Principal, action: str, user: User | None, reason: str) -> None:
    audit_record(
        principal=actor,
        action=action,
        object_kind="user",
        object_id=user.id if user else None,
        outcome="refused",
        reason=reason,
    )

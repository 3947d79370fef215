"""How a person first gets into an account, or again after losing a factor: one code, once, within a day.

A new account gets its code from the system administrator. A reset is asked for by the system administrator and given
out by the security administrator: neither can take over an account alone.
"""

from __future__ import annotations

import hmac
import secrets
import time
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from hospital.common.locks import limit_lock_wait

from . import selectors, sessions
from . import totp as one_time
from .models import Activation, SecurityKey, User
from .new_totp import otpauth
from .principals import NOBODY, Principal
from .services import digest_of

CODE_LIFE = timedelta(hours=24)  # design value: the person signs in on the day the code is handed over
TRIES_MAX = 5
# Without letters and digits that look alike on paper.
ALPHABET, GROUPS_N, GROUP_LEN = "ABCDEFGHJKMNPQRSTUVWXYZ23456789", 4, 4


def _digest(code: str) -> bytes:
    return digest_of("".join(code.upper().split()).replace("-", ""))


def _new_code() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LEN)) for _ in range(GROUPS_N))
    return "-".join(groups)


def code_give(*, row: Activation) -> str:
    """A fresh code for this activation, told once; only its digest stays. In the caller's transaction."""
    code = _new_code()
    row.code_digest, row.expires_at, row.attempts = _digest(code), now() + CODE_LIFE, 0
    row.totp_secret = one_time.new_secret()
    row.save(update_fields=["code_digest", "expires_at", "attempts", "totp_secret"])
    return code


def activation_open(*, user: User, purpose: str, by: UUID) -> Activation:
    """A row without a code yet. Older ones of this person that were not used are over."""
    Activation.objects.filter(user=user, used_at=None, closed_at=None).update(closed_at=now())
    return Activation.objects.create(user=user, purpose=purpose, asked_by_id=by)


@transaction.atomic
def reset_approve(*, principal: Principal, row: Activation) -> str:
    """The second person's yes; the code. Conflict `reset_over`, Forbidden `own_account` or `two_people`."""
    found = Activation.objects.select_for_update().get(id=row.id)
    if found.approved_at is not None or found.closed_at is not None:
        raise Conflict("reset_over")
    if found.user_id == principal.id:
        raise Forbidden("own_account")
    if found.asked_by_id == principal.id:
        raise Forbidden("two_people")
    found.approved_by_id, found.approved_at = principal.id, now()
    found.save(update_fields=["approved_by", "approved_at"])
    code = code_give(row=found)
    audit_record(
        principal=principal, action="admin.reset_approve", object_kind="user", object_id=found.user_id
    )
    return code


def _open_row(username: str, code: str) -> Activation | None:
    """The activation this code opens, locked; a wrong code counts. None: the answer never says why."""
    row = (
        Activation.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(
            user__username=username.replace("\0", ""),
            used_at=None,
            closed_at=None,
            expires_at__gt=now(),
            attempts__lt=TRIES_MAX,
        )
        .order_by("-created_at")
        .first()
    )
    if row is None or row.code_digest is None:
        return None
    if hmac.compare_digest(bytes(row.code_digest), _digest(code)):
        return row
    row.attempts += 1
    row.save(update_fields=["attempts"])
    audit_record(
        principal=NOBODY,
        action="auth.activate",
        object_kind="user",
        object_id=row.user_id,
        outcome="refused",
        reason="activation_invalid",
    )
    return None


def activation_begin(*, username: str, code: str) -> tuple[str, str]:
    """(secret, otpauth address) for the person's authenticator. Unauthenticated `activation_invalid`."""
    with transaction.atomic():
        limit_lock_wait()
        row = _open_row(username, code)
    if row is None:
        raise Unauthenticated("activation_invalid")
    return row.totp_secret, otpauth(row.user.username, row.totp_secret)


def activation_finish(*, username: str, code: str, password: str, totp: str) -> None:
    """Set both factors at once, proven by a first code; all earlier sign-ins end.

    Unauthenticated `activation_invalid`, Invalid `password_weak` or `totp_wrong`.
    """
    sessions.password_check(password=password, username=username)
    with transaction.atomic():
        limit_lock_wait()
        row = _open_row(username, code)
        if row is not None:
            _finish(row, password, totp)
    if row is None:
        raise Unauthenticated("activation_invalid")


def _finish(row: Activation, password: str, totp: str) -> None:
    step = one_time.matching_step(row.totp_secret, totp, now_s=time.time(), after=0)
    if step is None:
        raise Invalid("totp_wrong", field="totp")
    user = User.objects.select_for_update().get(id=row.user_id)
    if user.deactivated_at is not None:
        raise NotFound()
    user.password, user.password_set_at = make_password(password), now()
    user.totp_secret, user.totp_last_step = row.totp_secret, step
    user.failed_n, user.is_active, user.active_since = 0, True, now()
    user.save()
    row.used_at, row.totp_secret = now(), ""
    row.save(update_fields=["used_at", "totp_secret"])
    SecurityKey.objects.filter(user=user).delete()  # whoever lost a factor may have lost this one too
    sessions.sessions_end(user_id=user.id)
    actor = selectors.principal_of_user(user)
    audit_record(
        principal=actor, action="auth.activate", object_kind="user", object_id=user.id, reason=row.purpose
    )

"""How somebody changes to another authenticator: with a fresh proof, and a code of the new one before the old one goes.

The proof is the old authenticator's code or a touch of a security key; who has neither goes by the reset of two people.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from django.db import transaction

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid
from hospital.common.locks import limit_lock_wait

from . import sessions
from . import totp as one_time
from .keys import Deed
from .models import NewTotp, User
from .principals import Principal
from .proofs import proof_consume, token_id_of

CHANGE = Deed(action="auth.totp")
LIFE, TRIES_MAX = timedelta(minutes=10), 5  # design values, as of a step-up and of an activation
ISSUER = "Internet Hospital"


def otpauth(username: str, secret: str) -> str:
    """What authenticators read: the Key URI format, with its defaults of SHA-1, six digits and 30 s."""
    return f"otpauth://totp/{quote(f'{ISSUER}:{username}')}?secret={secret}&issuer={quote(ISSUER)}"


@transaction.atomic
def totp_change_begin(*, principal: Principal) -> tuple[str, str, datetime]:
    """(secret, otpauth address, its end), told once; one asked for before is over. Forbidden `proof_required`."""
    limit_lock_wait()
    user = User.objects.select_for_update().get(id=principal.id)
    proof_consume(principal=principal, deed=CHANGE)
    secret, ends = one_time.new_secret(), now() + LIFE
    fresh = {"token_id": token_id_of(principal), "secret": secret, "attempts": 0, "expires_at": ends}
    NewTotp.objects.update_or_create(user=user, defaults=fresh)
    _noted(principal, "auth.totp_begin")
    return secret, otpauth(user.username, secret), ends


def totp_change_confirm(*, principal: Principal, code: str) -> None:
    """The new authenticator counts from here, the old one no more; the person's other sign-ins end.

    Conflict `totp_change_over` for none that was asked for here or is still open, Invalid `totp_wrong`.
    """
    with transaction.atomic():
        limit_lock_wait()
        good = _confirmed(principal, token_id_of(principal), code)
    if not good:
        raise Invalid("totp_wrong", field="totp")


def _confirmed(principal: Principal, token_id: UUID, code: str) -> bool:
    """The person's row decides between two confirmations at once; a wrong code counts."""
    user = User.objects.select_for_update().get(id=principal.id)
    row = NewTotp.objects.filter(
        user=user, token_id=token_id, expires_at__gt=now(), attempts__lt=TRIES_MAX
    ).first()
    if row is None:
        raise Conflict("totp_change_over")
    step = one_time.matching_step(row.secret, code, now_s=time.time(), after=0)
    if step is None:
        row.attempts += 1
        row.save(update_fields=["attempts"])
        _noted(principal, "auth.totp_change", outcome="refused", reason="totp_wrong")
        return False
    user.totp_secret, user.totp_last_step = row.secret, step
    user.save(update_fields=["totp_secret", "totp_last_step"])
    row.delete()
    sessions.others_end(user_id=user.id, keep=token_id)
    _noted(principal, "auth.totp_change")
    return True


def _noted(principal: Principal, action: str, *, outcome: str = "done", reason: str = "") -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="user",
        object_id=principal.id,
        outcome=outcome,
        reason=reason,
    )

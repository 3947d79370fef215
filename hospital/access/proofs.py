"""Fresh proofs of identity: how long ago somebody proved who they are, and the one deed a proof is used up by."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Forbidden
from hospital.common.locks import limit_lock_wait

from .factors import Given, locked_error, proven, refused, unlocked
from .keys import Deed, Touch
from .models import AccessToken, Proof, User
from .principals import Principal

PROOF_LIFE = timedelta(minutes=10)
# Design value: the page asks for the touch and does the deed in one go.
BOUND_PROOF_LIFE = timedelta(minutes=2)


def token_id_of(principal: Principal) -> UUID:
    """Robots and the system have no token, so they can neither sign nor open a page's socket."""
    if principal.token_id is None:
        raise Forbidden("not_permitted")
    return principal.token_id


def step_up(
    *, principal: Principal, code: str = "", touch: Touch | None = None, deed: Deed | None = None
) -> datetime:
    """A fresh proof of identity on this sign-in; returns its end. Good for one signature within 10 minutes, or with
    a `deed` for that one deed within 2.

    Forbidden `bad_credentials` for a wrong or used code or touch, TooMany `locked`: failures count as at sign-in.
    """
    deed = deed or Deed()
    given = Given(code=code, touch=touch, purpose="proof", token_id=token_id_of(principal), deed=deed)
    with transaction.atomic():
        limit_lock_wait()
        user = User.objects.select_for_update().get(id=principal.id)
        locked = not unlocked(user)
        good = not locked and proven(user, given, password=None)
        if good:
            ends = _kept(principal, given, deed)
            audit_record(
                principal=principal,
                action="auth.step_up",
                object_kind="user",
                object_id=user.id,
                details={"method": given.method} | ({"for": deed.action} if deed.action else {}),
            )
        else:
            refused(principal, "auth.step_up", user, "locked" if locked else "bad_credentials")
    if locked:
        raise locked_error(user)
    if not good:
        raise Forbidden("bad_credentials")
    return ends


def _kept(principal: Principal, given: Given, deed: Deed) -> datetime:
    mine = AccessToken.objects.filter(id=token_id_of(principal))
    if not deed.action:
        mine.update(stepped_up_at=now(), proven_at=now())
        return now() + PROOF_LIFE
    mine.update(proven_at=now())
    ends = now() + BOUND_PROOF_LIFE
    Proof.objects.create(
        token_id=token_id_of(principal),
        action=deed.action,
        object_id=deed.object_id,
        version=deed.version,
        method=given.method,
        expires_at=ends,
    )
    return ends


def proof_consume(*, principal: Principal, deed: Deed | None = None) -> None:
    """Use up a proof, once; Forbidden `proof_required` when there is none that is fresh and good for the deed.

    In the caller's transaction: a signature that is rolled back leaves the proof unused.
    """
    mine = AccessToken.objects.filter(id=token_id_of(principal), revoked_at=None)
    if deed is not None and mine.exists() and _bound_consumed(principal, deed):
        return
    if not mine.filter(stepped_up_at__gt=now() - PROOF_LIFE).update(stepped_up_at=None):
        raise Forbidden("proof_required")


def _bound_consumed(principal: Principal, deed: Deed) -> bool:
    """One UPDATE decides between two deeds with one proof."""
    fresh = Proof.objects.filter(
        token_id=principal.token_id,
        action=deed.action,
        object_id=deed.object_id,
        version=deed.version,
        used_at=None,
        expires_at__gt=now(),
    )
    first = fresh.order_by("created_at").values("id")[:1]
    return bool(Proof.objects.filter(id__in=first, used_at=None).update(used_at=now()))


def recently_proven(*, principal: Principal) -> None:
    """Forbidden `step_up_required` when both factors, or a step-up, were last seen more than 10 minutes ago."""
    fresh = AccessToken.objects.filter(
        id=token_id_of(principal), revoked_at=None, proven_at__gt=now() - PROOF_LIFE
    )
    if not fresh.exists():
        raise Forbidden("step_up_required")

"""Accounts nobody uses end by themselves (SEC-05)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import NotFound
from hospital.common.locks import limit_lock_wait

from .models import AccessToken, User
from .principals import SYSTEM, Principal


def is_stale(user: User) -> bool:
    """Unused for longer than STALE_AFTER_DAYS; also before `accounts_expire` has come by."""
    last = max(filter(None, (user.active_since, user.last_sign_in_at)))
    return bool(settings.STALE_AFTER_DAYS) and last < now() - timedelta(days=settings.STALE_AFTER_DAYS)


def accounts_expire() -> int:
    """Deactivate members of staff who did not sign in for STALE_AFTER_DAYS; 0 days: never. Returns how many."""
    if not settings.STALE_AFTER_DAYS:
        return 0
    before = now() - timedelta(days=settings.STALE_AFTER_DAYS)
    # PostgreSQL's GREATEST ignores NULL: who never signed in counts from `active_since`.
    unused = User.objects.annotate(last=Greatest("active_since", "last_sign_in_at"))
    ids = list(unused.filter(is_active=True, last__lt=before).values_list("id", flat=True))
    return sum(_expire(user_id) for user_id in ids)


@transaction.atomic
def _expire(user_id: UUID) -> bool:
    limit_lock_wait()
    user = User.objects.select_for_update().get(id=user_id)
    if not user.is_active or not is_stale(user):
        return False  # signed in a moment ago
    user.is_active = False
    user.save(update_fields=["is_active"])
    AccessToken.objects.filter(user=user, revoked_at=None).update(revoked_at=now())
    audit_record(
        principal=SYSTEM, action="user.expire", object_kind="user", object_id=user.id, reason="unused"
    )
    return True


@transaction.atomic
def user_enable(*, user_id: UUID, principal: Principal = SYSTEM) -> None:
    """Let somebody sign in again; the days without use count from now. NotFound for nobody."""
    if not User.objects.filter(id=user_id).update(is_active=True, active_since=now()):
        raise NotFound()
    user = User.objects.get(id=user_id)
    audit_record(principal=principal, action="user.enable", object_kind="user", object_id=user.id)

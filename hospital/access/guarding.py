"""The security administrator's deeds: who administers, which account is locked, whose sign-in ends. Never one's own."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound

from . import activation, sessions
from .models import ADMINISTRATORS, AccessToken, Activation, Institution, Membership, User
from .principals import Principal
from .staffing import colleague, noted
from .table import places

ACTION = "admin.security"
LOCKED_BY_HAND = timedelta(days=36_500)  # until somebody unlocks it


def _administered(principal: Principal) -> list[UUID]:
    """The caller's institutions, and those that nobody administers yet: somebody must name the first one."""
    fresh = Institution.objects.exclude(memberships__role__in=ADMINISTRATORS)
    return [*places(principal, ACTION), *fresh.values_list("id", flat=True)]


def administrator_grant(
    *, principal: Principal, user_id: UUID, institution_id: UUID, role: str
) -> Membership:
    """Make a colleague an administrator. Conflict `one_administration` (SEC-06), Forbidden `own_account`."""
    if role not in ADMINISTRATORS:
        raise Invalid("invalid", field="role")
    try:
        with transaction.atomic():
            if institution_id not in _administered(principal):
                raise NotFound()
            user = colleague(principal, user_id, ACTION)
            row = Membership.objects.create(
                user=user, institution_id=institution_id, role=role, granted_by_id=principal.id
            )
            noted(principal, "admin.administrator_grant", user.id, role=role, institution=institution_id)
            return row
    except IntegrityError as error:
        raise Conflict("one_administration") from error


@transaction.atomic
def administrator_revoke(*, principal: Principal, membership_id: UUID) -> None:
    """End a colleague's administration. Two who revoke each other queue here: the second has no office any more."""
    mine = places(principal, ACTION)
    office = Membership.objects.select_for_update().filter(institution_id__in=mine, role__in=ADMINISTRATORS)
    rows = {row.id: row for row in office.order_by("id")}
    if not any(row.user_id == principal.id for row in rows.values()):
        raise Forbidden("not_permitted", action=ACTION)
    row = rows.get(membership_id)
    if row is None:
        raise NotFound()
    if row.user_id == principal.id:
        raise Forbidden("own_account")
    row.delete()
    sessions.sessions_end(user_id=row.user_id)
    noted(principal, "admin.administrator_revoke", row.user_id, role=row.role, institution=row.institution_id)


@transaction.atomic
def account_lock(*, principal: Principal, user_id: UUID, reason: str) -> None:
    """No sign-in until unlocked; those that are open end now."""
    user = colleague(principal, user_id, ACTION)
    User.objects.filter(id=user.id).update(locked_until=now() + LOCKED_BY_HAND)
    sessions.sessions_end(user_id=user.id)
    noted(principal, "admin.account_lock", user.id, reason=reason)


@transaction.atomic
def account_unlock(*, principal: Principal, user_id: UUID) -> None:
    """Also after wrong codes. Conflict `not_locked`."""
    user = colleague(principal, user_id, ACTION)
    if user.locked_until is None or user.locked_until <= now():
        raise Conflict("not_locked")
    User.objects.filter(id=user.id).update(locked_until=None, failed_n=0)
    noted(principal, "admin.account_unlock", user.id)


@transaction.atomic
def session_end(*, principal: Principal, session_id: UUID) -> None:
    """End a colleague's sign-in (one's own is ended on the account page)."""
    row = AccessToken.objects.filter(id=session_id, user__isnull=False, revoked_at=None).first()
    if row is None or row.user_id is None:
        raise NotFound()
    user = colleague(principal, row.user_id, ACTION)
    AccessToken.objects.filter(id=row.id, revoked_at=None).update(revoked_at=now())
    noted(principal, "admin.session_end", user.id, session=row.id)


def reset_approve(*, principal: Principal, activation_id: UUID) -> str:
    """Agree to a reset that the system administrator asked for: the code, told once. NotFound for other houses'."""
    row = Activation.objects.filter(
        id=activation_id,
        purpose="reset",
        user__memberships__institution_id__in=places(principal, ACTION),
    ).first()
    if row is None:
        raise NotFound()
    return activation.reset_approve(principal=principal, row=row)

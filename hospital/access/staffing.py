"""The system administrator's deeds: accounts and their clinical roles, never an administrator's, never one's own."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.common.locks import limit_lock_wait

from . import activation, services, sessions
from .models import ADMINISTRATORS, Activation, Institution, Membership, Role, User
from .principals import Principal
from .table import places

ACTION = "admin.staff"


def noted(principal: Principal, action: str, user_id: UUID, **more: object) -> None:
    """A deed on an account, in the deed's transaction."""
    place = next(iter(principal.institution_ids), None)
    audit_record(
        principal=principal,
        action=action,
        object_kind="user",
        object_id=user_id,
        institution_id=place,
        details={key: str(value) for key, value in more.items()},
    )


def colleague(principal: Principal, user_id: UUID, action: str) -> User:
    """A member of staff of the caller's institutions, locked. NotFound for others, Forbidden `own_account`."""
    limit_lock_wait()
    mine = Membership.objects.filter(institution_id__in=places(principal, action), user_id=user_id)
    if not mine.exists():
        raise NotFound()
    if user_id == principal.id:
        raise Forbidden("own_account")
    return User.objects.select_for_update().get(id=user_id)


def _place(principal: Principal, institution_id: UUID) -> UUID:
    if institution_id not in places(principal, ACTION):
        raise NotFound()
    return institution_id


def _clinical(role: str) -> str:
    if role not in Role.values:
        raise Invalid("invalid", field="role")
    if role in ADMINISTRATORS:
        raise Forbidden("role_not_yours")
    return role


def _no_administrator(user: User) -> None:
    """Administrators are the security administrator's to grant, lock and withdraw."""
    if user.memberships.filter(role__in=ADMINISTRATORS).exists():
        raise Forbidden("role_not_yours")


def institution_add(
    *, principal: Principal, name: str, name_en: str, short_name: str, region_code: str, uscc: str
) -> Institution:
    """A new hospital, without people yet. Invalid `uscc_invalid`, Conflict `institution_known`."""
    try:
        with transaction.atomic():
            return services.institution_create(
                principal=principal,
                name=name,
                name_en=name_en,
                short_name=short_name,
                region_code=region_code,
                uscc=uscc,
            )
    except IntegrityError as error:
        raise Conflict("institution_known", field="uscc") from error


def member_add(
    *, principal: Principal, username: str, name: str, institution_id: UUID, role: str
) -> tuple[User, str]:
    """A new account with its first role, closed until its person uses the code: (row, code, told once).

    Conflict `username_taken`.
    """
    place, clinical = _place(principal, institution_id), _clinical(role)
    try:
        with transaction.atomic():
            user, _, _ = services.user_create(username=username, name=name, principal=principal)
            User.objects.filter(id=user.id).update(is_active=False)
            Membership.objects.create(
                user=user, institution_id=place, role=clinical, granted_by_id=principal.id
            )
            code = activation.code_give(
                row=activation.activation_open(user=user, purpose="new", by=principal.id)
            )
            noted(principal, "admin.member_add", user.id, role=clinical, institution=place)
    except IntegrityError as error:
        raise Conflict("username_taken", field="username") from error
    return user, code


@transaction.atomic
def member_deactivate(*, principal: Principal, user_id: UUID) -> None:
    """Close an account at once: its sign-ins end, its codes are over. Roles stay as they were, for the record."""
    user = colleague(principal, user_id, ACTION)
    _no_administrator(user)
    User.objects.filter(id=user.id).update(is_active=False, deactivated_at=now())
    Activation.objects.filter(user=user, used_at=None, closed_at=None).update(closed_at=now())
    sessions.sessions_end(user_id=user.id)
    noted(principal, "admin.member_deactivate", user.id)


@transaction.atomic
def reset_ask(*, principal: Principal, user_id: UUID) -> Activation:
    """Ask for new factors for somebody who lost theirs; opens nothing before the security administrator agrees.

    Also the way back for a deactivated account.
    """
    user = colleague(principal, user_id, ACTION)
    User.objects.filter(id=user.id).update(deactivated_at=None)
    row = activation.activation_open(user=user, purpose="reset", by=principal.id)
    noted(principal, "admin.reset_ask", user.id)
    return row


@transaction.atomic
def role_give(*, principal: Principal, user_id: UUID, institution_id: UUID, role: str) -> Membership:
    """A clinical role in one of the caller's institutions. Conflict `role_held`."""
    place, clinical = _place(principal, institution_id), _clinical(role)
    user = colleague(principal, user_id, ACTION)
    _no_administrator(user)
    row, new = Membership.objects.get_or_create(
        user=user, institution_id=place, role=clinical, defaults={"granted_by_id": principal.id}
    )
    if not new:
        raise Conflict("role_held")
    noted(principal, "admin.role_give", user.id, role=clinical, institution=place)
    return row


@transaction.atomic
def role_take(*, principal: Principal, membership_id: UUID) -> None:
    """Withdraw a clinical role; it counts from the next request on."""
    row = Membership.objects.filter(id=membership_id, institution_id__in=places(principal, ACTION)).first()
    if row is None:
        raise NotFound()
    _clinical(row.role)
    user = colleague(principal, row.user_id, ACTION)
    row.delete()
    noted(principal, "admin.role_take", user.id, role=row.role, institution=row.institution_id)

"""What the system and the security administrator see: accounts, roles, sign-ins, resets, keys. Never a secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Prefetch, Q, QuerySet

from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.keyring import ring
from hospital.common.models import Work

from .models import ADMINISTRATORS, AccessToken, Activation, Institution, Membership, Role, User
from .principals import Principal
from .selectors import not_idle
from .table import ACTIONS, ROLES, STAFF, places

FAILED_SINCE, FAILED_MAX = timedelta(days=7), 200
SIGN_IN = "auth.sign_in"


def _staff(ids: tuple[UUID, ...]) -> QuerySet[User]:
    """Everybody with a role in these institutions, and those roles only."""
    mine = Prefetch(
        "memberships", Membership.objects.filter(institution_id__in=ids).select_related("institution")
    )
    return (
        User.objects.filter(memberships__institution_id__in=ids)
        .distinct()
        .prefetch_related(mine)
        .order_by("username")
    )


def _searched(rows: QuerySet[User], text: str) -> QuerySet[User]:
    return rows.filter(Q(name__icontains=text) | Q(username__icontains=text)) if text else rows


def _state(user: User, waiting: set[UUID]) -> str:
    """One word for an account: active, locked, invited (waits for its code), closed."""
    if user.deactivated_at is not None:
        return "closed"
    if not user.is_active:
        return "invited" if user.id in waiting else "closed"
    locked = user.locked_until is not None and user.locked_until > now()
    return "locked" if locked else "active"


def _invited(users: list[User]) -> set[UUID]:
    open_ones = Activation.objects.filter(user__in=users, used_at=None, closed_at=None)
    return set(open_ones.values_list("user_id", flat=True))


def account_json(principal: Principal, user: User, waiting: set[UUID]) -> dict[str, Any]:
    roles = [
        {
            "id": str(row.id),
            "role": row.role,
            "institution_id": str(row.institution_id),
            "institution": row.institution.name,
            "institution_en": row.institution.name_en,
            "administrator": row.role in ADMINISTRATORS,
        }
        for row in sorted(user.memberships.all(), key=lambda row: (str(row.institution_id), row.role))
    ]
    return {
        "id": str(user.id),
        "username": user.username,
        "name": user.name,
        "own": user.id == principal.id,
        "state": _state(user, waiting),
        "failed_n": user.failed_n,
        "locked_until": user.locked_until.isoformat() if user.locked_until else None,
        "roles": roles,
    }


def accounts_json(principal: Principal, users: list[User]) -> list[dict[str, Any]]:
    """As their administrators see them; nobody has deeds on an `own` account."""
    waiting = _invited(users)
    return [account_json(principal, user, waiting) for user in users]


def staff_of(principal: Principal, action: str, text: str = "") -> QuerySet[User]:
    """Accounts of the institutions in which the caller has the action, by user name."""
    return _searched(_staff(places(principal, action)), text)


def institutions_json(principal: Principal) -> list[dict[str, Any]]:
    """All hospitals by name (a name is no secret); `mine` are those the caller administers."""
    mine = places(principal, "admin.staff")
    rows = Institution.objects.annotate(people=Count("memberships__user", distinct=True))
    return [
        {
            "id": str(row.id),
            "name": row.name,
            "name_en": row.name_en,
            "short_name": row.short_name,
            "region_code": row.region_code,
            "uscc": row.uscc,
            "mine": row.id in mine,
            "people": row.people if row.id in mine else None,
        }
        for row in rows.order_by("id")
    ]


def sessions_json(principal: Principal) -> list[dict[str, Any]]:
    """Open sign-ins of the caller's colleagues, the last used first."""
    mine = places(principal, "admin.security")
    rows = (
        AccessToken.objects.filter(
            not_idle(now()), revoked_at=None, expires_at__gt=now(), user__is_active=True
        )
        .filter(user__memberships__institution_id__in=mine)
        .select_related("user")
        .distinct()
    )
    return [
        {
            "id": str(row.id),
            "user": {"id": str(row.user_id), "name": row.user.name, "username": row.user.username},
            "began_at": row.created_at.isoformat(),
            "last_used_at": row.last_used_at.isoformat(),
            "address": row.address,
            "agent": row.agent,
            "own": row.user_id == principal.id,
        }
        for row in rows.order_by("-last_used_at")[:500]
        if row.user is not None
    ]


def resets_json(principal: Principal) -> list[dict[str, Any]]:
    """Resets that wait for the second person, the oldest first."""
    mine = places(principal, "admin.security")
    rows = (
        Activation.objects.filter(purpose="reset", approved_at=None, used_at=None, closed_at=None)
        .filter(user__memberships__institution_id__in=mine)
        .select_related("user", "asked_by")
        .distinct()
    )
    return [
        {
            "id": str(row.id),
            "user": {"id": str(row.user_id), "name": row.user.name, "username": row.user.username},
            "asked_by": row.asked_by.name,
            "asked_at": row.created_at.isoformat(),
            "own": principal.id in (row.user_id, row.asked_by_id),
        }
        for row in rows.order_by("created_at")
    ]


def failures_json(principal: Principal) -> list[dict[str, Any]]:
    """Refused sign-ins of the last week, the newest first: of colleagues, and of names that nobody has."""
    mine = places(principal, "admin.security")
    colleagues = User.objects.filter(memberships__institution_id__in=mine).values_list("id", "name")
    names = dict(colleagues)
    rows = AuditEntry.objects.filter(
        Q(object_id=None) | Q(object_id__in=list(names)),
        action=SIGN_IN,
        outcome="refused",
        at__gt=now() - FAILED_SINCE,
    ).order_by("-at")[:FAILED_MAX]
    return [
        {
            "at": row.at.isoformat(),
            "user": names.get(row.object_id) if row.object_id else None,
            "reason": row.reason,
            "address": row.address,
        }
        for row in rows
    ]


def keys_json() -> dict[str, Any]:
    """Numbers and states of the keys of data at rest; the keys themselves are shown nowhere."""
    known = ring(look=True)
    return {
        "cipher": settings.FIELD_CIPHER,
        "current": known.current,
        "rotating": known.rotating,
        "versions": sorted(known.keys),
    }


def permissions_json() -> dict[str, Any]:
    """The permission table as rows; a cell says how far a role reaches."""
    rows = [{"action": action, "roles": dict(row)} for action, row in sorted(ACTIONS.items())]
    return {"roles": [*Role.values, *sorted(ROLES - STAFF)], "actions": rows}


def work_json() -> dict[str, Any]:
    """What waits in the table of due work: how much, since when, how often it failed."""
    due = Work.objects.filter(finished_at=None, due_at__lte=now())
    oldest = due.order_by("due_at").values_list("due_at", flat=True).first()
    failing = Work.objects.filter(finished_at=None, attempts__gt=1).exclude(last_error="").count()
    return {
        "waiting": due.count(),
        "oldest_s": int((now() - oldest).total_seconds()) if oldest else 0,
        "failing": failing,
    }

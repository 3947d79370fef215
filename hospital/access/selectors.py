from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet

from hospital.common.clock import now
from hospital.common.prebuilt import Value, prebuilt

from .models import AccessToken, Institution, Membership, User
from .principals import Principal, Seat
from .rules import BEDSIDE_ROLES


@prebuilt
def _memberships(*, user_id: Value) -> QuerySet[Membership, tuple[UUID, str]]:
    rows = Membership.objects.filter(user_id=user_id).order_by("institution_id", "role")
    return rows.values_list("institution_id", "role")


def principal_of_user(user: User, token_id: UUID | None = None) -> Principal:
    held = tuple(_memberships(user_id=user.id))
    return Principal(kind="staff", id=user.id, name=user.name, memberships=held, token_id=token_id)


def principal_of_token(row: AccessToken) -> Principal:
    """A member of staff as this sign-in lets them act: after a change of person on a tablet, with the bedside's roles
    in the tablet's institution only. The token's user and tablet are needed."""
    assert row.user is not None
    person = replace(principal_of_user(row.user, row.id), used_at=row.last_used_at)
    if row.tablet is None:
        return person
    place = row.tablet.institution_id
    seat = Seat(
        tablet_id=row.tablet.id,
        institution_id=place,
        room_id=row.tablet.room_id,
        bedside_only=row.bedside_only,
    )
    held = person.memberships
    if row.bedside_only:
        held = tuple((where, role) for where, role in held if where == place and role in BEDSIDE_ROLES)
    return replace(person, memberships=held, seat=seat)


def not_idle(moment: Value) -> Q:
    """Tokens that were used recently enough, as a condition of the database."""
    allowed = ExpressionWrapper(F("idle_s") * timedelta(seconds=1), output_field=DurationField())
    return Q(idle_s=None) | Q(last_used_at__gt=moment - allowed)


@prebuilt
def _live(key: str, *, of: Value, moment: Value) -> QuerySet[AccessToken]:
    rows = AccessToken.objects.select_related("user", "account", "tablet").filter(
        not_idle(moment), **{key: of}
    )
    return rows.filter(revoked_at=None, expires_at__gt=moment, tablet__revoked_at=None)


def _principal(key: str, of: bytes | UUID) -> Principal | None:
    """None for tokens that are unknown, expired, unused for too long or revoked, and for people no longer active."""
    row = _live.one(key, of=of, moment=now())
    if row is None:
        return None
    if row.account is not None:
        return Principal(
            kind="patient",
            id=row.account.id,
            name="",
            memberships=(),
            token_id=row.id,
            used_at=row.last_used_at,
        )
    assert row.user is not None
    return principal_of_token(row) if row.user.is_active else None


def principal_of_bearer(token: str) -> Principal | None:
    return _principal("digest", hashlib.sha256(token.encode()).digest())


def principal_of_token_id(token_id: UUID | str) -> Principal | None:
    return _principal("id", UUID(str(token_id)))


def institution_names(*, ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    rows = Institution.objects.filter(id__in=list(ids)).order_by("id")
    return {row.id: {"name": row.name, "name_en": row.name_en, "short_name": row.short_name} for row in rows}


def institutions_all() -> list[Institution]:
    """Every hospital of the house: a public register."""
    return list(Institution.objects.order_by("name"))


def staff_named(text: str, places: Iterable[UUID]) -> list[UUID]:
    """Ids of the staff of these institutions whose name or user name holds `text`; at most 200."""
    which = Q(name__icontains=text) | Q(username__icontains=text)
    found = User.objects.filter(which, memberships__institution_id__in=list(places)).distinct()
    return list(found.order_by("username").values_list("id", flat=True)[:200])


def user_names(*, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of staff, also of people who no longer work here."""
    return dict(User.objects.filter(id__in=list(ids)).values_list("id", "name"))

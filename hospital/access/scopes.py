"""What a scope of the permission table means for rows: said by the app that owns them, asked by its selectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from hospital.common.clock import now
from hospital.common.prebuilt import together

from .principals import Principal
from .table import BEDSIDE_ONLY, BREAK_GLASS, NONE, SCOPES, UnknownScope, roles_of, row_of

NOTHING = Q(pk__in=[])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for which action, under which of their roles, where they hold that role, and when."""

    principal: Principal
    action: str
    role: str
    institutions: tuple[UUID, ...]
    moment: datetime


Resolver = Callable[[Asked], Q]
Limit = Callable[[], Q]
_resolvers: dict[tuple[str, str], Resolver] = {}
_limits: dict[str, tuple[Limit, frozenset[str]]] = {}


def scope_register(kind: str, scope: str, resolver: Resolver) -> None:
    """For rows of `kind` (exam, patient, robot ...) this scope is the condition that `resolver` makes."""
    if scope not in SCOPES - {NONE}:
        raise UnknownScope(scope)
    _resolvers[kind, scope] = resolver


def limit_register(kind: str, limit: Limit, *, but: Iterable[str] = ()) -> None:
    """Rows of `kind` that nobody reaches, whatever their roles: those outside the condition that `limit` makes.

    `but` names the actions for which it does not count: those that only add.
    """
    _limits[kind] = limit, frozenset(but)


def _limit(kind: str, action: str) -> Q:
    limit, but = _limits.get(kind, (Q, frozenset()))
    return Q() if action in but else limit()


def _reach(kind: str, scope: str, asked: Asked) -> Q:
    try:
        resolver = _resolvers[kind, scope]
    except KeyError:
        raise UnknownScope(f"{asked.action}: {scope} says nothing about {kind}") from None
    return resolver(asked)


def within(principal: Principal, action: str, kind: str, *, moment: datetime | None = None) -> Q:
    """The condition on rows of `kind` that the caller may do `action` with: each of their roles adds its scope.

    UnknownAction and UnknownScope are bugs. The system reaches everything but what is kept from all, somebody without
    the role nothing. `moment` is now when none is given.
    """
    row = row_of(action)
    if principal.kind == "system":
        return _limit(kind, action)
    if principal.bedside_only and action not in BEDSIDE_ONLY:
        return NOTHING
    roles = roles_of(principal).intersection(row)
    if principal.kind == "staff" and BREAK_GLASS in row and not principal.bedside_only:
        roles |= {BREAK_GLASS}
    reach, moment = NOTHING, moment or now()
    for role in sorted(roles):
        held = together(place for place, name in principal.memberships if name == role)
        asked = Asked(principal=principal, action=action, role=role, institutions=held, moment=moment)
        reach |= _reach(kind, row[role], asked)
    return reach & _limit(kind, action)

"""Who hears the desk's news, and for how long."""

from __future__ import annotations

from devices.fleet.push import desk_group
from hospital.access.principals import NOBODY, Principal
from hospital.access.selectors import principal_of_token_id
from hospital.access.services import ticket_redeem
from hospital.access.table import places, require
from hospital.audit.services import audit_record
from hospital.common.errors import DomainError

JOIN = "desk.socket"


def desk_joined(*, ticket: str) -> Principal:
    """The ticket's person, when they work at a desk. Unauthenticated, Forbidden: refusals are on record."""
    principal = NOBODY
    try:
        principal = ticket_redeem(ticket=ticket)
        require(principal, JOIN)
    except DomainError as error:
        audit_record(
            principal=principal,
            action=JOIN,
            object_kind="board",
            object_id=None,
            outcome="refused",
            reason=error.code,
        )
        raise
    return principal


def groups_of(principal: Principal) -> tuple[str, ...]:
    """The news of each institution at whose desk the person works."""
    return tuple(desk_group(place) for place in places(principal, JOIN))


def still_at_desk(principal: Principal) -> bool:
    """Whether the sign-in stands and reaches the same desks."""
    fresh = principal_of_token_id(principal.token_id) if principal.token_id else None
    return fresh is not None and groups_of(fresh) == groups_of(principal)

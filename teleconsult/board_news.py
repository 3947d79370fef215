"""Who hears the news of a desk, or one's own notices, and for how long."""

from __future__ import annotations

from devices.fleet.push import desk_group, person_group
from hospital.access.principals import NOBODY, Principal
from hospital.access.selectors import principal_of_token_id
from hospital.access.services import ticket_redeem
from hospital.access.table import allowed, places, require
from hospital.audit.services import audit_record
from hospital.common.errors import DomainError

JOIN, NOTICES = "desk.socket", "notice.socket"


def joined(*, ticket: str, action: str) -> Principal:
    """The ticket's person, when they may hear that. Unauthenticated, Forbidden: refusals are on record."""
    principal = NOBODY
    try:
        principal = ticket_redeem(ticket=ticket)
        require(principal, action)
    except DomainError as error:
        audit_record(
            principal=principal,
            action=action,
            object_kind="board" if action == JOIN else "notices",
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


def notices_of(principal: Principal) -> tuple[str, ...]:
    """One's own."""
    return (person_group(principal.id),)


def still_signed_in(principal: Principal) -> bool:
    """Whether the sign-in stands and may still hear its notices."""
    fresh = principal_of_token_id(principal.token_id) if principal.token_id else None
    return fresh is not None and allowed(fresh, NOTICES)

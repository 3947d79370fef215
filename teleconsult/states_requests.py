"""The lives of a request for an exam and of an offer from the waiting list, as tables. Only services apply them.

Priorities are FHIR R4 `request-priority` codes.
"""

from __future__ import annotations

from .states import IllegalTransition

ASKED, WAITING, BOOKED, DECLINED, WITHDRAWN = "asked", "waiting", "booked", "declined", "withdrawn"
REQUEST_STATES = (ASKED, WAITING, BOOKED, DECLINED, WITHDRAWN)
OPEN_REQUESTS = (ASKED, WAITING)
REQUESTS: dict[tuple[str, str], str] = {
    (ASKED, "book"): BOOKED,
    (ASKED, "wait"): WAITING,
    (ASKED, "decline"): DECLINED,
    (ASKED, "withdraw"): WITHDRAWN,
    (WAITING, "wait"): WAITING,  # other wishes
    (WAITING, "book"): BOOKED,
    (WAITING, "decline"): DECLINED,
    (WAITING, "withdraw"): WITHDRAWN,
}

OPEN, ACCEPTED, REFUSED, EXPIRED, REVOKED = "open", "accepted", "refused", "expired", "revoked"
OFFER_STATES = (OPEN, ACCEPTED, REFUSED, EXPIRED, REVOKED)
OFFERS: dict[tuple[str, str], str] = {
    (OPEN, "accept"): ACCEPTED,
    (OPEN, "refuse"): REFUSED,
    (OPEN, "expire"): EXPIRED,
    (OPEN, "revoke"): REVOKED,  # the request was booked otherwise, or is no longer there
}

ROUTINE, URGENT, STAT = "routine", "urgent", "stat"
PRIORITIES = (STAT, URGENT, ROUTINE)  # the first is served first
UNPAID, PAID, EXEMPT = "unpaid", "paid", "exempt"
FEES = (UNPAID, PAID, EXEMPT)


def request_advance(state: str, command: str) -> str:
    """The next state of a request; IllegalTransition when the table has none."""
    return _advance(REQUESTS, state, command)


def offer_advance(state: str, command: str) -> str:
    """The next state of an offer; IllegalTransition when the table has none."""
    return _advance(OFFERS, state, command)


def _advance(table: dict[tuple[str, str], str], state: str, command: str) -> str:
    try:
        return table[state, command]
    except KeyError:
        raise IllegalTransition(f"{command} in {state}") from None

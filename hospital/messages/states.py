"""A message's life as a table: it waits, then it has one end. Nothing else knows the next state."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    SENT = "sent"  # a provider took it; whether a telephone showed it is not known here
    EXPIRED = "expired"
    DROPPED = "dropped"  # what it was about is no more, or its reader wants none of this kind
    FAILED = "failed"  # refused for good, or tried for too long


class Event(StrEnum):
    TAKEN = "taken"
    TOO_LATE = "too_late"
    MOOT = "moot"
    REFUSED = "refused"


class Outcome(StrEnum):
    """How one try ended. `trying` is written before the provider is asked: what a killed worker leaves behind."""

    TRYING = "trying"
    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNANSWERED = "unanswered"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.TAKEN): State.SENT,
    (State.QUEUED, Event.TOO_LATE): State.EXPIRED,
    (State.QUEUED, Event.MOOT): State.DROPPED,
    (State.QUEUED, Event.REFUSED): State.FAILED,
}


class IllegalTransition(Exception):
    """The table has no such row."""


def advance(state: State, event: Event) -> State:
    """The next state; IllegalTransition when the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event} in {state}") from None

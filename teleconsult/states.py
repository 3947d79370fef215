"""The exam's life as a table. Nothing else knows the next state; only services apply it.

booked -> checked_in -> ready -> live <-> paused -> ended -> reported, and cancelled, no_show, aborted.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    READY = "ready"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    REPORTED = "reported"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    ABORTED = "aborted"


class Command(StrEnum):
    MOVE = "move"
    CHECK_IN = "check_in"
    READY = "ready"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    REPORT = "report"
    CANCEL = "cancel"
    NO_SHOW = "no_show"
    ABORT = "abort"


TRANSITIONS: dict[tuple[State, Command], State] = {
    (State.BOOKED, Command.MOVE): State.BOOKED,
    (State.BOOKED, Command.CHECK_IN): State.CHECKED_IN,
    (State.BOOKED, Command.NO_SHOW): State.NO_SHOW,
    (State.BOOKED, Command.CANCEL): State.CANCELLED,
    (State.CHECKED_IN, Command.CANCEL): State.CANCELLED,
    (State.CHECKED_IN, Command.READY): State.READY,
    (State.CHECKED_IN, Command.ABORT): State.ABORTED,
    (State.READY, Command.CANCEL): State.CANCELLED,
    (State.READY, Command.START): State.LIVE,
    (State.READY, Command.ABORT): State.ABORTED,
    (State.LIVE, Command.PAUSE): State.PAUSED,
    (State.LIVE, Command.END): State.ENDED,
    (State.LIVE, Command.ABORT): State.ABORTED,
    (State.PAUSED, Command.RESUME): State.LIVE,
    (State.PAUSED, Command.END): State.ENDED,
    (State.PAUSED, Command.ABORT): State.ABORTED,
    (State.ENDED, Command.REPORT): State.REPORTED,
}
PREPARING = frozenset({State.CHECKED_IN, State.READY})
SCANNING = frozenset({State.LIVE, State.PAUSED})
# The pages talk to the robot in these; afterwards sockets are closed with 4410.
CONNECTED = PREPARING | SCANNING | {State.BOOKED}
OVER = frozenset({State.ENDED, State.REPORTED, State.CANCELLED, State.NO_SHOW, State.ABORTED})
# Nothing more will be done: no picture, no report.
FINAL = OVER - {State.ENDED}


class IllegalTransition(Exception):
    """The table has no such row."""


def advance(state: State, command: Command) -> State:
    """The next state; IllegalTransition when the table has none."""
    try:
        return TRANSITIONS[state, command]
    except KeyError:
        raise IllegalTransition(f"{command} in {state}") from None


def commands(state: State) -> frozenset[Command]:
    return frozenset(command for (before, command) in TRANSITIONS if before == state)

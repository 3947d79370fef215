"""The safety state machine: one table, one function. Nothing else knows the next state."""

from __future__ import annotations

from enum import Enum, auto

from devices.wire.messages import SafetyState as S


class Signal(Enum):
    """What can happen. A pair missing from TABLE changes nothing."""

    LEASE = auto()  # a lease became live
    LEASE_OVER = auto()  # given back on purpose
    RELEASE = auto()  # an accepted command with the deadman open
    PRESS = auto()  # an accepted command with the deadman held
    SILENT = auto()  # commands missing long enough to ramp
    HALT = auto()  # stop that the operator resumes with release, then press
    HOLD_ASKED = auto()  # a person asked for hold: also ends bounded moves
    RETRACT = auto()  # back off along the probe axis
    STOP = auto()  # latched stop
    CLEAR = auto()  # the robot's side cleared the latch
    LIFT = auto()
    PLACE = auto()
    HAND_ON = auto()
    HAND_OFF = auto()
    TEST = auto()
    DONE = auto()  # a bounded move ended, nothing latched
    DONE_LATCHED = auto()  # a bounded move ended under a latch
    FAULT = auto()  # the driver cannot be trusted


STEERED = frozenset({S.PARK, S.MOVING, S.RAMP})
"""States in which the operator's commands have a say."""
BOUNDED = frozenset({S.RETRACT, S.LIFT, S.PLACE, S.SELF_TEST})
"""Moves that end by themselves."""
_ALL = frozenset(S)

TABLE: dict[tuple[S, Signal], S] = {
    (S.IDLE, Signal.LEASE): S.HOLD,
    **{(s, Signal.LEASE_OVER): S.IDLE for s in STEERED | {S.HOLD}},
    **{(s, Signal.RELEASE): S.PARK for s in STEERED | {S.HOLD}},
    **{(s, Signal.PRESS): S.MOVING for s in STEERED},
    **{(s, Signal.SILENT): S.RAMP for s in STEERED},
    **{(s, Signal.HALT): S.HOLD for s in STEERED},
    **{(s, Signal.HOLD_ASKED): S.HOLD for s in STEERED | {S.LIFT, S.PLACE, S.SELF_TEST}},
    **{(s, Signal.RETRACT): S.RETRACT for s in _ALL - {S.RETRACT, S.LIFT, S.FAULT, S.STOPPED}},
    **{(s, Signal.STOP): S.STOPPED for s in _ALL - {S.FAULT}},
    (S.STOPPED, Signal.CLEAR): S.HOLD,
    (S.FAULT, Signal.CLEAR): S.HOLD,
    **{(s, Signal.LIFT): S.LIFT for s in _ALL - {S.FAULT}},
    **{(s, Signal.PLACE): S.PLACE for s in (S.IDLE, S.HOLD, S.PARK)},
    **{(s, Signal.HAND_ON): S.HAND_GUIDE for s in _ALL},
    (S.HAND_GUIDE, Signal.HAND_OFF): S.HOLD,
    **{(s, Signal.TEST): S.SELF_TEST for s in (S.IDLE, S.HOLD)},
    **{(s, Signal.DONE): S.HOLD for s in BOUNDED},
    **{(s, Signal.DONE_LATCHED): S.STOPPED for s in BOUNDED | {S.HAND_GUIDE}},
    **{(s, Signal.FAULT): S.FAULT for s in _ALL},
}


def advance(state: S, signal: Signal) -> S | None:
    """The next state, or None when the signal means nothing in this state."""
    return TABLE.get((state, signal))

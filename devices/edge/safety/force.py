"""Contact force: set-point, caps, the admittance along the beam, easing, and what is too much.

Positive velocity along the beam pushes into tissue. Forces in N, velocities in mm/s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from devices.wire.limits import (
    APPROACH_MM_S,
    EASE_MM_S,
    FORCE_CONTACT_N,
    FORCE_GENTLER_N,
    FORCE_HARD_N,
    FORCE_PARK_EASED_N,
    FORCE_PARK_MAX_N,
    FORCE_RATE_MAX_N_S,
    FORCE_SETPOINT_MAX_N,
    FORCE_SETPOINT_MIN_N,
    FORCE_SOFT_N,
    FORCE_STOPPED_N,
    FORCE_TILTED_N,
    PARK_EASE_AFTER_MS,
    PUSH_MM_S,
    TILT_FORCE_DEG,
)
from devices.wire.messages import LimitBit, StopCause

ADMITTANCE_MM_S_N = 5.0  # tissue of 0.3 to 3 N/mm settles in 0.1 to 0.7 s; design value
EASE_GAIN_MM_S_N = 40.0  # outwards only, so it cannot oscillate; design value
EASE_FLOOR_MM_S = 20.0  # the last newton must not take for ever; design value
EASED_N = 1.5  # aim below FORCE_STOPPED_N by more than the sensor's noise; design value
PARK_EASE_N_S = 1.0  # how fast a long park gets lighter; design value
CONTACT_LOST_N = 0.2  # hysteresis below FORCE_CONTACT_N; design value
RATE_WINDOW_MS = 10.0  # dF/dt is measured over this; design value
RATE_FORCE_MIN_N = 3.0  # below, a steep rise is first touch, not a collision; design value


@dataclass(slots=True)
class Caps:
    """What tightens the force limit. Only ever lower than the design's numbers."""

    bedside_n: float = FORCE_SETPOINT_MAX_N
    gentle: bool = False

    def lower_to(self, cap_n: float) -> float:
        """The bedside's cap; returns what is in force now. It may come back up, never above the design."""
        self.bedside_n = max(0.0, min(cap_n, FORCE_SETPOINT_MAX_N))
        return self.bedside_n

    def cap_n(self, *, tilt_deg: float) -> tuple[float, LimitBit]:
        """The cap in force and, when the tilt made it, the limit bit that says so."""
        cap = min(self.bedside_n, FORCE_GENTLER_N) if self.gentle else self.bedside_n
        if tilt_deg > TILT_FORCE_DEG and cap > FORCE_TILTED_N:
            return FORCE_TILTED_N, LimitBit.TILT_FORCE
        return cap, LimitBit(0)


def setpoint_n(asked_n: float, *, cap_n: float) -> tuple[float, LimitBit]:
    """Clamp an asked set-point into 3..12 N and under the cap, with the bits that bit."""
    inside = max(FORCE_SETPOINT_MIN_N, min(asked_n, FORCE_SETPOINT_MAX_N))
    bits = LimitBit.FORCE_SET if inside != asked_n else LimitBit(0)
    if inside > cap_n:
        return cap_n, bits | LimitBit.FORCE_CAP
    return inside, bits


def parked_n(held_n: float, *, cap_n: float, parked_ms: float) -> float:
    """The set-point while the deadman is open: at most 8 N, lighter after two minutes."""
    held = min(held_n, FORCE_PARK_MAX_N, cap_n)
    over_s = (parked_ms - PARK_EASE_AFTER_MS) / 1000.0
    if over_s <= 0.0 or held <= FORCE_PARK_EASED_N:
        return held
    return max(FORCE_PARK_EASED_N, held - PARK_EASE_N_S * over_s)


def admittance_mm_s(*, force_n: float, set_n: float, contact: bool) -> float:
    """Velocity along the beam that brings the force to the set-point."""
    inward = PUSH_MM_S if contact else APPROACH_MM_S
    return max(-EASE_MM_S, min(ADMITTANCE_MM_S_N * (set_n - force_n), inward))


def ease_mm_s(*, force_n: float) -> float:
    """Outward velocity that brings any force to at most FORCE_STOPPED_N; never pushes."""
    if force_n <= EASED_N:
        return 0.0
    return -min(EASE_MM_S, max(EASE_FLOOR_MM_S, EASE_GAIN_MM_S_N * (force_n - EASED_N)))


def soft_limit(velocity_mm_s: float, *, force_n: float) -> tuple[float, LimitBit]:
    """Above the soft limit nothing pushes, whatever else is wanted."""
    if force_n < FORCE_SOFT_N:
        return velocity_mm_s, LimitBit(0)
    return min(velocity_mm_s, ease_mm_s(force_n=force_n)), LimitBit.FORCE_CAP


def sideways_scale(force_n: float) -> float:
    """Sliding into something raises the force too: from 12 N on slower, at 15 N not at all."""
    span = FORCE_SOFT_N - FORCE_SETPOINT_MAX_N
    return max(0.0, min(1.0, (FORCE_SOFT_N - force_n) / span))


class ForceWatch:
    """Contact with hysteresis, hard limit and collision, from each cycle's force."""

    def __init__(self) -> None:
        self.contact = False
        self.force_n = 0.0
        self._recent: deque[tuple[float, float]] = deque()

    def update(self, *, now_ms: float, force_n: float) -> StopCause:
        """Take one sample; FORCE_HARD or COLLISION when it is too much, else NONE."""
        self.force_n = force_n
        self.contact = force_n >= (CONTACT_LOST_N if self.contact else FORCE_CONTACT_N)
        self._recent.append((now_ms, force_n))
        while len(self._recent) > 2 and now_ms - self._recent[1][0] >= RATE_WINDOW_MS:
            self._recent.popleft()
        if force_n >= FORCE_HARD_N:
            return StopCause.FORCE_HARD
        if force_n >= RATE_FORCE_MIN_N and self.rate_n_s() > FORCE_RATE_MAX_N_S:
            return StopCause.COLLISION
        return StopCause.NONE

    def rate_n_s(self) -> float:
        """Force rate over the window, 0 until the window is full."""
        (start_ms, start_n), (end_ms, end_n) = self._recent[0], self._recent[-1]
        if end_ms - start_ms < RATE_WINDOW_MS * 0.8:
            return 0.0
        return (end_n - start_n) / (end_ms - start_ms) * 1000.0

    @property
    def eased(self) -> bool:
        """Whether a stop is complete as far as force goes."""
        return self.force_n <= FORCE_STOPPED_N

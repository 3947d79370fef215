"""Moves that end by themselves: retract, lift, place, and the self-test's short runs.

Each has ``step(...) -> Step``: a target twist in the probe frame and whether it is over, and why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from devices.drivers.base import ZERO, ArmState, Pose, Twist
from devices.edge.safety.motion import conjugate, multiply, norm3, rotate, rotation_vector_deg
from devices.wire.limits import (
    LIFT_MM,
    LIFT_MM_S,
    PLACE_CONTACT_N,
    PLACE_DEG_S,
    PLACE_MAX_MM,
    PLACE_MM_S,
    PLACE_TIMEOUT_MS,
    RETRACT_MM_S,
    SILENCE_RETRACT_MM,
)

PLACED_MM = 1.0  # near enough; design value
PLACED_DEG = 0.5  # near enough; design value
PLACE_GAIN_S = 3.0  # velocity per distance left, 1/s; design value
BLOCKED_MS = 700.0  # a retreat that makes no progress for this long is over; design value
PROGRESS_MM = 0.3  # what counts as progress; design value


@dataclass(frozen=True, slots=True)
class Step:
    """One cycle's wish. ``code`` is None while going, else "done" or why it ended early."""

    twist: Twist
    code: str | None = None


class Move(Protocol):
    """A bounded move."""

    def step(self, *, now_ms: float, arm: ArmState) -> Step:
        """The wish for this cycle."""


class BackOff:
    """Straight out along the probe axis for a distance, and on until the force is gone."""

    def __init__(self, *, arm: ArmState, now_ms: float, distance_mm: float, speed_mm_s: float) -> None:
        self._start = arm.position_mm
        self._distance_mm, self._speed_mm_s = distance_mm, speed_mm_s
        self._best_mm, self._best_at_ms = 0.0, now_ms

    def step(self, *, now_ms: float, arm: ArmState) -> Step:
        """Done after the distance; "blocked" when the arm does not get on (the edge of its reach)."""
        gone = norm3(*(a - b for a, b in zip(arm.position_mm, self._start, strict=True)))
        if gone > self._best_mm + PROGRESS_MM:
            self._best_mm, self._best_at_ms = gone, now_ms
        if gone >= self._distance_mm:
            return Step(ZERO, "done")
        if now_ms - self._best_at_ms > BLOCKED_MS:
            return Step(ZERO, "blocked")
        # Brakes over the last millimetres: v^2 = 2 a s with a gentle 400 mm/s^2.
        speed = min(self._speed_mm_s, max(5.0, math.sqrt(800.0 * max(0.0, self._distance_mm - gone))))
        return Step(Twist(vz=-speed))


def lift(*, arm: ArmState, now_ms: float) -> BackOff:
    """50 mm off the patient."""
    return BackOff(arm=arm, now_ms=now_ms, distance_mm=LIFT_MM, speed_mm_s=LIFT_MM_S)


def retract(*, arm: ArmState, now_ms: float) -> BackOff:
    """10 mm off the patient."""
    return BackOff(arm=arm, now_ms=now_ms, distance_mm=SILENCE_RETRACT_MM, speed_mm_s=RETRACT_MM_S)


class Place:
    """A bounded free-air move to a pose; touching anything ends it."""

    def __init__(self, *, goal: Pose, now_ms: float) -> None:
        self._goal = goal
        self._started_ms = now_ms

    @staticmethod
    def refusal(*, goal: Pose | None, arm: ArmState) -> str | None:
        """Why a placement may not begin, or None."""
        if goal is None:
            return "unknown_site"
        if arm.force_n > PLACE_CONTACT_N or arm.contact:
            return "in_contact"
        gap = norm3(*(a - b for a, b in zip(goal.position_mm, arm.position_mm, strict=True)))
        return "too_far" if gap > PLACE_MAX_MM else None

    def step(self, *, now_ms: float, arm: ArmState) -> Step:
        """Done near the goal; "in_contact" and "timeout" end it early."""
        if arm.force_n > PLACE_CONTACT_N:
            return Step(ZERO, "in_contact")
        if now_ms - self._started_ms > PLACE_TIMEOUT_MS:
            return Step(ZERO, "timeout")
        inverse = conjugate(arm.quaternion)
        gap = tuple(g - p for g, p in zip(self._goal.position_mm, arm.position_mm, strict=True))
        linear = rotate(inverse, (gap[0], gap[1], gap[2]))
        angular = rotation_vector_deg(multiply(inverse, self._goal.quaternion))
        distance, angle = norm3(*linear), norm3(*angular)
        if distance < PLACED_MM and angle < PLACED_DEG:
            return Step(ZERO, "done")
        v = _towards(linear, distance, PLACE_MM_S)
        w = _towards(angular, angle, PLACE_DEG_S)
        return Step(Twist(*v, *w))


def _towards(gap: tuple[float, float, float], length: float, limit: float) -> tuple[float, float, float]:
    if length < 1e-6:
        return (0.0, 0.0, 0.0)
    scale = min(limit, PLACE_GAIN_S * length) / length
    return (gap[0] * scale, gap[1] * scale, gap[2] * scale)

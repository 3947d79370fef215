"""What the controller box decides each 2 ms: whose twist moves the arm, and when it must rest.

No sockets and no clock of its own: times come in as monotonic seconds, so every rule is testable.
"""

from __future__ import annotations

import enum
import math

import numpy as np

from devices.drivers.sim.physics import Physics
from devices.drivers.sim.world import Vector, site_frame, skin_z_mm

WATCHDOG_MS = 100.0
"""Silence of ``servo`` while enabled, after which the box rests by itself; design value."""
STOP_RAMP_MS = 20.0
"""From any allowed speed to rest on request; design value."""
WATCHDOG_RAMP_MS = 60.0
"""Gentler than a stop: nobody asked for it, and it is still rest within 100 ms; design value."""
LIFT_MM_S = 60.0
LIFT_MAX_MM = 120.0
PLACE_MM_S = 60.0
PLACE_DEG_S = 15.0
PLACE_TOUCH_N = 2.0
"""Touching something on the way ends a placement; design value."""
SPEED_MAX_MM_S = 250.0
SPEED_MAX_DEG_S = 60.0
"""The controller's own ceiling (250 mm/s is the reduced speed of ISO 10218-1)."""


class Mode(enum.Enum):
    """Who moves the arm."""

    REST = "rest"
    SERVO = "servo"
    RAMP = "ramp"
    LIFT = "lift"
    GUIDE = "guide"
    PLACE = "place"


class Refused(Exception):
    """The box says no; ``args[0]`` is the code."""


class Controller:
    """Modes, ramps and the watchdog over one ``Physics``."""

    def __init__(self, physics: Physics) -> None:
        self.physics = physics
        self.mode = Mode.REST
        self.enabled = False
        self.watchdog_tripped = False
        self.slow_stop_ms = 0.0
        self._fed_at = 0.0
        self._asked = np.zeros(6)
        self._current = np.zeros(6)
        self._ramp_from = np.zeros(6)
        self._ramp_at = 0.0
        self._ramp_ms = STOP_RAMP_MS
        self._lift_left_mm = 0.0
        self._way: list[tuple[Vector, Vector]] = []

    def enable(self, now: float) -> None:
        """Clear a tripped watchdog and listen to ``servo``."""
        self._fed_at = now
        self._asked = np.zeros(6)
        self.watchdog_tripped = False
        self.enabled = True
        if self.mode is Mode.REST:
            self.mode = Mode.SERVO

    def servo(self, twist: Vector, now: float) -> None:
        """Take a twist (mm/s, deg/s). Raises Refused for a number that is none, or when not enabled."""
        if not np.isfinite(twist).all():
            raise Refused("not_finite")
        if not self.enabled:
            raise Refused("watchdog_tripped" if self.watchdog_tripped else "not_enabled")
        self._fed_at = now
        speed, turn = float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:]))
        self._asked = twist.copy()
        self._asked[:3] *= min(1.0, SPEED_MAX_MM_S / max(speed, 1e-9))
        self._asked[3:] *= min(1.0, SPEED_MAX_DEG_S / max(turn, 1e-9))

    def stop(self, now: float) -> None:
        """Come to rest by the shortest ramp, whatever goes on."""
        self._ramp(now, STOP_RAMP_MS)

    def lift(self, distance_mm: float) -> None:
        """Retract along the beam; works in every mode, also after the watchdog. Raises Refused."""
        if not math.isfinite(distance_mm) or not 0 < distance_mm <= LIFT_MAX_MM:
            raise Refused("out_of_range")
        self._leave_guide()
        self._lift_left_mm = distance_mm
        self.mode = Mode.LIFT

    def hand_guide(self, on: bool, now: float) -> None:
        """Let a person push the arm, or hold again. Raises Refused when not enabled."""
        if on and not self.enabled:
            raise Refused("not_enabled")
        if on:
            self.physics.soft_servo(True)
            self.mode = Mode.GUIDE
        elif self.mode is Mode.GUIDE:
            self._leave_guide()
            self._ramp(now, STOP_RAMP_MS)

    def place(self, site: str) -> None:
        """Move through free air to a site's hover pose: up, across, down. Raises Refused."""
        target = site_frame(site)
        if target is None:
            raise Refused("unknown_site")
        if not self.enabled or self.mode is not Mode.SERVO:
            raise Refused("not_enabled")
        position, rotation = target
        here = np.array(self.physics.tip_mm)
        travel_z = max(here[2], position[2], skin_z_mm(0.0, 0.0) + 60.0)
        up, above = here.copy(), position.copy()
        up[2] = above[2] = travel_z
        self._way = [
            (up, self.physics.rotation),
            (above, rotation),
            (position, rotation),
        ]
        self.mode = Mode.PLACE

    def cycle(self, now: float, dt_s: float) -> None:
        """One 2 ms step: watchdog, mode, physics."""
        if self.enabled and (now - self._fed_at) * 1000.0 > WATCHDOG_MS:
            self.enabled = False
            self.watchdog_tripped = True
            if self.mode is not Mode.LIFT:
                self._leave_guide()
                self._ramp(now, WATCHDOG_RAMP_MS)
        self._current = self._twist(now, dt_s)
        self.physics.cycle(self._current, dt_s, hand_guide=self.mode is Mode.GUIDE)

    @property
    def busy(self) -> bool:
        """The box carries out a move of its own."""
        return self.mode in (Mode.LIFT, Mode.PLACE)

    def _twist(self, now: float, dt_s: float) -> Vector:
        if self.mode is Mode.SERVO:
            return self._asked
        if self.mode is Mode.RAMP:
            left = 1.0 - (now - self._ramp_at) * 1000.0 / max(self._ramp_ms, 1.0)
            if left <= 0:
                self._settle()
                return np.zeros(6)
            return self._ramp_from * left
        if self.mode is Mode.LIFT:
            if self._lift_left_mm <= 0:
                self._ramp(now, STOP_RAMP_MS)
                return self._current
            self._lift_left_mm -= LIFT_MM_S * dt_s
            return np.array([0.0, 0.0, -LIFT_MM_S, 0.0, 0.0, 0.0])
        if self.mode is Mode.PLACE:
            return self._towards(now)
        return np.zeros(6)

    def _towards(self, now: float) -> Vector:
        if not self._way or self.physics.force_n > PLACE_TOUCH_N:
            self._ramp(now, STOP_RAMP_MS)
            return self._current
        position, rotation = self._way[0]
        own = self.physics.rotation
        gap = own.T @ (position - np.array(self.physics.tip_mm))
        turn = own.T @ rotation
        lean = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        lean = np.degrees(0.5 * lean)
        if np.linalg.norm(gap) < 0.5 and np.linalg.norm(lean) < 0.2:
            self._way.pop(0)
        return np.concatenate([_bounded(4.0 * gap, PLACE_MM_S), _bounded(4.0 * lean, PLACE_DEG_S)])

    def _ramp(self, now: float, ramp_ms: float) -> None:
        if self.mode in (Mode.REST, Mode.RAMP):
            return
        self._leave_guide()
        self._ramp_from = self._current.copy()
        self._ramp_at = now
        self._ramp_ms = max(ramp_ms, self.slow_stop_ms)
        self._asked = np.zeros(6)
        self.mode = Mode.RAMP

    def _settle(self) -> None:
        self._ramp_from = np.zeros(6)
        self._asked = np.zeros(6)
        self.mode = Mode.SERVO if self.enabled else Mode.REST

    def _leave_guide(self) -> None:
        if self.mode is Mode.GUIDE:
            self.physics.soft_servo(False)
            self._current = np.zeros(6)
            self.mode = Mode.SERVO if self.enabled else Mode.REST


def _bounded(values: Vector, most: float) -> Vector:
    size = float(np.linalg.norm(values))
    return values if size <= most else values * (most / size)

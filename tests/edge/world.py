"""A patient in one dimension: a flat skin at z = 0 with a spring under it, and a probe that obeys.

Enough physics for the safety core's units; no claim to be a simulator.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from devices.drivers.base import ZERO, ArmState, Twist
from devices.edge.safety.motion import Quaternion, Vector3, multiply, norm3, rotate

DOWN: Quaternion = (0.0, 1.0, 0.0, 0.0)  # half a turn about x: the beam points down, x stays x


@dataclass
class SpringWorld:
    """Position in mm; stiffness in N/mm; the arm follows after ``lag_s``."""

    stiffness_n_mm: float = 0.6
    lag_s: float = 0.012
    position: list[float] = field(default_factory=lambda: [0.0, 0.0, 20.0])
    quaternion: Quaternion = DOWN
    velocity: Twist = ZERO
    time_s: float = 100.0
    tripped: bool = False
    button: bool = False
    extra_force_n: float = 0.0
    peak_n: float = 0.0
    skin_mm: float = 0.0
    _delayed: deque[Twist] = field(default_factory=deque)

    @property
    def force_n(self) -> float:
        """Along the beam."""
        return max(0.0, self.skin_mm - self.position[2]) * self.stiffness_n_mm + self.extra_force_n

    def advance(self, wanted: Twist, dt_s: float) -> None:
        """Obey for dt."""
        self.time_s += dt_s
        self._delayed.append(wanted)
        steps = max(1, round(self.lag_s / dt_s))
        self.velocity = self._delayed.popleft() if len(self._delayed) > steps else self.velocity
        v: Vector3 = rotate(self.quaternion, (self.velocity.vx, self.velocity.vy, self.velocity.vz))
        for axis in range(3):
            self.position[axis] += v[axis] * dt_s
        half = [math.radians(w) * dt_s / 2 for w in (self.velocity.wx, self.velocity.wy, self.velocity.wz)]
        turned = multiply(self.quaternion, (1.0, half[0], half[1], half[2]))
        length = math.sqrt(sum(c * c for c in turned))
        self.quaternion = (turned[0] / length, turned[1] / length, turned[2] / length, turned[3] / length)
        self.peak_n = max(self.peak_n, self.force_n)

    def state(self) -> ArmState:
        """What an arm would report."""
        v = self.velocity
        moving = norm3(v.vx, v.vy, v.vz) > 1.0 or norm3(v.wx, v.wy, v.wz) > 0.5
        return ArmState(
            t_us=int(self.time_s * 1e6),
            joints=(0.0,) * 7,
            position_mm=(self.position[0], self.position[1], self.position[2]),
            quaternion=self.quaternion,
            twist=v,
            force_n=self.force_n,
            contact=self.force_n > 0.5,
            moving=moving,
            watchdog_tripped=self.tripped,
            patient_button=self.button,
        )

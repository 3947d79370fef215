"""Speed limits, frames, acceleration and jerk. Pure functions over six numbers; no clock of its own."""

from __future__ import annotations

import math

from devices.drivers.base import Range, Twist
from devices.wire.limits import (
    ACCELERATION_DEG_S2,
    ACCELERATION_MM_S2,
    DECELERATION_DEG_S2,
    DECELERATION_MM_S2,
    JERK_DEG_S3,
    JERK_MM_S3,
    LOOP_DELAY_TRAVEL_MM,
    SPEED_ANGULAR_DEG_S,
    SPEED_CONTACT_MM_S,
    SPEED_FREE_MM_S,
)
from devices.wire.messages import LimitBit, Quaternion, Vector3

LOOP_DELAY_UNKNOWN_MS = 150.0  # until measured: the design's target loop; design value
WORKSPACE_BRAKE_MM = 10.0  # slow down over this distance from the edge; design value


def rotate(q: Quaternion, v: Vector3) -> Vector3:
    """v turned by the unit quaternion q (w, x, y, z)."""
    w, x, y, z = q
    tx, ty, tz = 2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def conjugate(q: Quaternion) -> Quaternion:
    """The inverse of a unit quaternion."""
    return (q[0], -q[1], -q[2], -q[3])


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """Hamilton product."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


def rotation_vector_deg(q: Quaternion) -> Vector3:
    """Axis times angle in degrees, the short way round."""
    w, x, y, z = q if q[0] >= 0 else (-q[0], -q[1], -q[2], -q[3])
    sine = math.sqrt(x * x + y * y + z * z)
    if sine < 1e-9:
        return (0.0, 0.0, 0.0)
    scale = math.degrees(2 * math.atan2(sine, w)) / sine
    return (x * scale, y * scale, z * scale)


def tilt_deg(q: Quaternion) -> float:
    """Angle between the beam and straight down in the base frame: the skin's normal, supine."""
    return math.degrees(math.acos(max(-1.0, min(1.0, -rotate(q, (0.0, 0.0, 1.0))[2]))))


def norm3(x: float, y: float, z: float) -> float:
    """Length of a vector."""
    return math.sqrt(x * x + y * y + z * z)


def linear_limit_mm_s(*, contact: bool, loop_delay_ms: float | None) -> tuple[float, LimitBit]:
    """Translation limit and the bit to show when it bites."""
    if not contact:
        return SPEED_FREE_MM_S, LimitBit.SPEED
    delay_ms = LOOP_DELAY_UNKNOWN_MS if loop_delay_ms is None else max(loop_delay_ms, 1.0)
    by_delay = LOOP_DELAY_TRAVEL_MM / (delay_ms / 1000.0)
    if by_delay < SPEED_CONTACT_MM_S:
        return by_delay, LimitBit.LOOP_DELAY_SPEED
    return SPEED_CONTACT_MM_S, LimitBit.SPEED


def clamp_speed(twist: Twist, *, contact: bool, loop_delay_ms: float | None) -> tuple[Twist, LimitBit]:
    """Scale translation and rotation down to their limits, directions kept."""
    limit, bit = linear_limit_mm_s(contact=contact, loop_delay_ms=loop_delay_ms)
    bits = LimitBit(0)
    linear, angular = 1.0, 1.0
    speed, turn = norm3(twist.vx, twist.vy, twist.vz), norm3(twist.wx, twist.wy, twist.wz)
    if speed > limit:
        linear, bits = limit / speed, bits | bit
    if turn > SPEED_ANGULAR_DEG_S:
        angular, bits = SPEED_ANGULAR_DEG_S / turn, bits | LimitBit.ANGULAR
    scaled = Twist(
        twist.vx * linear, twist.vy * linear, twist.vz * linear,
        twist.wx * angular, twist.wy * angular, twist.wz * angular,
    )  # fmt: skip
    return scaled, bits


def clamp_workspace(
    twist: Twist, *, position_mm: Vector3, quaternion: Quaternion, box: tuple[Range, Range, Range]
) -> tuple[Twist, LimitBit]:
    """Take away what leads out of the box, braking before its wall; inward motion stays free."""
    base = list(rotate(quaternion, (twist.vx, twist.vy, twist.vz)))
    bit = False
    for axis, (low, high) in enumerate(box):
        room_mm = high - position_mm[axis] if base[axis] > 0 else position_mm[axis] - low
        allowed = SPEED_FREE_MM_S * max(0.0, min(1.0, room_mm / WORKSPACE_BRAKE_MM))
        if abs(base[axis]) > allowed:
            base[axis], bit = math.copysign(allowed, base[axis]), True
    if not bit:
        return twist, LimitBit(0)
    vx, vy, vz = rotate(conjugate(quaternion), (base[0], base[1], base[2]))
    return Twist(vx, vy, vz, twist.wx, twist.wy, twist.wz), LimitBit.WORKSPACE


class _Axis:
    """One velocity component. Its acceleration changes by at most ``jerk`` per second on the way to a new speed;
    coming to rest, and slowing because a limit bit, take the deceleration ramp at once."""

    __slots__ = ("_accel", "_accel_max", "_decel_max", "_jerk", "velocity")

    def __init__(self, *, accel: float, decel: float, jerk: float) -> None:
        self.velocity = 0.0
        self._accel = 0.0
        self._accel_max, self._decel_max, self._jerk = accel, decel, jerk

    def step(self, target: float, dt_s: float, *, smooth: bool) -> float:
        slowing = abs(target) < abs(self.velocity) or self.velocity * target < 0.0
        if slowing and (not smooth or target == 0.0):
            return self._brake(target, dt_s)
        return self._smooth(target, dt_s)

    def _brake(self, target: float, dt_s: float) -> float:
        gap = target - self.velocity
        change = min(abs(gap), self._decel_max * dt_s, abs(self.velocity))  # not past zero in one step
        self._accel = 0.0
        self.velocity += math.copysign(change, gap)
        return self.velocity

    def _smooth(self, target: float, dt_s: float) -> float:
        """The highest acceleration that can still fall to zero, by the allowed jerk, when the target is reached:
        in steps of s = j dt that takes a dt/2 + a^2 / (2 j) of speed, so a = (sqrt(s^2 + 8 j gap) - s) / 2."""
        gap = target - self.velocity
        step = self._jerk * dt_s
        fading = (math.sqrt(step * step + 8.0 * self._jerk * abs(gap)) - step) / 2.0
        wanted = min(self._accel_max, fading, abs(gap) / dt_s)
        self._accel += max(-step, min(step, math.copysign(wanted, gap) - self._accel))
        self.velocity += self._accel * dt_s
        if abs(target - self.velocity) < 1e-6 and abs(self._accel) <= step:
            self.velocity = target
        return self.velocity

    def chase(self, target: float, dt_s: float) -> float:
        """Along the beam under the force loop: more push comes smoothly, less push at once."""
        if target > self.velocity and self.velocity >= 0.0:
            return self._smooth(target, dt_s)
        gap = target - self.velocity
        self._accel = 0.0
        self.velocity += math.copysign(min(abs(gap), self._decel_max * dt_s), gap)
        return self.velocity


class Slew:
    """Acceleration and jerk limit over all six components."""

    def __init__(self) -> None:
        self._axes = [
            _Axis(accel=ACCELERATION_MM_S2, decel=DECELERATION_MM_S2, jerk=JERK_MM_S3) for _ in range(3)
        ] + [_Axis(accel=ACCELERATION_DEG_S2, decel=DECELERATION_DEG_S2, jerk=JERK_DEG_S3) for _ in range(3)]

    def step(
        self, target: Twist, dt_s: float, *, beam_direct: bool = False, smooth: bool = True
    ) -> tuple[Twist, LimitBit]:
        """Move towards the target for dt; SLEW when it was not reached.

        ``beam_direct``: the force loop or a way out decides the velocity along the beam. ``smooth``: nothing asks
        for less speed than the operator does; otherwise slowing is never smoothed.
        """
        wanted = (target.vx, target.vy, target.vz, target.wx, target.wy, target.wz)
        v = [
            axis.chase(value, dt_s) if beam_direct and index == 2 else axis.step(value, dt_s, smooth=smooth)
            for index, (axis, value) in enumerate(zip(self._axes, wanted, strict=True))
        ]
        reached = all(abs(a - b) < 1e-6 for a, b in zip(v, wanted, strict=True))
        return Twist(v[0], v[1], v[2], v[3], v[4], v[5]), LimitBit(0) if reached else LimitBit.SLEW

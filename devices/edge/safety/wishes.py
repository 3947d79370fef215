"""From what is wanted to what the arm is told: parked, steered, and the limits over both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.drivers.base import ZERO, ArmState, Twist
from devices.edge.safety import force, motion
from devices.edge.safety.states import STEERED
from devices.wire.limits import APPROACH_MM_S, FORCE_STOPPED_N
from devices.wire.messages import Command, LimitBit, Mode, SafetyState, Vector3

if TYPE_CHECKING:
    from devices.edge.safety.core import SafetyCore

S = SafetyState
SLOWING = LimitBit.FORCE_CAP | LimitBit.WORKSPACE | LimitBit.LOOP_DELAY_SPEED | LimitBit.NO_GO
"""Limits that take speed away: what they take, they take at once."""


def parked(core: SafetyCore, arm: ArmState, now_ms: float) -> tuple[Twist, bool]:
    """No motion; in contact the force is kept, capped and eased. Never chases a lost contact."""
    cap, bits = core.caps.cap_n(tilt_deg=motion.tilt_deg(arm.quaternion))
    core.limit_bits |= bits
    if core.command is not None:
        core.applied_seq = core.command.seq if core.state is S.PARK else core.applied_seq
    if core.watch.contact:
        parked_ms = now_ms - core.parked_since_ms if core.state is S.PARK else 0.0
        held = force.parked_n(core.force_set_n, cap_n=cap, parked_ms=parked_ms)
        return Twist(vz=force.admittance_mm_s(force_n=arm.force_n, set_n=held, contact=True)), True
    return ZERO, True


def steered(core: SafetyCore, command: Command, arm: ArmState, now_ms: float) -> tuple[Twist, bool]:
    """What the operator's command becomes; the second value says whether the force loop owns the beam."""
    core.applied_seq = command.seq
    contact = core.watch.contact
    cap, bits = core.caps.cap_n(tilt_deg=motion.tilt_deg(arm.quaternion))
    core.limit_bits |= bits
    if contact and not core.go_valid(now_ms):
        # Touched without the bedside's go, by sliding into the skin: nothing but away.
        core.limit_bits |= LimitBit.NO_GO
        core.force_set_n = min(core.force_set_n, FORCE_STOPPED_N)
        return Twist(vz=force.ease_mm_s(force_n=arm.force_n)), True
    twist = Twist(*command.twist)
    if not contact and command.mode & Mode.PATIENT_FRAME:
        twist = _from_patient_frame(core, twist, arm)
    wanted_n, bits = force.setpoint_n(command.force_setpoint_n, cap_n=cap)
    regulated = command.force_control or (contact and twist.vz >= 0.0)
    if regulated:
        core.limit_bits |= bits
        core.force_set_n = wanted_n
        vz = force.admittance_mm_s(force_n=arm.force_n, set_n=wanted_n, contact=contact)
    else:
        core.force_set_n = min(arm.force_n, cap) if contact else 0.0
        vz = min(twist.vz, APPROACH_MM_S)
        core.limit_bits |= LimitBit.SPEED if vz < twist.vz else LimitBit(0)
    if vz > 0.0 and not core.go_valid(now_ms):
        vz = 0.0
        core.limit_bits |= LimitBit.NO_GO
    scale = force.sideways_scale(arm.force_n) if contact else 1.0
    core.limit_bits |= LimitBit.FORCE_CAP if scale < 1.0 else LimitBit(0)
    sideways = Twist(
        twist.vx * scale, twist.vy * scale, 0.0 if regulated else vz, twist.wx, twist.wy, twist.wz
    )
    limited, bits = motion.clamp_speed(sideways, contact=contact, loop_delay_ms=core.loop.mean_ms)
    core.limit_bits |= bits
    beam = vz if regulated else limited.vz
    return Twist(limited.vx, limited.vy, beam, limited.wx, limited.wy, limited.wz), regulated


def _from_patient_frame(core: SafetyCore, twist: Twist, arm: ArmState) -> Twist:
    """Travel in the patient's frame; with the head at the other end it is turned by half a circle."""
    sign = -1.0 if core.orientation is not None and core.orientation["head"] == "right" else 1.0
    base: Vector3 = (sign * twist.vx, sign * twist.vy, twist.vz)
    vx, vy, vz = motion.rotate(motion.conjugate(arm.quaternion), base)
    return Twist(vx, vy, vz, twist.wx, twist.wy, twist.wz)


def limited(core: SafetyCore, target: Twist, arm: ArmState, dt_s: float, *, beam_direct: bool) -> Twist:
    """Soft force limit, workspace, slew: the last word on every wish."""
    vz, bits = force.soft_limit(target.vz, force_n=arm.force_n)
    beam_direct = beam_direct or bool(bits)
    target = Twist(target.vx, target.vy, vz, target.wx, target.wy, target.wz)
    core.limit_bits |= bits
    if core.state in STEERED or core.state is S.PLACE:
        target, bits = motion.clamp_workspace(
            target, position_mm=arm.position_mm, quaternion=arm.quaternion, box=core.facts.workspace_mm
        )
        core.limit_bits |= bits
    smooth = core.state is S.MOVING and not core.limit_bits & SLOWING
    twist, bits = core.slew.step(target, dt_s, beam_direct=beam_direct, smooth=smooth)
    core.limit_bits |= bits
    return twist

"""Telemetry of one moment, from the core's state."""

from __future__ import annotations

from typing import Any

from devices.edge.safety.core import SafetyCore
from devices.edge.safety.motion import tilt_deg
from devices.wire.messages import AGE_UNKNOWN_MS, SafetyState, Telemetry, TelemetryFlag

U32 = 0xFFFFFFFF


def telemetry(
    core: SafetyCore, *, tel_seq: int, now_ms: float, event_serial: int = 0, uploads_pending: int = 0
) -> Telemetry:
    """What the pages are told. With no arm state yet the pose is zero and the state says FAULT or IDLE."""
    arm, heard = core.arm, core.heard
    cap_n, _ = core.caps.cap_n(tilt_deg=tilt_deg(arm.quaternion) if arm is not None else 0.0)
    done = core.done
    common = Telemetry(
        tel_seq=tel_seq & U32,
        t_edge_us=int(now_ms * 1000),
        flags=int(_flags(core, now_ms, uploads_pending)),
        lease_epoch=core.lease.epoch,
        last_seq=core.gates.last_seq,
        applied_seq=core.applied_seq,
        echo_t_client_us=heard.command.t_client_us if heard is not None else 0,
        echo_hold_us=min(U32, int((now_ms - core.heard_at_ms) * 1000)) if heard is not None else 0,
        safety_state=core.state,
        stop_cause=core.cause,
        limit_bits=int(core.limit_bits),
        force_n=core.watch.force_n,
        force_set_n=core.force_set_n,
        force_cap_n=cap_n,
        done=(done.vx, done.vy, done.vz, done.wx, done.wy, done.wz),
        frame_id=core.frames.newest,
        last_refusal=core.gates.last_refusal,
        peers=core.peers.bits,
        refused_n=core.gates.refused_n & 0xFFFF,
        command_age_ms=AGE_UNKNOWN_MS if heard is None else min(AGE_UNKNOWN_MS - 1, round(heard.age_ms)),
        event_serial=event_serial & U32,
        position_mm=arm.position_mm if arm is not None else (0.0, 0.0, 0.0),
        quaternion=arm.quaternion if arm is not None else (1.0, 0.0, 0.0, 0.0),
        joints_rad=arm.joints if arm is not None else (0.0,) * 7,
    )
    return common


def probe(core: SafetyCore) -> dict[str, Any] | None:
    """Where the probe is, for the marks on pictures: what the arm itself reported, at its own time.

    ``{t_us, position_mm, quaternion, lying: {head, lie} or None, exam}``; ``exam`` is the one for
    which the bedside said how the patient lies. None while no arm has reported.
    """
    arm = core.arm
    if arm is None:
        return None
    return {
        "t_us": arm.t_us,
        "position_mm": list(arm.position_mm),
        "quaternion": list(arm.quaternion),
        "lying": core.orientation,
        "exam": core.orientation_exam,
    }


def _flags(core: SafetyCore, now_ms: float, uploads_pending: int) -> TelemetryFlag:
    states = {
        TelemetryFlag.CONTACT: core.watch.contact,
        TelemetryFlag.FROZEN: core.freeze.on,
        TelemetryFlag.LATCHED: core.latched,
        TelemetryFlag.GENTLE: core.caps.gentle,
        TelemetryFlag.GO_VALID: core.go_valid(now_ms),
        TelemetryFlag.LEASE_LIVE: core.lease.live(now_ms),
        TelemetryFlag.BEDSIDE_PRESENT: core.peers.bedside_present(now_ms),
        TelemetryFlag.NEEDS_RELEASE: core.needs_release,
        TelemetryFlag.HAND_GUIDE: core.state is SafetyState.HAND_GUIDE,
        TelemetryFlag.UPLOAD_PENDING: uploads_pending > 0,
        TelemetryFlag.REPOSITION: core.reposition,
    }
    flags = TelemetryFlag(0)
    for flag, on in states.items():
        if on:
            flags |= flag
    return flags

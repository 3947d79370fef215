"""Pack and unpack the binary messages.

``unpack_*`` raise WireError with the refusal's code for a wrong size, version, type or schema. They
do not judge values: epoch, sequence, finiteness and age are gates of the safety process, in order.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import cast

from devices.wire.messages import (
    COMMAND_SIZE,
    ESTOP_SIZE,
    SCHEMA_HASH,
    TELEMETRY_SIZE,
    TYPE_COMMAND,
    TYPE_ESTOP,
    TYPE_TELEMETRY,
    VERSION,
    Command,
    Estop,
    Joints7,
    Quaternion,
    Refusal,
    SafetyState,
    StopCause,
    Telemetry,
    Twist6,
    Vector3,
)

_COMMAND = struct.Struct("<BBHIIIQ6ffIHHI")
_TELEMETRY = struct.Struct("<BBHIIIIQQIBBH3f4f7hfff6hIBBHHII")
_ESTOP = struct.Struct("<BBHIQ")
assert (_COMMAND.size, _TELEMETRY.size, _ESTOP.size) == (COMMAND_SIZE, TELEMETRY_SIZE, ESTOP_SIZE)

JOINT_UNIT_RAD = 1e-4
DONE_UNIT = 0.01  # mm/s and deg/s


class WireError(ValueError):
    """A message that cannot be read. ``code`` is the refusal to count."""

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(f"{code.name.lower()}: {detail}" if detail else code.name.lower())
        self.code = code


def pack_command(command: Command) -> bytes:
    """64 bytes. Raises WireError(SCHEMA) when a field does not fit its type."""
    c = command
    return _pack(
        _COMMAND,
        (
            *(VERSION, TYPE_COMMAND, c.flags, c.lease_epoch, c.seq, c.tel_seq_seen, c.t_client_us),
            *c.twist,
            *(c.force_setpoint_n, c.frame_id_seen, c.mode, c.ttl_ms, c.schema_hash),
        ),
    )


def unpack_command(data: bytes) -> Command:
    """Read 64 bytes. Raises WireError(SIZE or SCHEMA)."""
    v = _unpack(_COMMAND, TYPE_COMMAND, data)
    if v[-1] != SCHEMA_HASH:
        raise WireError(Refusal.SCHEMA, f"schema hash {v[-1]:08x}")
    return Command(
        flags=v[2], lease_epoch=v[3], seq=v[4], tel_seq_seen=v[5], t_client_us=v[6],
        vx=v[7], vy=v[8], vz=v[9], wx=v[10], wy=v[11], wz=v[12], force_setpoint_n=v[13],
        frame_id_seen=v[14], mode=v[15], ttl_ms=v[16], schema_hash=v[17],
    )  # fmt: skip


def pack_telemetry(telemetry: Telemetry) -> bytes:
    """128 bytes. Joints and done twist are clamped to their 16-bit range."""
    t = telemetry
    return _pack(
        _TELEMETRY,
        (
            *(VERSION, TYPE_TELEMETRY, t.flags, t.lease_epoch, t.tel_seq, t.last_seq, t.applied_seq),
            *(t.t_edge_us, t.echo_t_client_us, t.echo_hold_us, t.safety_state, t.stop_cause, t.limit_bits),
            *t.position_mm,
            *t.quaternion,
            *_to_i16(t.joints_rad, JOINT_UNIT_RAD),
            *(t.force_n, t.force_set_n, t.force_cap_n),
            *_to_i16(t.done, DONE_UNIT),
            *(t.frame_id, t.last_refusal, t.peers, t.refused_n, t.command_age_ms, t.event_serial),
            t.schema_hash,
        ),
    )


def unpack_telemetry(data: bytes) -> Telemetry:
    """Read 128 bytes. Raises WireError(SIZE or SCHEMA), also for an unknown state or cause."""
    v = _unpack(_TELEMETRY, TYPE_TELEMETRY, data)
    if v[-1] != SCHEMA_HASH:
        raise WireError(Refusal.SCHEMA, f"schema hash {v[-1]:08x}")
    try:
        state, cause, refusal = SafetyState(v[10]), StopCause(v[11]), Refusal(v[37])
    except ValueError as error:
        raise WireError(Refusal.SCHEMA, str(error)) from None
    return Telemetry(
        flags=v[2], lease_epoch=v[3], tel_seq=v[4], last_seq=v[5], applied_seq=v[6], t_edge_us=v[7],
        echo_t_client_us=v[8], echo_hold_us=v[9], safety_state=state, stop_cause=cause, limit_bits=v[12],
        position_mm=cast(Vector3, v[13:16]), quaternion=cast(Quaternion, v[16:20]),
        joints_rad=cast(Joints7, tuple(i * JOINT_UNIT_RAD for i in v[20:27])),
        force_n=v[27], force_set_n=v[28], force_cap_n=v[29],
        done=cast(Twist6, tuple(i * DONE_UNIT for i in v[30:36])),
        frame_id=v[36], last_refusal=refusal, peers=v[38], refused_n=v[39], command_age_ms=v[40],
        event_serial=v[41], schema_hash=v[42],
    )  # fmt: skip


def pack_estop(estop: Estop) -> bytes:
    """16 bytes."""
    return _pack(_ESTOP, (VERSION, TYPE_ESTOP, estop.flags, estop.seq, estop.t_client_us))


def unpack_estop(data: bytes) -> Estop:
    """Read 16 bytes. Raises WireError(SIZE or SCHEMA)."""
    v = _unpack(_ESTOP, TYPE_ESTOP, data)
    return Estop(flags=v[2], seq=v[3], t_client_us=v[4])


def _pack(layout: struct.Struct, values: tuple[float, ...]) -> bytes:
    try:
        return layout.pack(*values)
    except (struct.error, OverflowError) as error:
        raise WireError(Refusal.SCHEMA, str(error)) from None


def _unpack(layout: struct.Struct, type_: int, data: bytes) -> tuple[int, ...]:
    if len(data) != layout.size:
        raise WireError(Refusal.SIZE, f"{len(data)} bytes, expected {layout.size}")
    values = layout.unpack(data)
    if values[0] != VERSION or values[1] != type_:
        raise WireError(Refusal.SCHEMA, f"version {values[0]} type {values[1]}")
    return values


def _to_i16(values: Iterable[float], unit: float) -> tuple[int, ...]:
    values = tuple(values)
    if not all(map(math.isfinite, values)):
        raise WireError(Refusal.NOT_FINITE, "telemetry field")
    return tuple(max(-32768, min(32767, round(value / unit))) for value in values)

"""What one cycle of a recording consists of: items of ``<BI`` kind, length, then the payload, little-endian."""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Iterator
from typing import Any

from devices.drivers.base import ArmState, Twist
from devices.edge.safety.cycle import Output

HEAD = struct.Struct("<BI")
CYCLE = struct.Struct("<Qdd")
"""number of the cycle, now s, dt s"""
WALL = struct.Struct("<d")
_STATE = struct.Struct("<Q7d3d4d6dd4?")
_OUTPUT = struct.Struct("<6dd???")
"""twist, force set-point, is there one, stop, silent; then the calls as JSON"""


class Kind(enum.IntEnum):
    """Below 16: what came in. From 16: what went out."""

    CYCLE = 1
    DATAGRAM = 2
    CLAIMS = 3
    """What a token's check answered: ``{"claims": {...}}`` or ``{"refused": code}``."""
    WALL = 4
    SITE = 5
    ARM_STATE = 6
    ARM_ERROR = 7
    """``{"call", "error", "base", "text"}``"""
    OUTPUT = 16
    SENT = 17


Item = tuple[Kind, bytes]


def pack(kind: Kind, payload: bytes) -> bytes:
    """One item."""
    return HEAD.pack(kind, len(payload)) + payload


def items_in(data: bytes) -> Iterator[Item]:
    """Every item of a block. Raises ValueError when it is cut short."""
    at = 0
    while at < len(data):
        try:
            number, length = HEAD.unpack_from(data, at)
        except struct.error as error:
            raise ValueError("an item is cut short") from error
        at += HEAD.size
        if at + length > len(data):
            raise ValueError("an item is cut short")
        yield Kind(number), data[at : at + length]
        at += length


def pack_state(state: ArmState) -> bytes:
    """Every field, bit for bit."""
    t = state.twist
    flags = (state.contact, state.moving, state.watchdog_tripped, state.patient_button)
    turned = (*state.quaternion, t.vx, t.vy, t.vz, t.wx, t.wy, t.wz, state.force_n)
    return _STATE.pack(state.t_us, *state.joints, *state.position_mm, *turned, *flags)


def unpack_state(data: bytes) -> ArmState:
    """The inverse."""
    f = _STATE.unpack(data)
    return ArmState(f[0], f[1:8], f[8:11], f[11:15], Twist(*f[15:21]), f[21], *f[22:26])


def pack_output(out: Output) -> bytes:
    """Every field, bit for bit."""
    t, has = out.twist, out.force_set_n is not None
    force_n = out.force_set_n if out.force_set_n is not None else 0.0
    head = _OUTPUT.pack(t.vx, t.vy, t.vz, t.wx, t.wy, t.wz, force_n, has, out.stop, out.silent)
    return head + pack_json(out.calls) if out.calls else head


def output_fields(data: bytes) -> dict[str, Any]:
    """For people: what an OUTPUT item says."""
    f = _OUTPUT.unpack_from(data)
    calls = json.loads(data[_OUTPUT.size :] or b"[]")
    force_n = f[6] if f[7] else None
    return {"twist": f[:6], "force_set_n": force_n, "stop": f[8], "silent": f[9], "calls": calls}


def pack_json(value: Any) -> bytes:
    """Compact, always the same for the same value."""
    return json.dumps(value, separators=(",", ":")).encode()

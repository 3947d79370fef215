"""``python -m devices.wire.vectors > tests/data/wire_vectors.json``: the file Python and JavaScript read.

64-bit times are written as decimal strings: JSON numbers lose them in a browser.
"""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import asdict
from typing import Any

from devices.wire.codec import (
    WireError,
    pack_command,
    pack_estop,
    pack_telemetry,
    unpack_command,
    unpack_estop,
    unpack_telemetry,
)
from devices.wire.messages import (
    AGE_UNKNOWN_MS,
    LAYOUT,
    SCHEMA_HASH,
    Command,
    CommandFlag,
    Estop,
    EstopFlag,
    LimitBit,
    Mode,
    PeerBit,
    Refusal,
    SafetyState,
    StopCause,
    Telemetry,
    TelemetryFlag,
)

_BIG_US = 2**53 + 1  # one more than a JavaScript number can hold


def commands() -> dict[str, Command]:
    """Named commands, every field different from its neighbours at least once."""
    held = int(CommandFlag.DEADMAN | CommandFlag.FORCE_CONTROL)
    return {
        "zero": Command(lease_epoch=0, seq=0, t_client_us=0),
        "park": Command(lease_epoch=7, seq=41, t_client_us=123_456_789, tel_seq_seen=40, frame_id_seen=900),
        "every_field": Command(
            lease_epoch=0x01020304, seq=0x05060708, tel_seq_seen=0x090A0B0C, t_client_us=_BIG_US, flags=held,
            vx=1.5, vy=-2.25, vz=3.125, wx=-4.5, wy=5.75, wz=-6.875, force_setpoint_n=5.5,
            frame_id_seen=0x0D0E0F10, mode=int(Mode.PATIENT_FRAME), ttl_ms=250,
        ),
        "largest": Command(
            lease_epoch=2**32 - 1, seq=2**32 - 1, tel_seq_seen=2**32 - 1, t_client_us=2**64 - 1, flags=65535,
            vx=150.0, wz=20.0, force_setpoint_n=12.0, frame_id_seen=2**32 - 1, mode=65535, ttl_ms=65535,
        ),
    }  # fmt: skip


def telemetry() -> dict[str, Telemetry]:
    """Named telemetry. Fractions are exact in 32-bit floats or in the 16-bit units."""
    return {
        "idle": Telemetry(tel_seq=1, t_edge_us=20),
        "moving": Telemetry(
            tel_seq=1001, t_edge_us=_BIG_US, lease_epoch=7, last_seq=500, applied_seq=499,
            flags=int(TelemetryFlag.CONTACT | TelemetryFlag.LEASE_LIVE | TelemetryFlag.BEDSIDE_PRESENT),
            echo_t_client_us=2**40 + 3, echo_hold_us=1800, safety_state=SafetyState.MOVING,
            limit_bits=int(LimitBit.SPEED | LimitBit.LOOP_DELAY_SPEED),
            position_mm=(12.5, -40.25, 3.0), quaternion=(0.0, 1.0, 0.0, 0.0),
            joints_rad=(0.1, -0.2, 0.3, -1.5, 0.0, 3.2767, -3.2768), force_n=5.25, force_set_n=5.5,
            force_cap_n=12.0, done=(1.5, -2.25, 0.0, 0.0, -5.75, 20.0), frame_id=900,
            peers=int(PeerBit.CONSOLE | PeerBit.BEDSIDE), command_age_ms=12, event_serial=17,
        ),
        "stopped": Telemetry(
            tel_seq=2**32 - 1, t_edge_us=2**64 - 1, flags=0x3FF, safety_state=SafetyState.STOPPED,
            stop_cause=StopCause.ESTOP_BEDSIDE, limit_bits=0x1FF, force_n=-0.5, force_cap_n=5.0,
            last_refusal=Refusal.STATE, refused_n=65535, command_age_ms=AGE_UNKNOWN_MS, event_serial=2**32 - 1,
        ),
    }  # fmt: skip


def estops() -> dict[str, Estop]:
    """Named e-stop channel messages."""
    return {
        "presence": Estop(seq=3, t_client_us=9_000_000, flags=int(EstopFlag.PRESENCE)),
        "stop": Estop(seq=4, t_client_us=_BIG_US, flags=int(EstopFlag.STOP)),
        "both": Estop(seq=2**32 - 1, t_client_us=2**64 - 1, flags=int(EstopFlag.STOP | EstopFlag.PRESENCE)),
    }


def bad() -> list[dict[str, str]]:
    """Bytes that must be refused, with the message kind they were sent as and the refusal's name."""
    good = pack_command(commands()["park"])
    spoiled = {
        "empty": b"",
        "short": good[:-1],
        "long": good + b"\0",
        "version": b"\x02" + good[1:],
        "type": good[:1] + b"\x02" + good[2:],
        "schema_hash": good[:-4] + struct.pack("<I", SCHEMA_HASH ^ 1),
    }
    found = [("command", name, data) for name, data in spoiled.items()]
    tel = pack_telemetry(telemetry()["idle"])
    found += [("telemetry", "short", tel[:64]), ("telemetry", "state", tel[:40] + b"\xff" + tel[41:])]
    stop = pack_estop(estops()["stop"])
    found += [("estop", "long", stop + b"\0"), ("estop", "type", stop[:1] + b"\x01" + stop[2:])]
    return [{"kind": k, "name": n, "hex": d.hex(), "code": _code(k, d)} for k, n, d in found]


def _code(kind: str, data: bytes) -> str:
    read = {"command": unpack_command, "telemetry": unpack_telemetry, "estop": unpack_estop}[kind]
    try:
        read(data)
    except WireError as error:
        return error.code.name.lower()
    raise AssertionError(f"{kind} {data.hex()} should be refused")


def _fields(message: Command | Telemetry | Estop) -> dict[str, Any]:
    fields = asdict(message)
    for name in ("t_client_us", "t_edge_us", "echo_t_client_us"):
        if name in fields:
            fields[name] = str(fields[name])
    return fields


def document() -> dict[str, Any]:
    """The whole vectors file."""
    return {
        "layout": LAYOUT,
        "schema_hash": SCHEMA_HASH,
        "commands": [
            {"name": n, "hex": pack_command(m).hex(), "fields": _fields(m)} for n, m in commands().items()
        ],
        "telemetry": [
            {"name": n, "hex": pack_telemetry(m).hex(), "fields": _fields(m)} for n, m in telemetry().items()
        ],
        "estop": [{"name": n, "hex": pack_estop(m).hex(), "fields": _fields(m)} for n, m in estops().items()],
        "bad": bad(),
    }


def text() -> str:
    """The file's exact text."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

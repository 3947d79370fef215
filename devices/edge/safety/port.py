"""The datagrams between link and safety: one socket each side, newest state wins, nothing blocks.

link -> safety: ``b"c" slot wire.Command``, ``b"e" slot wire.Estop``, or JSON (first byte ``{``).
safety -> link: wire.Telemetry (128 bytes), or JSON.
"""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

SAFETY_SOCKET = "safety.sock"
LINK_SOCKET = "link.sock"
PROBE_SOCKET = "probe.sock"  # imaging listens: where the probe is, and how the patient lies
COMMAND = ord("c")
ESTOP = ord("e")
JSON = ord("{")
MAX_DATAGRAM = 65536


def bind(path: Path) -> socket.socket:
    """A non-blocking datagram socket at ``path``; an old one of a dead process is replaced."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.setblocking(False)
    found.bind(str(path))
    return found


def send(sock: socket.socket, path: Path, data: bytes) -> bool:
    """Send or drop: a peer that is gone or full must never hold the sender up."""
    try:
        sock.sendto(data, str(path))
    except OSError:
        return False
    return True


def pack_json(message: dict[str, Any]) -> bytes:
    """Compact JSON; starts with ``{``."""
    return json.dumps(message, separators=(",", ":")).encode()

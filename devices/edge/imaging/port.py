"""The imaging process's end of `imaging.sock`: SOCK_SEQPACKET, one client, one packet per message.

Binary packet: `<BBHIQQI` = 0x56, flags (bit 0 keyframe, bit 1 frozen), 0, frame_id, pts_90k, capture time (us,
monotonic), length; then Annex-B bytes. A packet that begins with `{` is JSON. A client that does not keep up loses
whole pictures and then gets a keyframe: nothing queues.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<BBHIQQI")
MAGIC = 0x56
KEYFRAME, FROZEN = 1, 2
REQUEST_MAX = 65_536
SEND_BUFFER = 1 << 20


class Port:
    """Accepts the newest client and never blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None

    def accept(self) -> bool:
        """True when a new client replaced the old."""
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return False
        self._drop()
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._client = client
        return True

    def requests(self) -> list[dict[str, Any]]:
        """JSON objects that arrived; nonsense is dropped."""
        found: list[dict[str, Any]] = []
        while self._client is not None:
            try:
                data = self._client.recv(REQUEST_MAX)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._drop()
                break
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(data)
                if isinstance(message, dict):
                    found.append(message)
        return found

    def send_json(self, message: dict[str, Any]) -> bool:
        return self._send(json.dumps(message).encode())

    def send_unit(
        self, data: bytes, *, frame_id: int, pts_90k: int, taken_us: int, keyframe: bool, frozen: bool
    ) -> bool:
        """False when the client is away or too slow: that picture is gone for it."""
        flags = (KEYFRAME if keyframe else 0) | (FROZEN if frozen else 0)
        return self._send(HEADER.pack(MAGIC, flags, 0, frame_id, pts_90k, taken_us, len(data)) + data)

    def _send(self, packet: bytes) -> bool:
        if self._client is None:
            return False
        try:
            self._client.send(packet)
        except BlockingIOError:
            return False
        except OSError:
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def close(self) -> None:
        self._drop()
        self._listener.close()
        self._path.unlink(missing_ok=True)

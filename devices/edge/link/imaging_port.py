"""The link's end of ``imaging.sock``: access units in, JSON both ways, redialled for ever.

SOCK_SEQPACKET, one packet per message. A binary packet is ``<BBHIQQI`` (0x56, flags, 0, frame_id,
pts_90k, t_capture_us, len) followed by Annex-B H.264; a packet that begins with ``{`` is JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("edge.imaging-port")
HEADER = struct.Struct("<BBHIQQI")
MAGIC = 0x56
FLAG_KEYFRAME, FLAG_FROZEN = 1, 2
MAX_PACKET = 1 << 20
REDIAL_S = 0.2
REQUEST_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture. ``pts_90k`` = frame_id * 3000."""

    frame_id: int
    pts_90k: int
    taken_us: int
    keyframe: bool
    frozen: bool
    data: bytes


def parse(packet: bytes) -> AccessUnit | dict[str, Any] | None:
    """Read one packet; None for nonsense."""
    if packet[:1] == b"{":
        try:
            message = json.loads(packet)
        except ValueError:
            return None
        return message if isinstance(message, dict) else None
    if len(packet) < HEADER.size:
        return None
    magic, flags, _, frame_id, pts, taken_us, length = HEADER.unpack_from(packet)
    if magic != MAGIC or len(packet) != HEADER.size + length:
        return None
    keyframe, frozen = bool(flags & FLAG_KEYFRAME), bool(flags & FLAG_FROZEN)
    return AccessUnit(frame_id, pts, taken_us, keyframe, frozen, packet[HEADER.size :])


class ImagingPort:
    """Connects, reads, and pairs requests with their acks."""

    def __init__(
        self,
        *,
        path: Path,
        on_unit: Callable[[AccessUnit], None],
        on_message: Callable[[dict[str, Any]], None],
        on_connect: Callable[[], None],
    ) -> None:
        self._path = path
        self._on_unit, self._on_message, self._on_connect = on_unit, on_message, on_connect
        self._sock: socket.socket | None = None
        self._next_id = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @property
    def connected(self) -> bool:
        """Whether the imaging process is there."""
        return self._sock is not None

    async def run(self) -> None:
        """Stay connected for ever."""
        while True:
            try:
                await self._session()
            except OSError as error:
                log.debug("imaging: %s", error)
            self._sock = None
            for future in self._waiting.values():
                if not future.done():
                    future.set_result({"ok": False, "code": "imaging_gone"})
            self._waiting.clear()
            await asyncio.sleep(REDIAL_S)

    async def _session(self) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MAX_PACKET)
            await loop.sock_connect(sock, str(self._path))
            self._sock = sock
            log.info("imaging connected")
            self._on_connect()
            while packet := await loop.sock_recv(sock, MAX_PACKET):
                self._take(packet)

    def _take(self, packet: bytes) -> None:
        found = parse(packet)
        if isinstance(found, AccessUnit):
            self._on_unit(found)
        elif found is None:
            log.warning("unreadable packet of imaging, %d bytes", len(packet))
        elif found.get("type") == "ack":
            future = self._waiting.pop(int(found.get("id", -1)), None)
            if future is not None and not future.done():
                future.set_result(found)
        else:
            self._on_message(found)

    def tell(self, message: dict[str, Any]) -> int | None:
        """Send without waiting; the id used, None when imaging is not there."""
        self._next_id += 1
        if self._sock is None:
            return None
        try:
            self._sock.send(json.dumps({"id": self._next_id, **message}).encode())
        except OSError as error:
            log.warning("imaging does not take %s: %s", message.get("type"), error)
            return None
        return self._next_id

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send and wait for the ack; ``{"ok": False, "code": "imaging_gone"|"imaging_timeout"}`` on failure."""
        number = self.tell(message)
        if number is None:
            return {"ok": False, "code": "imaging_gone"}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            return await asyncio.wait_for(future, REQUEST_TIMEOUT_S)
        except TimeoutError:
            self._waiting.pop(number, None)
            return {"ok": False, "code": "imaging_timeout"}

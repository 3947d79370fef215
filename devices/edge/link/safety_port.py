"""The link's end of the datagrams to and from the safety process."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.edge.safety import port
from devices.wire.messages import TELEMETRY_SIZE

log = logging.getLogger("edge.safety-port")
ACK_TIMEOUT_S = 2.0
_SLOT = struct.Struct("<BB")


class SafetyPort:
    """Reads telemetry and JSON; pairs control requests with their acks."""

    def __init__(
        self,
        *,
        runtime_dir: Path,
        on_telemetry: Callable[[bytes], None],
        on_message: Callable[[dict[str, Any]], None],
    ) -> None:
        self._path = runtime_dir / port.SAFETY_SOCKET
        self._sock = port.bind(runtime_dir / port.LINK_SOCKET)
        self._on_telemetry, self._on_message = on_telemetry, on_message
        self._next_ref = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._read)

    def command(self, slot: int, data: bytes) -> None:
        """Forward a datagram of the cmd channel, unread."""
        port.send(self._sock, self._path, _SLOT.pack(port.COMMAND, slot) + data)

    def estop(self, slot: int, data: bytes) -> None:
        """Forward a datagram of the estop channel, unread."""
        port.send(self._sock, self._path, _SLOT.pack(port.ESTOP, slot) + data)

    def tell(self, message: dict[str, Any]) -> bool:
        """JSON without an answer; False when the safety process is not there."""
        return port.send(self._sock, self._path, port.pack_json(message))

    async def ask(
        self, message: dict[str, Any], *, timeout_s: float = ACK_TIMEOUT_S
    ) -> dict[str, Any] | None:
        """JSON with an answer carrying the same ``ref``; None when none came in time."""
        self._next_ref += 1
        ref = self._next_ref
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[ref] = future
        try:
            self.tell({**message, "ref": ref})
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(ref, None)

    def _read(self) -> None:
        while True:
            try:
                data = self._sock.recv(port.MAX_DATAGRAM)
            except BlockingIOError:
                return
            if data[:1] == b"{":
                self._take(data)
            elif len(data) == TELEMETRY_SIZE:
                self._on_telemetry(data)

    def _take(self, data: bytes) -> None:
        message = json.loads(data)
        future = self._waiting.get(message.get("ref", -1))
        if future is not None and not future.done():
            future.set_result(message)
        else:
            self._on_message(message)

    def close(self) -> None:
        """Stop reading."""
        asyncio.get_running_loop().remove_reader(self._sock.fileno())
        self._sock.close()

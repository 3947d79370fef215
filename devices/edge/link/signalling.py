"""The robot's own socket to the hospital: dialled out, redialled for ever, pinged every 2 s."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

log = logging.getLogger("edge.signalling")
PING_S = 2.0  # design value; TEL lesson 14
PONG_S = 4.0
REDIAL_FIRST_S = 0.3
REDIAL_MAX_S = 5.0
MAX_MESSAGE_BYTES = 65536


class Signalling:
    """Connection with backoff. Messages sent while it is down are dropped: what must last is journalled."""

    def __init__(
        self,
        *,
        url: str,
        headers: Callable[[], dict[str, str]],
        on_message: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        self._url, self._headers, self._on_message = url, headers, on_message
        self._socket: ClientConnection | None = None
        self.offset_ms: float | None = None

    @property
    def connected(self) -> bool:
        """Welcomed by the server and not closed since."""
        return self._socket is not None and self.offset_ms is not None

    async def run(self) -> None:
        """Stay connected for ever."""
        delay_s = REDIAL_FIRST_S
        while True:
            started_s = time.monotonic()
            try:
                await self._session()
            except (OSError, WebSocketException, TimeoutError) as error:
                log.info("server not there: %s", error)
            self._socket = None
            # Jitter, or a whole fleet dials a restarted server in the same moment.
            lasted = time.monotonic() - started_s > 10.0
            delay_s = REDIAL_FIRST_S if lasted else min(delay_s * 2, REDIAL_MAX_S)
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311

    async def _session(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers(),
            ping_interval=PING_S,
            ping_timeout=PONG_S,
            open_timeout=10,
            close_timeout=1,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
        ) as socket:
            self._socket = socket
            async for text in socket:
                await self._take(text)
        log.info("server closed: %s", socket.close_code)

    async def _take(self, text: str | bytes) -> None:
        try:
            message = json.loads(text)
            if message["type"] == "welcome":
                self.offset_ms = float(message["server_time_ms"]) - time.monotonic() * 1000.0
            await self._on_message(message)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("message of the server not understood: %r", error)

    async def send(self, message: dict[str, Any]) -> bool:
        """Send now or not at all."""
        if self._socket is None:
            return False
        with contextlib.suppress(WebSocketException, OSError):
            await self._socket.send(json.dumps(message, separators=(",", ":")))
            return True
        return False

"""The hospital's side of signalling, small: robot socket, exam sockets, pairing, uploads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from devices.wire.tokens import fingerprints_of_sdp
from tests.edge.tokens import EXAM_ID, ROBOT_ID, Hospital


class FakeServer:
    """One robot, one exam. ``grant`` starts a lease that is renewed every second."""

    def __init__(self) -> None:
        self.hospital = Hospital()
        self.ice_servers: list[dict[str, str]] = []
        self.robot: ServerConnection | None = None
        self.robot_messages: list[dict[str, Any]] = []
        self.pages: dict[str, ServerConnection] = {}
        self.fingerprints: dict[str, str] = {}
        self.dials = 0
        self.epoch = 0
        self._peer_n = 0
        self._renewal: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def start(self) -> None:
        """Listen; on the same port again after ``stop``."""
        self._server = await serve(self._serve, "127.0.0.1", self.port, process_request=self._http)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every socket: the server is gone."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.robot = None

    async def __aexit__(self, *_: object) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        await self.stop()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if "upgrade" in request.headers.get("connection", "").lower():
            return None
        return Response(404, "Not Found", Headers(), b"")

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        url = urlsplit(socket.request.path)
        with contextlib.suppress(ConnectionClosed):  # robots and pages are killed here
            if url.path == "/ws/robot/":
                await self._robot(socket)
            else:
                role = url.path.rstrip("/").rsplit("/", 1)[1]
                await self._page(socket, role, parse_qs(url.query).get("ticket", [""])[0])

    async def _robot(self, socket: ServerConnection) -> None:
        self.dials += 1
        self.robot = socket
        now_ms = time.time_ns() // 1_000_000
        await self._send(
            socket, type="welcome", robot_id=ROBOT_ID, server_time_ms=now_ms, server_keys=self.hospital.rows
        )
        async for text in socket:
            message = json.loads(text)
            self.robot_messages.append(message)
            if message["type"] in ("peer_answer", "peer_refused") and message["peer_id"] in self.pages:
                await self._send(self.pages[message["peer_id"]], **self.relayed(message))
            elif message["type"] == "event":
                await self._send(socket, type="event_ack", serial=message["serial"])

    def relayed(self, message: dict[str, Any]) -> dict[str, Any]:
        """What a page gets of the robot's message; a test may change it."""
        return message

    async def _page(self, socket: ServerConnection, role: str, user: str) -> None:
        self._peer_n += 1
        peer_id = f"{role}-{self._peer_n}"
        self.pages[peer_id] = socket
        await self._send(socket, type="welcome", peer_id=peer_id, role=role, ice_servers=self.ice_servers)
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "peer_offer":
                fp = next(iter(fingerprints_of_sdp(message["sdp"])))
                self.fingerprints[peer_id] = fp
                token = self.hospital.peer(role=role, peer=peer_id, fp=fp, sub=user or peer_id)
                await self.to_robot(
                    type="peer_offer",
                    peer_id=peer_id,
                    exam_id=EXAM_ID,
                    role=role,
                    sdp=message["sdp"],
                    token=token,
                )

    async def to_robot(self, **message: Any) -> None:
        """A message on the robot socket."""
        assert self.robot is not None
        await self._send(self.robot, **message)

    async def _send(self, socket: ServerConnection, **message: Any) -> None:
        await socket.send(json.dumps(message))

    async def grant(self, peer_id: str) -> int:
        """A new epoch for a peer, renewed every second until the next grant or the server's end."""
        self.epoch += 1
        if self._renewal is not None:
            self._renewal.cancel()
        serial = 1
        await self._lease(peer_id, serial)
        self._renewal = asyncio.get_running_loop().create_task(self._renew(peer_id))
        return self.epoch

    async def _renew(self, peer_id: str) -> None:
        serial = 1
        while True:
            await asyncio.sleep(1.0)
            serial += 1
            if self.robot is not None:
                await self._lease(peer_id, serial)

    async def _lease(self, peer_id: str, serial: int) -> None:
        fp = self.fingerprints[peer_id]
        token = self.hospital.lease(epoch=self.epoch, serial=serial, peer=peer_id, fp=fp)
        await self.to_robot(type="lease", token=token)
        page = self.pages[peer_id]
        await self._send(page, type="lease", epoch=self.epoch, serial=serial, live=True, expires_in_ms=5000)

    def told(self, type_: str) -> list[dict[str, Any]]:
        """Messages of the robot of one type."""
        return [m for m in self.robot_messages if m["type"] == type_]

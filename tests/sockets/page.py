"""A page or robot at one end of a socket of the application."""

from __future__ import annotations

import json
import time
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from hospital.access.principals import Principal
from hospital.access.services import ticket_issue
from hospital.project.asgi import application


class Page(ApplicationCommunicator):
    """A page or robot at one end of a socket (channels' own test client would need daphne)."""

    def __init__(self, url: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        path, _, query = url.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers or []}
        super().__init__(application, scope | {"subprotocols": []})

    async def connect(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output(5))["type"] == "websocket.accept"

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1005})
        await self.wait(5)

    async def send_to(self, *, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send_input({"type": "websocket.receive", "text": text_data, "bytes": bytes_data})

    async def wait_for(self, kind: str, timeout_s: float = 5.0) -> dict[str, Any]:
        """The next message of that type; others are read past."""
        deadline = time.monotonic() + timeout_s
        while True:
            frame = await self.receive_output(max(0.01, deadline - time.monotonic()))
            assert frame["type"] == "websocket.send", frame
            message: dict[str, Any] = json.loads(frame["text"])
            if message["type"] == kind:
                return message

    async def closed_with(self, timeout_s: float = 5.0) -> int:
        deadline = time.monotonic() + timeout_s
        while True:
            frame = await self.receive_output(max(0.01, deadline - time.monotonic()))
            if frame["type"] == "websocket.close":
                return int(frame["code"])

    async def say(self, kind: str, /, **fields: Any) -> None:
        await self.send_to(text_data=json.dumps({"type": kind, **fields}))


async def dial(opened: list[Page], principal: Principal, path: str) -> Page:
    """A page of that person; it is disconnected at the end of the test."""
    ticket, _ = await sync_to_async(ticket_issue)(principal=principal)
    page = Page(f"{path}?ticket={ticket}")
    await page.connect()
    opened.append(page)
    return page


async def open_page(opened: list[Page], principal: Principal, exam_id: Any, role: str) -> Page:
    return await dial(opened, principal, f"/ws/exams/{exam_id}/{role}/")


async def next_after_ping(page: Page) -> str:
    """The type of the next word that the page gets, an answer to its ping at the latest."""
    await page.say("ping", t=1)
    return str(json.loads((await page.receive_output(5))["text"])["type"])

"""The base of every WebSocket door: its own strict decoding, defined answers for everything that can arrive."""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from .error_texts import title

MALFORMED, NOT_AUTHENTICATED, NOT_FOUND, REPLACED, OVER = 4400, 4401, 4404, 4409, 4410


class JsonSocket(AsyncWebsocketConsumer):
    """Text frames holding one JSON object with a string `type`. Subclasses implement `on_message`.

    Not JSON, not an object or binary: close 4400. Unknown type or bad fields: an `error` message, the socket stays.
    """

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = json.loads(text_data or "")
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            await self.close(MALFORMED)
            return
        await self.on_message(message)

    async def on_message(self, message: dict[str, Any]) -> None:
        raise NotImplementedError

    async def tell(self, kind: str, /, **fields: Any) -> None:
        await self.send(text_data=json.dumps({"type": kind, **fields}, ensure_ascii=False))

    async def refuse(self, code: str, **fields: Any) -> None:
        await self.tell("error", code=code, title=title(code), **fields)


class UnknownSocket(AsyncWebsocketConsumer):
    """No such address: accepted and closed with 4404, so that the browser sees a code and not a bare 1006."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)

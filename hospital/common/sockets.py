"""The base of every WebSocket door: its own strict decoding, defined answers for everything that can arrive."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from channels.generic.websocket import AsyncWebsocketConsumer

from .api import permit
from .error_texts import title
from .errors import DomainError
from .parsers import strict_json

MALFORMED, NOT_AUTHENTICATED, NOT_FOUND, REPLACED, OVER = 4400, 4401, 4404, 4409, 4410
HEARS = "_on_"


class JsonSocket(AsyncWebsocketConsumer):
    """Text frames holding one JSON object with a string `type`, heard by the method `_on_<type>`.

    `door` names the socket in the permission table: joining is `join`, a message `<door>.<type>`; one without a row
    is a bug that raises. Not JSON, not an object or binary: close 4400. Unknown type, bad fields or not permitted: an
    `error` message, the socket stays.
    """

    door: ClassVar[str] = ""
    join: ClassVar[str] = ""
    principal: Any = None  # who is at the other end; nothing is heard before that is known

    @classmethod
    def hears(cls) -> list[str]:
        """The types of message this socket understands."""
        return sorted(name.removeprefix(HEARS) for name in dir(cls) if name.startswith(HEARS))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = strict_json(text_data or "")
        except ValueError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            await self.close(MALFORMED)
            return
        await self.on_message(message)

    async def on_message(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if self.principal is None or kind not in self.hears():
            await self.refuse("unknown_message")
            return
        try:
            permit(self.principal, f"{self.door}.{kind}")
            await getattr(self, HEARS + kind)(message)
        except DomainError as error:
            await self.refuse(error.code, about=kind)
        except (KeyError, TypeError, ValueError, OverflowError):
            await self.refuse("bad_message", about=kind)

    async def tell(self, kind: str, /, **fields: Any) -> None:
        await self.send(text_data=json.dumps({"type": kind, **fields}, ensure_ascii=False))

    async def refuse(self, code: str, **fields: Any) -> None:
        await self.tell("error", code=code, title=title(code), **fields)


class UnknownSocket(AsyncWebsocketConsumer):
    """No such address: accepted and closed with 4404, so that the browser sees a code and not a bare 1006."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)

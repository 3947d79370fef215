"""How much a request may bring, counted before anything is kept: by what it declares and by what arrives."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .problems import MEDIA_TYPE, problem

Scope = Mapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _TooLarge(Exception):
    """More arrived than the address takes."""


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


class BodyLimit:
    """ASGI: 413 `too_large` for bodies over `limit` bytes; `larger` has (beginning of the path, bytes) exceptions."""

    def __init__(self, app: App, *, limit: int, larger: tuple[tuple[str, int], ...] = ()) -> None:
        self.app, self.limit, self.larger = app, limit, larger

    def _limit(self, path: str) -> int:
        return next((most for start, most in self.larger if path.startswith(start)), self.limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit, came, begun = self._limit(scope["path"]), 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > limit:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        declared = _header(scope, b"content-length")
        try:
            if declared.isdecimal() and int(declared) > limit:
                raise _TooLarge
            await self.app(scope, counted, noted)
        except _TooLarge:
            if begun:
                raise
            await _refuse(scope, send, limit)


async def _refuse(scope: Scope, send: Send, limit: int) -> None:
    language = "en" if _header(scope, b"accept-language").lower().startswith("en") else "zh"
    body = json.dumps(problem("too_large", 413, language, {"max_bytes": limit}), ensure_ascii=False).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})

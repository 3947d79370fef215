"""Only so many requests are worked on at once; the others wait in the order in which they came.

Django runs every request in a thread of its own. A hundred of them at once do not finish sooner on a few cores: they
take turns at the interpreter, wait for connections of the pool until it gives up, and starve the sockets that the same
program serves. A turn is held from the last byte of the request to the first of the answer, so that nobody's slow line
takes one.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from .body_limit import App, Message, Receive, Scope, Send


class Turns:
    """ASGI: at most `at_once` requests between body and answer."""

    def __init__(self, app: App, *, at_once: int) -> None:
        self.app, self.at_once = app, at_once
        # A semaphore belongs to the loop in which somebody first waited for it.
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        turns = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self.at_once))
        mine = answered = False

        async def after_my_turn() -> Message:
            nonlocal mine
            message = await receive()
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            if whole and not mine and not answered:
                await turns.acquire()
                mine = True
            return message

        def over() -> None:
            nonlocal mine, answered
            answered = True
            if mine:
                mine = False
                turns.release()

        async def first_word(message: Message) -> None:
            over()
            await send(message)

        try:
            await self.app(scope, after_my_turn, first_word)
        finally:
            over()

"""Requests take turns between the last byte of the body and the first of the answer, in the order in which they came."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hospital.common.turns import Turns
from tests.waiting import auntil

SCOPE = {"type": "http", "path": "/"}
BODY = {"type": "http.request", "body": b"", "more_body": False}


class House:
    """An application that reads the body, works until told, and answers in two parts."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(self.serve, at_once=at_once)
        self.working: list[str] = []
        self.seen: list[str] = []
        self.go: dict[str, asyncio.Event] = {}

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["name"]
        while (await receive()).get("more_body"):
            pass
        self.working.append(name)
        self.seen.append(name)
        try:
            await self.go[name].wait()
            if name.startswith("broken"):
                raise RuntimeError(name)
            await send({"type": "http.response.start", "status": 200, "headers": []})
        finally:
            self.working.remove(name)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def ask(self, name: str, receive: Any = None, send: Any = None) -> asyncio.Task[None]:
        self.go[name] = asyncio.Event()

        async def whole() -> dict[str, Any]:
            return BODY

        async def nowhere(message: dict[str, Any]) -> None:
            pass

        asked = self.turns({**SCOPE, "name": name}, receive or whole, send or nowhere)
        return asyncio.get_running_loop().create_task(asked)


@pytest.mark.asyncio
async def test_no_more_than_so_many_work_and_the_others_come_in_their_order() -> None:
    house = House(2)
    tasks = [house.ask(name) for name in "abcd"]
    await auntil(lambda: house.working == ["a", "b"])
    await asyncio.sleep(0)
    assert house.seen == ["a", "b"]
    house.go["b"].set()
    await auntil(lambda: house.working == ["a", "c"])
    for event in house.go.values():
        event.set()
    await asyncio.gather(*tasks)
    assert house.seen == ["a", "b", "c", "d"]


@pytest.mark.asyncio
async def test_neither_a_slow_sender_nor_a_slow_reader_holds_a_turn() -> None:
    house, more, taken = House(1), asyncio.Event(), asyncio.Event()
    parts = iter([{**BODY, "more_body": True}, BODY])

    async def slowly() -> Any:
        part = next(parts)
        if not part["more_body"]:
            await more.wait()
        return part

    async def read_slowly(message: dict[str, Any]) -> None:
        await taken.wait()

    sender, reader, third = (
        house.ask("sender", slowly),
        house.ask("reader", send=read_slowly),
        house.ask("third"),
    )
    for event in house.go.values():
        event.set()
    await third
    assert not sender.done() and not reader.done()
    more.set()
    taken.set()
    await asyncio.gather(sender, reader)


@pytest.mark.asyncio
async def test_a_failed_and_a_given_up_request_leave_their_turn_to_the_next() -> None:
    house = House(1)
    broken, waiting, last = house.ask("broken"), house.ask("waiting"), house.ask("last")
    await auntil(lambda: house.working == ["broken"])
    waiting.cancel()
    house.go["broken"].set()
    with pytest.raises(RuntimeError):
        await broken
    house.go["last"].set()
    await last
    assert house.seen == ["broken", "last"]


def test_another_loop_has_turns_of_its_own() -> None:
    house = House(1)

    async def crowd() -> None:
        house.seen.clear()
        tasks = [house.ask(name) for name in "abc"]
        await auntil(lambda: house.working == ["a"])  # the others wait for their turn
        for event in house.go.values():
            event.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 5)
        assert house.seen == ["a", "b", "c"]

    for _ in range(2):
        asyncio.run(crowd())

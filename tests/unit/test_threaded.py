"""Requests share a few threads between the last byte of the body and the first of the answer, in the order they came."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.http import FileResponse, HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from hospital.common.threaded import ThreadedHandler
from tests.waiting import auntil

BODY = {"type": "http.request", "body": b"", "more_body": False}
SOURCE = Path(__file__)
CONTENT = SOURCE.read_bytes()
Sent = list[dict[str, Any]]


class House:
    """Views that work until told, and what they and Django's signals saw."""

    def __init__(self) -> None:
        self.working: list[str] = []
        self.seen: list[str] = []
        self.threads: dict[str, list[int]] = {}
        self.go: dict[str, threading.Event] = {}

    def works(self, request: HttpRequest, name: str) -> HttpResponse:
        self.working.append(name)
        self.seen.append(name)
        try:
            assert self.go[name].wait(10)
            if name.startswith("broken"):
                raise RuntimeError(name)
            return HttpResponse(request.read().decode() or name)
        finally:
            self.working.remove(name)

    def noted(self, **_: Any) -> None:
        self.threads.setdefault(threading.current_thread().name, []).append(1)


HOUSE = House()


def works(request: HttpRequest, name: str) -> HttpResponse:
    return HOUSE.works(request, name)


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(SOURCE.open("rb"))


urlpatterns = [path("works/<str:name>", works), path("file", file)]


@pytest.fixture(autouse=True)
def house() -> Iterator[House]:
    global HOUSE
    HOUSE = House()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        yield HOUSE
    for event in HOUSE.go.values():
        event.set()


def ask(
    handler: ThreadedHandler, where: str, receive: Any = None, send: Any = None
) -> tuple[asyncio.Task[None], Sent]:
    name, sent = where.rpartition("/")[2], list[dict[str, Any]]()
    HOUSE.go[name] = threading.Event()

    async def whole() -> dict[str, Any]:
        return BODY

    async def kept(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": f"/{where}", "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    asked = handler(scope, receive or whole, send or kept)
    return asyncio.get_running_loop().create_task(asked), sent


def all_go() -> None:
    for event in HOUSE.go.values():
        event.set()


@pytest.mark.asyncio
async def test_no_more_than_so_many_work_and_the_others_come_in_their_order(house: House) -> None:
    handler = ThreadedHandler(at_once=2)
    asked = []
    for number, name in enumerate("abcd", 1):
        asked.append(ask(handler, f"works/{name}"))
        await auntil(lambda number=number: len(house.seen) == min(number, 2))  # type: ignore[misc]
    assert house.seen == ["a", "b"]
    house.go["b"].set()
    await auntil(lambda: sorted(house.working) == ["a", "c"])
    all_go()
    await asyncio.gather(*(task for task, _ in asked))
    assert house.seen == ["a", "b", "c", "d"]
    assert [sent[0]["status"] for _, sent in asked] == [200] * 4


@pytest.mark.asyncio
async def test_neither_a_slow_sender_nor_a_slow_reader_holds_a_thread() -> None:
    handler, more, taken = ThreadedHandler(at_once=1), asyncio.Event(), asyncio.Event()
    parts = iter([{**BODY, "body": b"slow", "more_body": True}, {**BODY, "body": b"ly"}])
    sent: Sent = []

    async def slowly() -> Any:
        part = next(parts)
        if not part["more_body"]:
            await more.wait()
        return part

    async def read_slowly(message: Any) -> None:
        await taken.wait()
        sent.append(message)

    sender, answered = ask(handler, "works/sender", slowly)
    reader, _ = ask(handler, "works/reader", send=read_slowly)
    third, _ = ask(handler, "works/third")
    all_go()
    await third
    assert not sender.done() and not reader.done()
    more.set()
    taken.set()
    await asyncio.gather(sender, reader)
    assert answered[1]["body"] == b"slowly" and sent[1]["body"] == b"reader"


@pytest.mark.asyncio
async def test_a_failed_request_is_an_answer_and_leaves_its_thread_to_the_next(house: House) -> None:
    handler = ThreadedHandler(at_once=1)
    (broken, refused), (last, answered) = ask(handler, "works/broken"), ask(handler, "works/last")
    all_go()
    await asyncio.gather(broken, last)
    assert (refused[0]["status"], answered[0]["status"]) == (500, 200)
    assert house.seen == ["broken", "last"]


@pytest.mark.asyncio
async def test_who_hangs_up_while_sending_is_not_worked_for(house: House) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    task, sent = ask(ThreadedHandler(at_once=1), "works/gone", gone)
    await task
    assert (sent, house.seen) == ([], [])


@pytest.mark.asyncio
async def test_a_request_begins_and_ends_in_one_thread_so_that_its_connection_goes_back(house: House) -> None:
    for signal in (request_started, request_finished):
        signal.connect(house.noted)
    try:
        task, _ = ask(ThreadedHandler(at_once=1), "works/one")
        all_go()
        await task
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(house.noted)
    assert list(house.threads.values()) == [[1, 1]]
    assert "request" in next(iter(house.threads))


@pytest.mark.asyncio
async def test_a_file_is_answered_whole_with_its_own_headers() -> None:
    task, sent = ask(ThreadedHandler(at_once=1), "file")
    await task
    assert b"".join(message.get("body", b"") for message in sent) == CONTENT
    headers = dict(sent[0]["headers"])
    assert headers[b"Content-Length"] == str(len(CONTENT)).encode()
    assert b"test_threaded.py" in headers[b"Content-Disposition"]

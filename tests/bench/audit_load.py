"""Clients of a REST door over kept connections: as little work as possible beside what is measured."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
GIVEN = "安柏晨德恩芳国海晋可兰明宁平青荣声天文新逸月哲中"
_serial = itertools.count(1)


@dataclass(frozen=True)
class Ask:
    """One request, made anew each time: (method, path, JSON body or None)."""

    name: str
    make: Callable[[], tuple[str, str, bytes | None]]
    status: int


def register() -> tuple[str, str, bytes | None]:
    """A new synthetic patient: one deed with one row in the log."""
    number = next(_serial)
    body = {
        "name": random.choice(SURNAMES) + random.choice(GIVEN) + random.choice(GIVEN),
        "document_type": "03",
        "document_number": f"T{number:07d}",
        "birth_date": "1950-01-01",
        "sex": "1",
        "phone": f"139{number:08d}",
    }
    return "POST", "/api/v1/patients", json.dumps(body).encode()


def reading(patient_id: str) -> Callable[[], tuple[str, str, bytes | None]]:
    """One patient's record: the smallest answer that is recorded, so the dearest row in proportion."""
    return lambda: ("GET", f"/api/v1/patients/{patient_id}", None)


class Client:
    """One connection; requests one after the other."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, ask: Ask) -> float:
        """Milliseconds from the first byte sent to the last received. RuntimeError for another status."""
        method, path, body = ask.make()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        began = time.perf_counter()
        self.writer.write(head.encode() + b"\r\n" + (body or b""))
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        data = await self.reader.readexactly(length)
        took_ms = (time.perf_counter() - began) * 1000
        if int(answer.split(b" ", 2)[1]) != ask.status:
            raise RuntimeError(f"{ask.name}: {answer.split(b' ', 2)[1].decode()} {data[:300]!r}")
        return took_ms


async def _some(client: Client, ask: Ask, enough: Callable[[int], bool]) -> list[float]:
    took: list[float] = []
    while not enough(len(took)):
        took.append(await client.ask(ask))
    return took


async def _load(
    port: int, token: str, ask: Ask, clients_n: int, enough: Callable[[int], bool]
) -> list[float]:
    clients = [Client(port, token) for _ in range(clients_n)]
    for client in clients:
        await client.open()
    try:
        found = await asyncio.gather(*(_some(client, ask, enough) for client in clients))
    finally:
        for client in clients:
            await client.close()
    return [took for one in found for took in one]


def by_count(port: int, token: str, ask: Ask, count: int) -> list[float]:
    """`count` requests of one client; milliseconds each."""
    return asyncio.run(_load(port, token, ask, 1, lambda done: done >= count))


def for_a_while(port: int, token: str, ask: Ask, clients_n: int, seconds: float) -> list[float]:
    """As many requests as `clients_n` clients make in that time; milliseconds each."""
    end = time.monotonic() + seconds
    return asyncio.run(_load(port, token, ask, clients_n, lambda _: time.monotonic() >= end))

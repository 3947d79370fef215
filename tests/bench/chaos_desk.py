"""Desks that go on booking while the house falls over, and what they were promised.

A desk that gets no answer, or one that says that something is not there, asks the same again under the same
`Idempotency-Key` until it is answered. An exam or a request is in one desk's hands at a time, so a refusal such as
*changed meanwhile* can only mean that the same deed was done before: it is kept as a surprise.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

ANSWER_S, PAUSE_S, PATIENCE_S = 15.0, 0.3, 180.0
WAITING_MAX, FULL_ENOUGH = 20, 0.5
BROKEN = (OSError, EOFError, TimeoutError, ValueError, IndexError)
SURPRISES = {
    *("changed_meanwhile", "illegal_transition", "appointment_over"),
    *("request_closed", "hold_over", "offer_over"),
}


class Line:
    """One connection of one desk, made anew when it breaks."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.writer: asyncio.StreamWriter | None = None

    def drop(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None

    async def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any, bool]:
        """(status, answer, whether it had been given before). One of BROKEN when there is no whole answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
        )
        if key:
            head += f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line.startswith(b"content-length:"))
        found = json.loads(await self.reader.readexactly(length) or b"null")
        return int(answer.split(b" ", 2)[1]), found, b"idempotent-replayed" in answer


@dataclass
class Promise:
    """What the answers said of one exam; nobody was told of those `made_before` the run."""

    starts_at: str
    state: str = "booked"
    moves: int = 0
    made_before: bool = False
    team: int | None = None


@dataclass
class Tally:
    """What all desks were promised together. `idle` and `waiting` are in nobody's hands."""

    world: dict[str, Any]
    until: float
    exams: dict[str, Promise] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    idle: list[str] = field(default_factory=list)
    busy: set[tuple[int | None, str]] = field(default_factory=set)
    answering: set[str] = field(default_factory=set)
    deeds: Counter[str] = field(default_factory=Counter)
    asked_again: int = 0
    given_again: int = 0
    surprises: list[str] = field(default_factory=list)

    def remember(self, exam_id: str, promise: Promise) -> None:
        self.exams[exam_id] = promise
        self.idle.append(exam_id)
        self.busy.add((promise.team, promise.starts_at))

    def take(self, chance: random.Random) -> str:
        place = chance.randrange(len(self.idle))
        self.idle[place], self.idle[-1] = self.idle[-1], self.idle[place]
        return self.idle.pop()

    def time(self, chance: random.Random, team: int | None) -> str:
        while True:
            day = datetime.fromisoformat(chance.choice(self.world["days"]))
            found = (day + timedelta(minutes=20 * chance.randrange(28))).isoformat()
            if (team, found) not in self.busy or chance.random() < 0.05:
                return found

    @property
    def full(self) -> float:
        return len(self.idle) / (len(self.world["teams"]) * len(self.world["days"]) * 28)

    def waits(self) -> int:
        return sum(row["state"] == "waiting" for row in self.requests.values())


class Desk:
    """One deed after the other until the time is over."""

    def __init__(self, line: Line, tally: Tally, seed: int) -> None:
        self.line, self.tally, self.chance = line, tally, random.Random(seed)

    async def _answer(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any, bool]:
        """The first whole answer that is one."""
        give_up = self.tally.until + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                async with asyncio.timeout(ANSWER_S):
                    status, answer, again = await self.line.ask(method, path, body, key)
                code = answer.get("code") if isinstance(answer, dict) else None
                if status < 500 and code != "idempotency_running":
                    return status, answer, again
            except BROKEN:
                self.line.drop()
            self.tally.asked_again += 1
            await asyncio.sleep(PAUSE_S)
        raise RuntimeError(f"{path} was never answered")

    async def done(self, name: str, path: str, body: dict[str, Any]) -> Any:
        """What a deed was answered with, or None for a refusal."""
        status, answer, again = await self._answer("POST", path, body, str(uuid4()))
        self.tally.given_again += again
        if status < 300:
            self.tally.deeds[name] += 1
            return answer or {}
        code = str(answer.get("code"))
        self.tally.deeds[f"{name}_refused"] += 1
        if code in SURPRISES or status not in (409, 422):
            self.tally.surprises.append(f"{name}: {status} {code} {path}")
        return None

    def _place(self) -> tuple[int, dict[str, Any]]:
        number = self.chance.randrange(len(self.tally.world["teams"]))
        return number, self.tally.world["teams"][number] | {"starts_at": self.tally.time(self.chance, number)}

    def _about(self) -> dict[str, Any]:
        patient = self.chance.choice(self.tally.world["patients"])
        return {"patient_id": patient, "exam_type": "bench", "clinical_question": "bench"}

    async def book(self) -> None:
        team, body = self._place()
        if self.chance.random() < 0.6:
            hold = await self.done("hold", "holds", body | {"exam_type": "bench"})
            if hold is None or self.chance.random() < 0.02:
                return  # kept by nobody: it ends by itself
            body |= {"hold_id": hold["id"]}
        exam = await self.done("book", "exams", body | self._about())
        if exam is not None:
            self.tally.remember(exam["id"], Promise(body["starts_at"], team=team))

    async def move(self) -> None:
        exam_id = self.tally.take(self.chance)
        promise = self.tally.exams[exam_id]
        to = self.tally.time(self.chance, promise.team)
        body = {"starts_at": to, "expected_starts_at": promise.starts_at}
        # An offer's time is written with another offset than the board's.
        elsewhere = datetime.fromisoformat(to) != datetime.fromisoformat(promise.starts_at)
        if promise.state == "booked" and elsewhere:
            if await self.done("move", f"exams/{exam_id}/move", body) is not None:
                self.tally.busy.discard((promise.team, promise.starts_at))
                self.tally.busy.add((promise.team, to))
                promise.starts_at, promise.moves = to, promise.moves + 1
        self.tally.idle.append(exam_id)

    async def check_in(self) -> None:
        exam_id = self.tally.take(self.chance)
        promise = self.tally.exams[exam_id]
        if (
            promise.state == "booked"
            and await self.done("check_in", f"exams/{exam_id}/check-in", {}) is not None
        ):
            promise.state = "checked_in"
        self.tally.idle.append(exam_id)

    async def cancel(self) -> None:
        exam_id = self.tally.take(self.chance)
        promise = self.tally.exams[exam_id]
        if await self.done("cancel", f"exams/{exam_id}/cancel", {"reason": "bench"}) is None:
            self.tally.idle.append(exam_id)
            return
        promise.state = "cancelled"
        self.tally.busy.discard((promise.team, promise.starts_at))

    async def ask(self) -> None:
        """A request, then booked or put on the waiting list for the day and the person that are full."""
        body = self._about() | {"institution_id": self.tally.world["home"]}
        row = await self.done("request", "exam-requests", body)
        if row is None:
            return
        promise = self.tally.requests[row["id"]] = {"state": "asked", "exam": None}
        if self.chance.random() < 0.6 and self.tally.waits() < WAITING_MAX:
            world, day = self.tally.world, self.tally.world["full"][:10]
            wish = {"earliest": day, "latest": day, "person_id": world["teams"][-1]["remote_physician_id"]}
            if await self.done("wait", f"exam-requests/{row['id']}/wait", wish) is not None:
                promise["state"] = "waiting"
            return
        team, place = self._place()
        if (found := await self.done("request_book", f"exam-requests/{row['id']}/book", place)) is not None:
            promise |= {"state": "booked", "exam": found["exam_id"]}
            self.tally.remember(found["exam_id"], Promise(place["starts_at"], team=team))

    async def offers(self) -> None:
        """Answer what the waiting list offers: three of five say yes, one says no, one says nothing yet."""
        _, found, _ = await self._answer("GET", "exam-requests?state=waiting")
        for row in found["results"]:
            offer, draw = row["offer"], self.chance.random()
            if offer is None or offer["id"] in self.tally.answering or row["id"] not in self.tally.requests:
                continue
            self.tally.answering.add(offer["id"])
            if draw < 0.6:
                await self._accept(row["id"], offer)
            elif draw < 0.8:
                await self.done("refuse", f"offers/{offer['id']}/refuse", {})

    async def _accept(self, request_id: str, offer: dict[str, Any]) -> None:
        exam = await self.done("accept", f"offers/{offer['id']}/accept", {})
        if exam is not None:
            self.tally.requests[request_id] = {"state": "booked", "exam": exam["id"]}
            self.tally.remember(exam["id"], Promise(offer["starts_at"]))

    async def turn(self) -> None:
        draw, full = self.chance.random(), self.tally.full
        if draw < 0.12:
            await self.offers()
        elif draw < 0.26:
            await self.ask()
        elif len(self.tally.idle) < 20 or (full < FULL_ENOUGH and draw < 0.62):
            await self.book()
        elif draw < 0.75:
            await self.move()
        elif draw < 0.80:
            await self.check_in()
        else:
            await self.cancel()

    async def work(self) -> None:
        while time.monotonic() < self.tally.until:
            await self.turn()
        self.line.drop()

"""Bookings in a second while 64 desks hold, book, move and cancel over REST, and whether any of it was ever double.

A whole installation without a robot's program, on durable PostgreSQL: ten robots with their teams, the next 30 days
kept 50 to 80 % full by the clients themselves. Each client is a desk that picks a team and a time that its board
shows as free and holds it, books it (half from their hold), moves or cancels what it booked; a refusal (`taken`,
`hold_over`, `changed_meanwhile`) is an answer, not an error. Every move names the time it saw, and a third of moves
and cancellations are of twenty exams, so that desks meet: two successes for one seen state are a lost update.
Afterwards the database is asked for overlapping reservations and torn bookings. `bookings_per_s` are the four deeds
that succeeded, `new_bookings_per_s` the exams among them, `asked_per_s` with the refused. `one_row_posts_per_s` is
the same clients at a door of the same application that writes one row (a request for an exam) in the same run;
`ratio` is bookings to those. Latencies are of the four deeds, refused ones too: `p50_ms` to `p99_ms` of desks that do
the next deed as soon as the last is answered, so they wait for each other; `paced_*` of the same desks when a person
looks at the board between two deeds, THINKS_S seconds on average, exponentially.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from deploy.server.embedded import free_port
from deploy.server.installation import ROOT, Installation
from tests.bench.figures import Aim, judge, percentile

SUMMARY = "64 desks that hold, book, move and cancel: bookings a second, latency, doubles, lost updates"
DEFAULT_RUNS = 60
AIMS = (
    Aim("ratio", 0.4, at_least=True),
    Aim("p95_ms", 1000),
    Aim("double_booked", 0),
    Aim("lost_updates", 0),
)
CLIENTS_N, SLOTS_A_DAY, DAYS = 64, 28, 30
ONE_ROW_SHARE, PACED_SHARE = 0.25, 0.5  # of the seconds that are run
THINKS_S = 5.0  # design value: faster than people work, 64 desks then ask for 12.8 deeds a second
FULL_LOW, FULL_HIGH = 0.5, 0.8
REFUSALS = (409, 422)
HOT_N, BLIND = 20, 0.03
DEEDS = ("hold", "book", "move", "cancel")
OVERLAPS = """
SELECT count(*) FROM scheduling_reservation a JOIN scheduling_reservation b
ON a.resource_id = b.resource_id AND a.id < b.id AND a.period && b.period
WHERE a.status IN ('hold', 'booked') AND b.status IN ('hold', 'booked')
"""
# A booked exam must have exactly its four calendars.
TORN = """
SELECT count(*) FROM teleconsult_exam e WHERE e.state = 'booked' AND
(SELECT count(*) FROM scheduling_reservation r WHERE r.appointment_id = e.appointment_id AND r.status = 'booked') <> 4
"""
Say = Callable[[str], None]


class Desk:
    """One kept connection of one desk."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any, float]:
        """(status, answer, milliseconds)."""
        data = json.dumps(body).encode()
        head = (
            f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        if self.reader.at_eof():  # idle between two parts of the run, so the server let it go
            await self.open()
        began = time.perf_counter()
        self.writer.write(head.encode() + data)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        lines = answer.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        found = json.loads(await self.reader.readexactly(length) or b"null")
        return int(answer.split(b" ", 2)[1]), found, (time.perf_counter() - began) * 1000


@dataclass
class Tally:
    """What all clients did together. `at`: exam -> (time, how often it was moved, team); `moved` counts successes for
    each: two for one are a lost update. `busy` is what the desks' boards show."""

    world: dict[str, Any]
    took_ms: list[float] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    at: dict[str, tuple[datetime, int, int]] = field(default_factory=dict)
    busy: set[tuple[int, datetime]] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    moved: Counter[tuple[str, int]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def full(self) -> float:
        return len(self.ids) / (len(self.world["teams"]) * DAYS * SLOTS_A_DAY)

    def remember(self, exam_id: str, starts_at: datetime, team: int) -> None:
        self.at[exam_id] = (starts_at, 0, team)
        self.ids.append(exam_id)
        self.busy.add((team, starts_at))

    def moved_to(self, exam_id: str, starts_at: datetime) -> None:
        before, number, team = self.at[exam_id]
        self.at[exam_id] = (starts_at, number + 1, team)
        self.busy.discard((team, before))
        self.busy.add((team, starts_at))

    def forget(self, exam_id: str) -> None:
        if (found := self.at.pop(exam_id, None)) is not None:
            place = self.ids.index(exam_id)
            self.ids[place] = self.ids[-1]
            self.ids.pop()
            self.busy.discard((found[2], found[0]))

    def time(self, chance: random.Random, team: int) -> datetime:
        """A time that the board shows as free, sometimes one taken without a look: others decide at the same moment too."""
        first = datetime.fromisoformat(self.world["first"])
        while True:
            found = first + timedelta(days=chance.randrange(DAYS), minutes=20 * chance.randrange(SLOTS_A_DAY))
            if (team, found) not in self.busy or chance.random() < BLIND:
                return found


class Client:
    """One desk: a deed, then the next, until the end."""

    def __init__(self, desk: Desk, tally: Tally, seed: int) -> None:
        self.desk, self.tally, self.chance = desk, tally, random.Random(seed)

    async def ask(self, name: str, path: str, body: dict[str, Any]) -> Any:
        """The answer, or None for a refusal."""
        status, answer, took = await self.desk.post(path, body)
        self.tally.took_ms.append(took)
        self.tally.deeds[name if status < 300 else f"{name}_refused"] += 1
        if status >= 300 and status not in REFUSALS:
            self.tally.errors.append(f"{name}: {status} {answer}")
        return answer if status < 300 else None

    async def book(self, *, held: bool) -> None:
        number = self.chance.randrange(len(self.tally.world["teams"]))
        starts_at = self.tally.time(self.chance, number)
        body = self.tally.world["teams"][number] | {"exam_type": "bench", "starts_at": starts_at.isoformat()}
        if held:
            hold = await self.ask("hold", "holds", body)
            if hold is None:
                return
            body["hold_id"] = hold["id"]
        body |= {"patient_id": self.tally.world["patient"], "clinical_question": "bench"}
        exam = await self.ask("book", "exams", body)
        if exam is not None:
            self.tally.remember(exam["id"], starts_at, number)

    def some(self) -> str:
        """An exam; every third time one of a few, so that desks meet."""
        ids = self.tally.ids
        return ids[self.chance.randrange(min(len(ids), HOT_N) if self.chance.random() < 0.3 else len(ids))]

    async def cancel(self) -> None:
        exam_id = self.some()
        if await self.ask("cancel", f"exams/{exam_id}/cancel", {"reason": "bench"}) is not None:
            self.tally.forget(exam_id)

    async def move(self) -> None:
        exam_id = self.some()
        seen, number, team = self.tally.at[exam_id]
        to = self.tally.time(self.chance, team)
        body = {"starts_at": to.isoformat(), "expected_starts_at": seen.isoformat()}
        if to == seen or await self.ask("move", f"exams/{exam_id}/move", body) is None:
            return
        self.tally.moved[exam_id, number] += 1
        if exam_id in self.tally.at:
            self.tally.moved_to(exam_id, to)

    async def turn(self) -> None:
        full, draw = self.tally.full, self.chance.random()
        if full < FULL_LOW or (full < FULL_HIGH and draw < 0.5):
            await self.book(held=draw < 0.25)
        elif draw < 0.75 and self.tally.ids:
            await self.move()
        elif self.tally.ids:
            await self.cancel()

    async def paced(self) -> None:
        await asyncio.sleep(self.chance.expovariate(1 / THINKS_S))
        await self.turn()

    async def one_row(self) -> None:
        body = {
            "patient_id": self.tally.world["patient"], "exam_type": "bench", "clinical_question": "bench",
            "institution_id": self.tally.world["home"],
        }  # fmt: skip
        status, answer, _ = await self.desk.post("exam-requests", body)
        self.tally.deeds["one_row"] += 1
        if status != 201:
            self.tally.errors.append(f"one_row: {status} {answer}")


async def _for(seconds: float, clients: list[Client], deed: str) -> float:
    """All clients' turns for that long; the seconds it really took."""
    began = time.monotonic()

    async def work(client: Client) -> None:
        while time.monotonic() - began < seconds:
            await getattr(client, deed)()

    await asyncio.gather(*(work(client) for client in clients))
    return time.monotonic() - began


async def _load(port: int, world: dict[str, Any], seconds: float, say: Say) -> dict[str, Any]:
    tally = Tally(world)
    for exam_id, team, starts_at in world["booked"]:
        tally.remember(exam_id, datetime.fromisoformat(starts_at), team)
    tokens = itertools.cycle(world["tokens"])
    clients = [Client(Desk(port, next(tokens)), tally, seed) for seed in range(CLIENTS_N)]
    for client in clients:
        await client.desk.open()
    await _for(min(3.0, seconds / 4), clients, "turn")  # connections, pools and plans are warm
    tally.took_ms.clear()
    tally.deeds.clear()
    lasted = await _for(seconds, clients, "turn")
    done, full = sum(tally.deeds[name] for name in DEEDS), tally.full
    booked, asked, took_ms = tally.deeds["book"], sum(tally.deeds.values()), tally.took_ms
    tally.took_ms = []
    await _for(max(2 * THINKS_S, seconds * PACED_SHARE), clients, "paced")
    rows = await _for(max(2.0, seconds * ONE_ROW_SHARE), clients, "one_row")
    if tally.errors:
        raise RuntimeError(f"{len(tally.errors)} answers that must not be: {tally.errors[0][:500]}")
    say(f"{dict(tally.deeds)}; {full:.0%} full at the end")
    return {
        "bookings_per_s": done / lasted,
        "new_bookings_per_s": booked / lasted,
        "asked_per_s": asked / lasted,
        "one_row_posts_per_s": tally.deeds["one_row"] / rows,
        "took_ms": took_ms,
        "paced_ms": tally.took_ms,
        "lost_updates": sum(count - 1 for count in tally.moved.values() if count > 1),
    }


def _side(found: Installation) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.booking_side"]
    env = found.env | {"DJANGO_SETTINGS_MODULE": "hospital.project.settings"}
    done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def _count(found: Installation, sql: str) -> int:
    assert found.postgres is not None
    with psycopg.connect(found.postgres.url("postgres")) as database:
        row = database.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def run(*, runs: int, say: Say) -> dict[str, object]:
    """All figures; `runs` is for how many seconds the desks work."""
    folder = Path(tempfile.mkdtemp(prefix="bench-booking-"))
    found = Installation(folder, free_port(), robot=False)
    try:
        found.start()
        world = _side(found)
        say(f"ten robots, {len(world['booked'])} bookings made beforehand")
        taken = asyncio.run(_load(found.port, world, float(runs), say))
        doubles, torn = _count(found, OVERLAPS), _count(found, TORN)
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)
    bookings, rows = taken["bookings_per_s"], taken["one_row_posts_per_s"]
    figures: dict[str, object] = {
        "bookings_per_s": round(bookings, 1),
        "one_row_posts_per_s": round(rows, 1),
        "ratio": round(bookings / rows, 2) if rows else 0.0,
        "new_bookings_per_s": round(taken["new_bookings_per_s"], 1),
        "asked_per_s": round(taken["asked_per_s"], 1),
        **{f"p{share}_ms": round(percentile(taken["took_ms"], share / 100), 1) for share in (50, 95, 99)},
        **{
            f"paced_p{share}_ms": round(percentile(taken["paced_ms"], share / 100), 1)
            for share in (50, 95, 99)
        },
        "double_booked": doubles + torn,
        "lost_updates": taken["lost_updates"],
    }
    judge(AIMS, figures, say)
    return figures

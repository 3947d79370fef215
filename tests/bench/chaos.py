"""Whether anything is lost or doubled when parts of the house are killed at random under a day's booking.

A whole installation without a robot's program, on durable PostgreSQL. Six desks hold, book, move, cancel, check in,
turn requests into bookings, put them on the waiting list and answer its offers over REST, while worker, beat, web,
database and Valkey (each with all its processes) get SIGKILL in random order, one every few seconds, and are started
again as by a supervisor. Each deed has an `Idempotency-Key` and is asked again until it is answered, so at the end
everything is known: what was answered must be in the database, and nothing else. `lost` counts exams, requests, places,
offers, calendars, messages, reminders and entries of the log that should be there; `doubled` those that should not, and
deeds that met themselves (`chaos_desk.SURPRISES`); `undone` is due work that nobody did within two minutes. The log's
chain is verified afterwards. `ended_after_others` are programs that ended because another was killed (Celery's worker
can, when Valkey goes at the wrong moment); the house starts them again itself, as `deploy/up` does.

It can fail. With the key and the deed committed apart, as they once were, 60 s on a busy machine gave lost 2 and doubled
8: two exams were moved, the answer was lost with its program, and the repeat was refused as changed meanwhile.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.server.embedded import free_port
from deploy.server.installation import ROOT, Installation
from tests.bench.booking import _count
from tests.bench.chaos_desk import Desk, Line, Promise, Tally
from tests.bench.figures import Aim, judge
from tests.waiting import until

SUMMARY = "worker, beat, web, database and Valkey killed at random under a day's booking: lost, doubled"
DEFAULT_RUNS = 600
AIMS = (Aim("lost", 0), Aim("doubled", 0), Aim("undone", 0))
PARTS = ("worker", "beat", "web", "database", "valkey")
CALM_S, AWAY_S, READY_S, DRAINED_S = (2.0, 5.0), (0.5, 3.0), 90.0, 120.0
SAID_MAX = 20
DUE = "SELECT count(*) FROM common_work WHERE finished_at IS NULL AND due_at <= now()"
Say = Callable[[str], None]


def _side(found: Installation, *arguments: str, given: str = "") -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.chaos_side", *arguments]
    env = found.env | {"DJANGO_SETTINGS_MODULE": "hospital.project.settings"}
    done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, input=given)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


class Killer:
    """Ends parts of one house and starts them again, from the thread that started them: they die with it."""

    def __init__(self, found: Installation, seed: int) -> None:
        self.found, self.chance, self.kills, self.followed = found, random.Random(seed), 0, 0

    def _database(self) -> None:
        """The postmaster with its backends, which are groups of their own; then it recovers from its log."""
        postgres = self.found.postgres
        assert postgres is not None and postgres.child is not None
        pid = postgres.child.pid
        backends = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        postgres.child.kill()
        for backend in map(int, backends):
            try:
                os.kill(backend, signal.SIGKILL)
            except ProcessLookupError:
                pass
        until(lambda: not any(Path(f"/proc/{one}").exists() for one in backends), what="no backend")
        postgres.start()

    def _valkey(self) -> None:
        """The message store, away for a while: it starts within a tenth of a second, few would notice."""
        valkey = self.found.valkey
        assert valkey is not None and valkey.child is not None
        valkey.child.kill()
        threading.Event().wait(self.chance.uniform(*AWAY_S))
        valkey.start()

    def kill(self, part: str) -> None:
        self.kills += 1
        if part == "database":
            self._database()
            return
        if part == "valkey":
            self._valkey()
            return
        child = next(child for child in self.found.children if child.name == part)
        child.kill()
        child.start_again()

    def work(self, seconds: float) -> None:
        """At least one round of all parts, in an order of its own each."""
        end, calm = time.monotonic() + seconds, threading.Event()
        while True:
            for part in self.chance.sample(PARTS, len(PARTS)):
                calm.wait(self.chance.uniform(*CALM_S))
                self.kill(part)
                until(self._answers, timeout_s=READY_S, every_s=0.2, what=f"a house after {part} was killed")
                if self.kills >= len(PARTS) and time.monotonic() > end:
                    return

    def _answers(self) -> bool:
        self.followed += self.found.tend()
        return self.found._not_ready() is None


async def _desks(port: int, tally: Tally) -> None:
    desks = [Desk(Line(port, token), tally, seed) for seed, token in enumerate(tally.world["tokens"])]
    async with asyncio.TaskGroup() as group:
        for desk in desks:
            group.create_task(desk.work())


def _under_load(found: Installation, tally: Tally, seconds: float, seed: int) -> Killer:
    """Who killed; returns when every desk has its last answer."""
    broken: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(_desks(found.port, tally))
        except BaseException as error:
            broken.append(error)

    load = threading.Thread(target=work, name="desks")
    load.start()
    killer = Killer(found, seed)
    try:
        killer.work(seconds)
    finally:
        tally.until = time.monotonic()
        load.join()
    if broken:
        raise broken[0]
    return killer


def _drained(found: Installation) -> int:
    """What is due and stays undone."""
    try:
        until(lambda: not _count(found, DUE), timeout_s=DRAINED_S, every_s=0.5)
    except AssertionError:
        return _count(found, DUE)
    return 0


def _tally(world: dict[str, Any]) -> Tally:
    tally, last = Tally(world, until=float("inf")), len(world["teams"]) - 1
    for exam_id, starts_at in world["booked"]:
        tally.remember(exam_id, Promise(starts_at, made_before=True, team=last))
    return tally


def looked(found: Installation, tally: Tally) -> dict[str, list[str]]:
    """What the database of the house says of the promises: sentences for what is lost and for what is double."""
    exams = {ident: dataclasses.asdict(promise) for ident, promise in tally.exams.items()}
    answered = {"exams": exams, "requests": tally.requests, "full": tally.world["full"]}
    return _side(found, "after", given=json.dumps(answered))


def measured(found: Installation, seconds: float, say: Say, seed: int) -> tuple[dict[str, object], Tally]:
    """In a house that is up: the figures, and what was promised."""
    tally = _tally(_side(found, "world", str(int(seconds))))
    killer = _under_load(found, tally, seconds, seed)
    say(f"{killer.kills} killed; {dict(sorted(tally.deeds.items()))}")
    undone = _drained(found)
    told = looked(found, tally)
    found.manage("audit_verify")
    told["doubled"] += tally.surprises
    for kind in ("lost", "doubled"):
        for line in told[kind][:SAID_MAX]:
            say(f"{kind}: {line}")
    refused = sum(count for name, count in tally.deeds.items() if name.endswith("_refused"))
    return {
        "kills": killer.kills,
        "ended_after_others": killer.followed,
        "lost": len(told["lost"]),
        "doubled": len(told["doubled"]),
        "undone": undone,
        "deeds": sum(tally.deeds.values()) - refused,
        "refused": refused,
        "asked_again": tally.asked_again,
        "answers_given_again": tally.given_again,
        "offers_answered": tally.deeds["accept"] + tally.deeds["refuse"],
    }, tally


def run(*, runs: int, say: Say) -> dict[str, object]:
    """All figures; `runs` is for how many seconds the house is hit. Another order each time; the seed is said."""
    seed = random.randrange(10**6)
    say(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="bench-chaos-"))
    found = Installation(folder, free_port(), robot=False)
    try:
        found.start()
        figures, _ = measured(found, float(runs), say, seed)
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)
    judge(AIMS, figures, say)
    return figures

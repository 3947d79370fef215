"""What the log costs: the same request with and without its row, and how fast rows are sealed and verified.

A whole installation on temporary data (durable PostgreSQL, web, worker, beat: the sealer runs as in the house), and
beside its web server a second one whose log writes nothing (`audit_off`). Blocks alternate on/off/off/on, so that
what drifts falls on both sides. The write is the registration of a patient (one row in its transaction), the read is
one patient's record (one row of its own before the answer leaves). `flush_ms` is the 99th percentile of the age of
the oldest row without a seal while 32 clients write.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from deploy.server.embedded import free_port
from deploy.server.installation import ROOT, UVICORN, Installation
from tests.bench.audit_load import Ask, by_count, for_a_while, reading, register
from tests.bench.figures import Aim, judge, median, percentile
from tests.waiting import until

SUMMARY = "cost of the audit row on a write and a read; rows sealed and verified per second"
DEFAULT_RUNS = 6
AIMS = (
    Aim("write_ratio", 1.25),
    Aim("read_ratio", 1.25),
    Aim("write_ratio_32", 1.5),
    Aim("lock_waits", 0),
)
BLOCK_N, BLOCK_S, CLIENTS_N, WARM_N = 80, 2.5, 32, 60
ROWS_N = 60_000  # for sealing and verifying
SAMPLE_S = 0.02
FILL = """
INSERT INTO audit_auditentry (id, actor_kind, actor_id, actor_institution_id, device_kind, device_id,
  on_behalf_kind, institution_id, action, object_kind, object_id, patient_ids, outcome, reason, address, details)
SELECT gen_random_uuid(), 'staff', gen_random_uuid(), gen_random_uuid(), 'session', gen_random_uuid(), '',
  gen_random_uuid(), 'exam.read', 'exam', gen_random_uuid(), ARRAY[gen_random_uuid()], 'read', 'remote', '10.0.0.1',
  jsonb_build_object('exam_id', gen_random_uuid()) FROM generate_series(1, %s)
"""
OLDEST_MS = """
SELECT extract(epoch FROM clock_timestamp() - min(e.at)) * 1000 FROM audit_auditentry e
WHERE e.seq > (SELECT coalesce(max(entry_seq), 0) - 5000 FROM audit_auditseal)
  AND NOT EXISTS (SELECT 1 FROM audit_auditseal s WHERE s.entry_seq = e.seq)
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'hospital_app'"
Say = Callable[[str], None]


@dataclass
class House:
    installation: Installation
    off_port: int
    token: str
    read: Ask
    write: Ask = field(default_factory=lambda: Ask("write", register, 201))

    @property
    def ports(self) -> dict[str, int]:
        return {"on": self.installation.port, "off": self.off_port}

    def database(self, role: str = "postgres") -> psycopg.Connection[Any]:
        assert self.installation.postgres is not None
        return psycopg.connect(self.installation.postgres.url(role), autocommit=True)


@contextmanager
def house(say: Say) -> Iterator[House]:
    """An installation without a robot and the second web server; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="bench-audit-"))
    installation, off_port = Installation(folder, free_port(), robot=False), free_port()
    try:
        installation.start()
        arguments = [
            "uvicorn",
            "tests.bench.audit_off:application",
            "--port",
            str(off_port),
            *UVICORN.split(),
        ]
        installation._child("web-without-log", *arguments, PROCESS="web")
        argv = [sys.executable, "-m", "tests.bench.audit_tokens"]
        env = installation.env | {"DJANGO_SETTINGS_MODULE": "hospital.project.settings"}
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
        given = json.loads(done.stdout)
        found = House(installation, off_port, given["token"], Ask("read", reading(given["patient"]), 200))
        until(lambda: _answers(found), timeout_s=30, what="the web server without a log")
        say("house is up: web with the log, web without, worker and beat")
        yield found
    finally:
        installation.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(found: House) -> bool:
    try:
        by_count(found.off_port, found.token, found.read, 1)
    except OSError:
        return False
    return True


def _sides(runs: int) -> Iterator[str]:
    for number in range(runs):
        yield from ("on", "off") if number % 2 == 0 else ("off", "on")


def one_client(found: House, ask: Ask, runs: int, say: Say) -> dict[str, list[float]]:
    """Milliseconds of each request by side, one client."""
    took: dict[str, list[float]] = {"on": [], "off": []}
    for side in ("on", "off"):
        by_count(found.ports[side], found.token, ask, WARM_N)
    for side in _sides(runs):
        took[side] += by_count(found.ports[side], found.token, ask, BLOCK_N)
    on, off = median(took["on"]), median(took["off"])
    say(
        f"{ask.name}, 1 client: {on:.2f} ms with the row, {off:.2f} ms without ({len(took['on'])} requests each)"
    )
    return took


class Watch(threading.Thread):
    """Samples lock waits and the age of the oldest unsealed row while the block runs."""

    def __init__(self, database: psycopg.Connection[Any]) -> None:
        super().__init__(daemon=True)
        self.database, self.waits, self.ages_ms, self.done = database, 0, [], threading.Event()  # type: ignore[var-annotated]

    def run(self) -> None:
        while not self.done.wait(SAMPLE_S):
            self.waits += self._one(WAITING)
            self.ages_ms.append(self._one(OLDEST_MS))

    def _one(self, statement: str) -> Any:
        return (self.database.execute(statement).fetchone() or (None,))[0] or 0


def many_clients(found: House, runs: int, say: Say) -> tuple[dict[str, list[float]], int, list[float]]:
    """(milliseconds by side, lock waits seen, ages of the oldest unsealed row in ms) of 32 clients that write."""
    took: dict[str, list[float]] = {"on": [], "off": []}
    waits, ages = 0, []
    for side in _sides(runs):
        with found.database() as database:
            watch = Watch(database)
            watch.start()
            took[side] += for_a_while(found.ports[side], found.token, found.write, CLIENTS_N, BLOCK_S)
            watch.done.set()
            watch.join()
        if side == "on":
            waits += watch.waits
            ages += [float(age) for age in watch.ages_ms]
    on, off = median(took["on"]), median(took["off"])
    rates = {side: len(values) / (runs * BLOCK_S) for side, values in took.items()}
    say(f"write, {CLIENTS_N} clients: {on:.1f} ms with the row, {off:.1f} ms without")
    say(
        f"  {rates['on']:.0f} and {rates['off']:.0f} requests/s; lock waits seen {waits}; deadlocks {_deadlocks(found)}"
    )
    return took, waits, ages


def _deadlocks(found: House) -> int:
    with found.database() as database:
        row = database.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()
    return int(row[0]) if row else 0


def sealed_per_s(found: House, say: Say) -> float:
    """How fast the house's own sealer works through rows committed at once."""
    with found.database("hospital_app") as database:
        database.execute(FILL, [ROWS_N])
        began = time.monotonic()
        target = (database.execute("SELECT max(seq) FROM audit_auditentry").fetchone() or (0,))[0]

        def sealed() -> bool:
            row = database.execute("SELECT 1 FROM audit_auditseal WHERE entry_seq = %s", [target]).fetchone()
            return row is not None

        until(sealed, timeout_s=120, what="the sealer")
    rate = ROWS_N / (time.monotonic() - began)
    say(f"{ROWS_N} rows committed at once were sealed at {rate:.0f} rows/s")
    return rate


def verified_per_s(found: House, say: Say) -> float:
    """What the command itself prints over the whole log. Broken when it finds anything wrong."""
    said = found.installation.manage("audit_verify")
    say(said.strip().replace("\n", "; "))
    match = re.search(r"\((\d+) rows/s\)", said)
    assert match is not None
    return float(match[1])


def run(*, runs: int, say: Say) -> dict[str, object]:
    """All figures; `runs` is how often each side has its block."""
    with house(say) as found:
        write, read = one_client(found, found.write, runs, say), one_client(found, found.read, runs, say)
        many, waits, ages = many_clients(found, runs, say)
        sealed, verified = sealed_per_s(found, say), verified_per_s(found, say)
    figures: dict[str, object] = {
        "write_added_ms": round(median(write["on"]) - median(write["off"]), 3),
        "write_ratio": round(median(write["on"]) / median(write["off"]), 3),
        "read_added_ms": round(median(read["on"]) - median(read["off"]), 3),
        "read_ratio": round(median(read["on"]) / median(read["off"]), 3),
        "write_ratio_32": round(median(many["on"]) / median(many["off"]), 3),
        "lock_waits": waits,
        "flush_ms": round(percentile(ages, 0.99)),
        "sealed_rows_per_s": round(sealed),
        "verified_rows_per_s": round(verified),
    }
    judge(AIMS, figures, say)
    return figures

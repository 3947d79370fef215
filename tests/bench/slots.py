"""How long it takes to find a time, by how much there is to look through.

Own PostgreSQL (durable, the installation's settings) with its tables, no other program of the house beside it. Three
groups of hospitals with 5, 50 and 500 calendars (teams of remote physician, bedside physician, assistant, robot and
room), each 60 % full over the next 30 days. Past reservations, a third for each group, all still `booked` (closed
exams release theirs and leave the index: the worst case), grow from 10 thousand to 300 thousand to 3 million. A
search is what the door calls: papers, hours, busy time, the first page of times over 30 days; half of the searches
have a filter. `p95_ms_50_resources_3m` is the 95th percentile of those; `growth_10k_to_3m` the ratio of the 95th
percentiles with 50 calendars at both ends. Building the past is not measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from deploy.server.embedded import APP, free_port
from deploy.server.installation import ROOT, Installation
from tests.bench.figures import Aim, judge, median, percentile

SUMMARY = "finding a time over 30 days: 5, 50, 500 calendars, up to 3 million past reservations"
DEFAULT_RUNS = 200
AIMS = (Aim("p95_ms_50_resources_3m", 50), Aim("growth_10k_to_3m", 1.3))
PAST = {"10k": 10_000, "300k": 300_000, "3m": 3_000_000}
SIZES = (5, 50, 500)
TABLE = "scheduling_reservation"
# Past slots of 20 minutes, back from this midnight, one row after the other in each calendar of a group.
FILL = """
INSERT INTO scheduling_reservation (id, resource_id, appointment_id, period, status)
SELECT gen_random_uuid(), r.id, %(appointment)s::uuid,
       tstzrange(%(midnight)s::timestamptz - (n + 1) * interval '20 minutes',
                 %(midnight)s::timestamptz - n * interval '20 minutes'), 'booked'
FROM unnest(%(calendars)s::uuid[]) AS r(id), generate_series(%(first)s::int, %(last)s::int - 1) AS n
"""
Say = Callable[[str], None]


class Tables(Installation):
    """The servers and the migrated tables of an installation, without its programs."""

    def start(self) -> None:
        self._claim()
        try:
            self._servers()
            self._write_env()
            self.manage("migrate", "-v", "0")
            self.manage("grant_app_role", urlsplit(self.env["DATABASE_URL"]).username or APP)
        except BaseException:
            self.stop()
            raise

    def side(self, *arguments: str) -> Any:
        """What a process of this installation prints as JSON."""
        argv = [sys.executable, "-m", "tests.bench.slots_side", *arguments]
        env = self.env | {"DJANGO_SETTINGS_MODULE": "hospital.project.settings"}
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def tables() -> Iterator[Tables]:
    folder = Path(tempfile.mkdtemp(prefix="bench-slots-"))
    found = Tables(folder, free_port(), robot=False)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _bulk(found: Tables, statements: Callable[[psycopg.Connection[Any]], None]) -> None:
    """Write with the table's indexes away, as a restore does, and put them back: each is then whole and packed."""
    assert found.postgres is not None
    with psycopg.connect(found.postgres.url("postgres"), autocommit=True) as database:
        database.execute("SET session_replication_role = replica")
        database.execute("SET maintenance_work_mem = '256MB'")
        constraint = database.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'no_resource_twice'"
        ).fetchone()
        indexes = database.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'"
            " AND indexname <> 'no_resource_twice'",
            [TABLE],
        ).fetchall()
        assert constraint is not None
        database.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT no_resource_twice")
        for name, _ in indexes:
            database.execute(f'DROP INDEX "{name}"')
        statements(database)
        for _, definition in indexes:
            database.execute(definition)
        database.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT no_resource_twice {constraint[0]}")
        database.execute(f"VACUUM ANALYZE {TABLE}")


def grow(found: Tables, world: dict[str, Any], before: int, after: int) -> None:
    """The past from `before` rows in all to `after`."""

    def write(database: psycopg.Connection[Any]) -> None:
        for calendars in world["calendars"].values():
            first, last = (-(-total // (len(SIZES) * len(calendars))) for total in (before, after))
            given = {"appointment": world["appointment"], "midnight": world["midnight"]}
            database.execute(FILL, given | {"calendars": calendars, "first": first, "last": last})

    _bulk(found, write)


def run(*, runs: int, say: Say) -> dict[str, object]:
    """All figures; `runs` is how many searches each figure is of."""
    p95: dict[tuple[int, str], float] = {}
    with tables() as found:
        world = found.side("world", *map(str, SIZES))
        say("hospitals, people, robots and 30 days of bookings are made")
        before = 0
        for name, rows in PAST.items():
            grow(found, world, before, rows)
            before = rows
            for size in SIZES:
                measured = found.side("measure", str(size), str(runs))
                took = measured["took_ms"]
                p95[size, name] = percentile(took, 0.95)
                say(
                    f"{size:>3} calendars, {name:>4} past: p50 {median(took):6.1f} ms, p95 {p95[size, name]:6.1f} ms,"
                    f" {measured['found']} times found; busy time {measured['busy_ms']:.1f} ms by {measured['index']}"
                )
    figures: dict[str, object] = {
        "p95_ms_50_resources_3m": round(p95[50, "3m"], 1),
        "growth_10k_to_3m": round(p95[50, "3m"] / p95[50, "10k"], 2),
        "p95_ms": {f"{size}_{name}": round(value, 1) for (size, name), value in p95.items()},
    }
    judge(AIMS, figures, say)
    return figures

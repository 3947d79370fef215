"""Events that must reach the server: on disk until acknowledged, numbers never used twice."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One row. ``at_ms`` is wall clock, for the record only."""

    serial: int
    kind: str
    at_ms: int
    exam_id: str | None
    data: dict[str, Any]

    def message(self) -> dict[str, Any]:
        """As the signalling socket carries it."""
        return {
            "type": "event",
            "serial": self.serial,
            "kind": self.kind,
            "at_ms": self.at_ms,
            "exam_id": self.exam_id,
            "data": self.data,
        }


class Journal:
    """A small SQLite file; AUTOINCREMENT keeps serials growing also after rows are gone."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS event (serial INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
            " at_ms INTEGER NOT NULL, exam_id TEXT, data TEXT NOT NULL)"
        )
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name='event'").fetchone()
        self.newest_serial: int = row[0] if row else 0

    def add(self, *, kind: str, at_ms: int, exam_id: str | None, data: dict[str, Any]) -> Event:
        """Write an event; it is durable when this returns."""
        cursor = self._db.execute(
            "INSERT INTO event (kind, at_ms, exam_id, data) VALUES (?, ?, ?, ?)",
            (kind, at_ms, exam_id, json.dumps(data)),
        )
        assert cursor.lastrowid is not None
        self.newest_serial = cursor.lastrowid
        return Event(cursor.lastrowid, kind, at_ms, exam_id, data)

    def ack(self, serial: int) -> None:
        """The server has it."""
        self._db.execute("DELETE FROM event WHERE serial = ?", (serial,))

    def pending(self, limit: int = 200) -> list[Event]:
        """Oldest first."""
        rows = self._db.execute(
            "SELECT serial, kind, at_ms, exam_id, data FROM event ORDER BY serial LIMIT ?", (limit,)
        )
        return [Event(r[0], r[1], r[2], r[3], json.loads(r[4])) for r in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

"""What every new connection to PostgreSQL is told."""

from __future__ import annotations

from typing import Any

# Statements kept planned on one connection. psycopg keeps 100; the doors together send about 250 that come again.
PREPARED_MAX = 300


def opened(connection: Any, **_: object) -> None:
    connection.connection.prepared_max = PREPARED_MAX

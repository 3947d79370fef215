"""What every new connection to PostgreSQL is told."""

from __future__ import annotations

from typing import Any

# Statements remembered on one connection, psycopg's own number is 100: the desk's four deeds and nine of its lists send 84
# different ones (counted), and every savepoint, whose name is new each time, pushes out another.
PREPARED_MAX = 300


def opened(connection: Any, **_: object) -> None:
    connection.connection.prepared_max = PREPARED_MAX

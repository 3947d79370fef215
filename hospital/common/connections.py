"""What every new connection to PostgreSQL is told."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from psycopg._preparing import PrepareManager

# Statements remembered on one connection, psycopg's own number is 100: the desk's four deeds and nine of its lists send 84
# different ones (counted), and every savepoint, whose name is new each time, pushes out another.
PREPARED_MAX = 300


class KeptStatements(PrepareManager):
    """Prepared statements that outlive a rollback, as they do in PostgreSQL itself.

    psycopg forgets all of them at each, because a table made in that transaction may come again as another. The
    application's role makes none. One refusal in sixteen deeds was enough for PostgreSQL to plan nearly everything anew:
    4.4 ms of a booking's 12 there, 6 ms alone for an exam with all that belongs to it. After an upgrade that changes a
    column's type a program is started anew, as `deploy/up` does.
    """

    def clear(self) -> bool:
        return False


def opened(connection: Any, **_: object) -> None:
    """Each time Django takes one, which may have been taken before."""
    taken = connection.connection
    if not settings.AS_OWNER and not isinstance(taken._prepared, KeptStatements):
        kept = KeptStatements()
        kept.prepare_threshold = taken.prepare_threshold
        taken._prepared = kept
    taken.prepared_max = PREPARED_MAX

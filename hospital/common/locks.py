"""Row locks in one order with a time limit; nothing waits for ever."""

from __future__ import annotations

from django.db import connection

LOCK_TIMEOUT_MS = 3000  # design value
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL Appendix A


def sqlstate_of(error: Exception) -> str:
    """PostgreSQL's code behind one of Django's database errors; empty for none."""
    return str(getattr(error.__cause__, "sqlstate", ""))


def limit_lock_wait() -> None:
    """Inside a transaction: a lock that can't be had in 3 s raises OperationalError (55P03)."""
    if not connection.in_atomic_block:
        raise RuntimeError("locks are only taken inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")


def forget_lock_limit() -> None:
    """The rest of the transaction waits as long as it would have."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")

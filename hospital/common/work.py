"""Due work: rows in PostgreSQL, taken with SKIP LOCKED; Celery is only the hand that takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from celery import current_app
from django.db import transaction

from .after_commit import after_commit, waiting
from .clock import now
from .models import Work

log = structlog.get_logger()
Handler = Callable[[dict[str, Any]], None]
_handlers: dict[str, Handler] = {}
_first: dict[str, Handler] = {}
TAKEN_FOR = timedelta(seconds=60)  # design value: longer than any handler may run
TAKE = """
UPDATE common_work SET fence = %s, taken_until = %s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM common_work
    WHERE kind = ANY(%s) AND finished_at IS NULL AND due_at <= %s AND (taken_until IS NULL OR taken_until < %s)
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, payload, fence, attempts
"""
BACKOFF_S = (1, 2, 5, 15, 60, 300)  # design values; the last one repeats for ever, nothing is dropped


def worker(kind: str, *, first: Handler | None = None) -> Callable[[Handler], Handler]:
    """Register the handler of `kind`; it runs in the transaction that marks its row finished.

    `first` runs before it at each try, in a transaction of its own: what it writes stays when the worker dies.
    """

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        if first is not None:
            _first[kind] = first
        return handler

    return register


def work_add(*, kind: str, key: str, payload: dict[str, Any], due_at: datetime | None = None) -> None:
    """Write the row (once per kind and key) in the caller's transaction and nudge a worker after commit."""
    works_add([Work(kind=kind, key=key, payload=payload, due_at=due_at or now())])
    if due_at is None:
        _nudge()


def works_add(rows: Sequence[Work]) -> None:
    """Several at once, each once per kind and key; nobody is nudged."""
    Work.objects.bulk_create(rows, ignore_conflicts=True)


class _Nudge:
    """Sooner than the next beat; when the broker is away the beat's poll finds the row later."""

    def do(self) -> None:
        current_app.send_task("common.drain", ignore_result=True, retry=False)


def _nudge() -> None:
    """A worker looks for work once the transaction stands: one nudge, whatever it wrote."""
    if waiting(_Nudge) is None:
        after_commit(_Nudge())


def _take() -> Work | None:
    """The next row that is due, ours until `TAKEN_FOR` is over, with what its work needs: one statement."""
    moment = now()
    values = (uuid4(), moment + TAKEN_FOR, list(_handlers), moment, moment)
    return next(iter(Work.objects.raw(TAKE, values)), None)


def _run(row: Work, fence: UUID) -> None:
    if (first := _first.get(row.kind)) is not None:
        with transaction.atomic():
            first(row.payload)
    with transaction.atomic():
        _handlers[row.kind](row.payload)
        mine = Work.objects.filter(id=row.id, fence=fence)
        if not mine.update(finished_at=now(), taken_until=None, last_error=""):
            raise RuntimeError("another worker took this row: undone here")


def _put_back(row: Work, error: Exception) -> None:
    wait = timedelta(seconds=BACKOFF_S[min(row.attempts, len(BACKOFF_S)) - 1])
    Work.objects.filter(id=row.id, fence=row.fence).update(
        due_at=now() + wait, taken_until=None, last_error=f"{type(error).__name__}: {error}"[:2000]
    )
    log.error("work_failed", kind=row.kind, attempts=row.attempts, error=type(error).__name__)


def work_drain(*, limit: int = 200) -> int:
    """Do what is due; returns how many rows were tried."""
    for done in range(limit):
        row = _take()
        if row is None or row.fence is None:
            return done
        try:
            _run(row, row.fence)
        except Exception as error:
            _put_back(row, error)
    return limit

"""The timer, with a sign of life of its own."""

from __future__ import annotations

from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry

from hospital.common.alive import alive

SIGNING_TASK = (
    "common.drain"  # due every second: its sending shows that the timer ticks and reaches the store
)


class Scheduler(PersistentScheduler):
    """Notes each second's task that was really sent; whether a worker takes it is the worker's sign."""

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        sent = super().apply_async(entry, *args, **kwargs)
        if entry.task == SIGNING_TASK:
            alive("beat")
        return sent

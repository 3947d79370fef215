"""Several at once on real connections, the guards taken away one by one, and how to see a double booking."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch
from uuid import UUID

from django.db import connection

from hospital.scheduling import services as scheduling
from hospital.scheduling.models import Resource
from tests.owner import as_owner

CONSTRAINT = "no_resource_twice"


def together(acts: list[Callable[[], object]]) -> list[object]:
    """Run all at once, each with its own connection; results or errors in order."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int) -> None:
        try:
            barrier.wait(10)
            results[index] = acts[index]()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def overlapping() -> int:
    """Pairs of blocking reservations of one resource that overlap: must be 0."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_reservation a JOIN scheduling_reservation b"
            " ON a.resource_id = b.resource_id AND a.id < b.id AND a.period && b.period"
            " WHERE a.status IN ('hold', 'booked') AND b.status IN ('hold', 'booked')"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def looked_at_the_same_time(parties: int) -> Iterator[None]:
    """Both bookings have looked for busy time before either writes: the moment a check-then-write misses."""
    barrier, look = threading.Barrier(parties), scheduling.selectors.busy

    def slow_look(**given: object) -> list[dict[str, object]]:
        found = look(**given)  # type: ignore[arg-type]
        try:
            barrier.wait(3)
        except threading.BrokenBarrierError:
            pass
        return found

    with patch.object(scheduling.selectors, "busy", slow_look):
        yield


def no_row_locks(ids: Iterable[UUID]) -> list[Resource]:
    return list(Resource.objects.filter(id__in=list(ids)).order_by("id"))


@contextmanager
def without_the_constraint() -> Iterator[None]:
    definition = as_owner(
        f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{CONSTRAINT}'"
    )[0][0]
    as_owner(f"ALTER TABLE scheduling_reservation DROP CONSTRAINT {CONSTRAINT}")
    try:
        yield
    finally:
        as_owner("DELETE FROM scheduling_reservation")
        as_owner(f"ALTER TABLE scheduling_reservation ADD CONSTRAINT {CONSTRAINT} {definition}")

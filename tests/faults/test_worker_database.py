"""PostgreSQL is started anew under a Celery worker: the process that had a connection leaves it and does the next task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.server.embedded import OWNER, free_port
from deploy.server.installation import Installation
from tests.waiting import until

SEND = (
    "from hospital.messages.services import message_send;"
    "print(message_send(to='13900000001', channel='sms', template='login_code', context={'code': '046813'}).id)"
)
ROW = (
    "SELECT m.status, w.attempts, w.last_error FROM messages_message m JOIN common_work w ON w.key = m.id::text"
    " WHERE m.id = %s"
)


class OneWorker(Installation):
    """Servers and a worker with one process: no timer whose tasks could come between."""

    def _processes(self) -> None:
        worker = ["celery", "-A", "hospital.project.celery", "--quiet", "worker"]
        self._child("worker", *worker, "-c", "1", "--loglevel", "INFO", "--without-mingle", PROCESS="worker")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[OneWorker]:
    found = OneWorker(tmp_path / "house", free_port(), robot=False)
    found.start()
    yield found
    found.stop()


def done(house: OneWorker, message_id: str) -> tuple[str, int, str]:
    """Once the worker sent it: status, tries and the last error of its work."""
    assert house.postgres is not None
    with psycopg.connect(house.postgres.url(OWNER), autocommit=True) as connection:

        def row() -> tuple[str, int, str]:
            found = connection.execute(ROW, [message_id]).fetchone()
            assert found is not None
            return found[0], found[1], found[2]

        until(lambda: row()[0] == "sent", timeout_s=30, every_s=0.1, what="the worker's task")
        return row()


def hands(house: OneWorker) -> list[str]:
    """The processes in which the worker does its tasks."""
    (worker,) = house.children
    assert worker.process is not None
    pid = worker.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.slow
def test_a_worker_leaves_a_connection_that_broke_and_does_its_next_task(house: OneWorker) -> None:
    assert done(house, house.manage("shell", "-c", SEND).split()[-1]) == ("sent", 1, "")
    before = hands(house)
    assert house.postgres is not None and house.postgres.child is not None
    house.postgres.child.end()
    house.postgres.start()
    assert done(house, house.manage("shell", "-c", SEND).split()[-1]) == ("sent", 1, "")
    assert hands(house) == before and len(before) == 1  # the same process, not one in its place

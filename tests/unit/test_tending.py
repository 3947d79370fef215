"""What ends by itself is started again; what ends again and again ends the house."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.server.children import Child, Restarts, TooOften
from deploy.server.installation import Broken, Installation
from tests.waiting import until

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def house(tmp_path: Path, said: list[str]) -> Iterator[Installation]:
    """Two programs that only sleep, and no servers."""
    found = Installation(tmp_path, 1, robot=False, say=said.append)
    for name in ("web", "worker"):
        child = Child(name, SLEEPS, log=tmp_path / f"{name}.log")
        child.start(cwd=tmp_path, env=os.environ)
        found.children.append(child)
    yield found
    for child in found.children:
        child.end()


def killed(child: Child) -> int:
    pid = child.pid
    child.kill()
    until(lambda: child.ended() is not None, what="its end")
    return pid


def test_what_ended_is_started_again_and_said_and_the_others_go_on(
    house: Installation, said: list[str]
) -> None:
    web, worker = house.children
    assert house.tend() == 0
    before, kept = killed(worker), web.pid
    assert house.tend() == 1
    assert (worker.ended(), web.pid) == (None, kept)
    assert worker.pid != before
    assert said == [f"worker ended (status -9) and was started again; see {worker.log}"]


def test_what_ends_again_and_again_ends_the_house_with_its_last_lines(house: Installation) -> None:
    worker = house.children[1]
    worker.argv = [sys.executable, "-c", "print('no such table', flush=True); raise SystemExit(3)"]
    killed(worker)
    with pytest.raises(Broken, match=r"worker ended \(status 3\)[\s\S]*no such table"):
        tended_for_ever(house, worker)


def tended_for_ever(house: Installation, child: Child) -> None:
    while True:
        house.tend()
        until(lambda: child.ended() is not None, what="its end")


def test_what_ends_now_and_then_never_does() -> None:
    restarts = Restarts(most=1, within_s=0.05)
    restarts.note("worker")
    restarts.note("web")
    with pytest.raises(TooOften):
        restarts.note("worker")
    until(lambda: _noted(restarts), what="the time is over")


def _noted(restarts: Restarts) -> bool:
    try:
        restarts.note("worker")
    except TooOften:
        return False
    return True

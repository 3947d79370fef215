"""A whole house by `deploy/up`: data that stay, nothing left behind, a dead part started again."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy.server.children import RESTARTS_MOST
from deploy.server.embedded import free_port
from tests.waiting import until

from .files import ROOT

UP = str(ROOT / "deploy/up")
START_LIMIT_S, STOP_LIMIT_S = 180.0, 40.0  # on a machine busy with other tests


def processes_of(folder: Path) -> list[str]:
    """Every process that works in, or was told about, the data folder: its number and command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            words = command + (process / "environ").read_bytes()
            if str(folder).encode() in words or os.readlink(process / "cwd").startswith(str(folder)):
                found.append(f"{process.name} {command!r}")
        except OSError:
            continue
    return found


@dataclass
class House:
    """An installation without a robot, in a folder whose name is too long for a Unix socket."""

    folder: Path
    port: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder.parent / "up.log"

    def start(self) -> dict[str, Any]:
        """Returns up.json once the house is ready."""
        command = [UP, "--port", str(self.port), "--data-dir", str(self.folder), "--no-robot"]
        with self.log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        self.started.append(process)

        def ready() -> bool:
            assert process.poll() is None, f"deploy/up ended:\n{self.log.read_text()[-4000:]}"
            return (self.folder / "up.json").exists() and self._says_ready()

        until(ready, timeout_s=START_LIMIT_S, every_s=0.2, what="a ready house")
        found: dict[str, Any] = json.loads((self.folder / "up.json").read_text())
        return found

    def _says_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self, number: signal.Signals) -> int:
        """Signal deploy/up alone, as a terminal or a supervisor does; its exit code."""
        self.started[-1].send_signal(number)
        return self.started[-1].wait(STOP_LIMIT_S)

    def pid_of(self, part: str) -> int | None:
        """The program whose command line holds `part`."""
        rows = [row for row in processes_of(self.folder) if part in row]
        return int(rows[0].split()[0]) if rows else None

    def kill(self, part: str) -> int:
        """It dies; its number."""
        pid = self.pid_of(part)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_and_see_again(self, part: str) -> None:
        pid = self.kill(part)
        until(lambda: self.pid_of(part) not in (None, pid), timeout_s=20, what=f"another {part}")

    def nothing_left(self) -> None:
        until(lambda: not processes_of(self.folder), timeout_s=STOP_LIMIT_S, what="no process of the house")


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("up") / ("a-folder-with-a-long-name-" * 5)
    house = House(folder, free_port())
    yield house
    for process in house.started:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_LIMIT_S)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_house_keeps_its_data_through_kill_9_and_leaves_no_process(house: House) -> None:
    first = house.start()
    assert stat.S_IMODE((house.folder / "up.json").stat().st_mode) == 0o600
    assert first["base_url"] == f"http://localhost:{house.port}"
    assert {"remote_physician", "bedside_physician", "scheduler"} <= {row["role"] for row in first["staff"]}
    assert first["patients"]
    assert first["exams"]

    house.end(signal.SIGKILL)
    house.nothing_left()
    again = house.start()
    assert again["staff"] == first["staff"]
    assert {row["id"] for row in first["exams"]} <= {row["id"] for row in again["exams"]}

    assert house.end(signal.SIGINT) == 0
    house.nothing_left()
    assert not (house.folder / "up.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_part_that_dies_is_started_again_and_one_that_keeps_dying_ends_the_house(house: House) -> None:
    house.start()
    for part in ("valkey-server", *["beat-schedule"] * RESTARTS_MOST):
        house.kill_and_see_again(part)
    told = "beat ended (status -9) and was started again"  # said once the new one runs
    until(lambda: house.log.read_text().count(told) == RESTARTS_MOST, what="each start said")
    until(house._says_ready, timeout_s=30, what="a ready house")
    house.kill("beat-schedule")
    assert house.started[-1].wait(STOP_LIMIT_S) == 1
    assert "deploy/up: beat ended (status -9)" in house.log.read_text()
    house.nothing_left()

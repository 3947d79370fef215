"""Starts the robot's processes, starts a dead one again, and leaves nothing behind.

Deliberately small: no threads, no network after pairing. If it dies itself, its children notice
(parent death signal) and end; the arm then rests by its controller's watchdog.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from devices.drivers.registry import arm_class
from devices.edge import identity as identities
from devices.edge.config import Config
from devices.edge.identity import Identity, PairingRefused, PairingUnavailable

log = logging.getLogger("edge")
POLL_S = 0.05
RESTART_FIRST_S = 0.2
RESTART_MAX_S = 5.0
STEADY_S = 10.0  # a child that ran this long starts again at once
END_S = 3.0  # after SIGTERM, before SIGKILL
PAIR_AGAIN_S = 2.0
PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """One process and its restarts."""

    name: str
    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    start_at_s: float = 0.0
    delay_s: float = RESTART_FIRST_S
    starts_n: int = field(default=0)

    def watch(self, now_s: float) -> None:
        """Start it when it is not running and its pause is over."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            steady = now_s - self.started_s > STEADY_S
            self.delay_s = RESTART_FIRST_S if steady else min(self.delay_s * 2, RESTART_MAX_S)
            self.start_at_s = now_s if steady else now_s + self.delay_s
            log.error("%s ended with %s; again in %.1f s", self.name, code, max(0.0, self.start_at_s - now_s))
            self.process = None
        if now_s >= self.start_at_s:
            self.process = subprocess.Popen(self.argv, preexec_fn=_die_with_parent)
            self.started_s, self.starts_n = now_s, self.starts_n + 1
            log.info("%s started, pid %d", self.name, self.process.pid)

    def end(self) -> None:
        """SIGTERM, then SIGKILL; returns when it is gone."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)  # a stopped process cannot end
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            log.error("%s does not end, killed", self.name)
            self.process.kill()
            self.process.wait()
        self.process = None


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def children(config: Config, *, config_file: Path, robot_id: str, record: Path | None = None) -> list[Child]:
    """The processes of this robot in starting order; ended in the opposite order."""
    python, run = sys.executable, ["--runtime-dir", str(config.runtime_dir)]
    found = []
    if record is not None:  # first: it ends last and has everything
        found.append(Child("recorder", [python, "-m", "devices.edge.recorder", *run, "--out", str(record)]))
    box = arm_class(config.driver).controller_command(runtime_dir=config.runtime_dir, options=config.options)
    if box is not None:
        found.append(Child("arm", box))
    safety = [
        python,
        "-m",
        "devices.edge.safety",
        *run,
        "--data-dir",
        str(config.data_dir),
        "--robot-id",
        robot_id,
    ]
    safety += ["--driver", config.driver, "--options", json.dumps(config.options)]
    safety += ["--record"] if record is not None else []
    imaging = [python, "-m", "devices.edge.imaging", *run, "--source", config.image_source]
    imaging += ["--out-dir", str(config.data_dir / "pictures"), "--bitrate-kbps", str(config.bitrate_kbps)]
    for key, value in config.image_options.items():
        imaging += [f"--{key.replace('_', '-')}", str(value)]
    found.append(Child("safety", safety))
    found.append(Child("imaging", imaging))
    found.append(Child("link", [python, "-m", "devices.edge.link", *run, "--config", str(config_file)]))
    return found


class Parent:
    """Runs until SIGTERM or Ctrl-C."""

    def __init__(self, *, config: Config, config_file: Path, record: Path | None = None) -> None:
        self._config, self._config_file, self._record = config, config_file, record
        self._running = True

    def run(self) -> int:
        """Exit status: 0 ended on request, 3 pairing refused."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        config = self._config
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (config.data_dir / "pictures").mkdir(exist_ok=True)
        config.runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (config.runtime_dir / "shm").mkdir(exist_ok=True)
        try:
            identity = self._identity()
            if identity is not None:
                robot_id, file = identity.robot_id, self._config_file
                self._watch(children(config, config_file=file, robot_id=robot_id, record=self._record))
        except PairingRefused as error:
            log.error("pairing refused: %s", error)
            return 3
        finally:
            self._sweep()
        return 0

    def _identity(self) -> Identity | None:
        found = identities.load(self._config.data_dir)
        while found is None and self._running:
            if self._config.pairing_code is None:
                raise PairingRefused("this robot is not paired and the file holds no pairing_code")
            try:
                found = identities.pair(
                    server_url=self._config.server_url,
                    code=self._config.pairing_code,
                    data_dir=self._config.data_dir,
                )
            except PairingUnavailable as error:
                log.info("server not there for pairing: %s", error)
                self._pause(PAIR_AGAIN_S)
        return found

    def _watch(self, processes: list[Child]) -> None:
        try:
            while self._running:
                for child in processes:
                    child.watch(time.monotonic())
                self._write_pids(processes)
                self._pause(POLL_S)
        finally:
            for child in reversed(processes):
                child.end()

    def _write_pids(self, processes: list[Child]) -> None:
        pids = {c.name: c.process.pid if c.process is not None else None for c in processes}
        text = json.dumps(pids)
        path = self._config.runtime_dir / "pids.json"
        if not path.exists() or path.read_text() != text:
            temporary = path.with_suffix(".tmp")
            temporary.write_text(text)
            temporary.replace(path)

    def _pause(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while self._running and time.monotonic() < end_s:
            time.sleep(min(POLL_S, seconds))

    def _sweep(self) -> None:
        """Sockets, shared memory and the process list go; a folder we made goes too."""
        for path in self._config.runtime_dir.glob("*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_socket() or path.suffix == ".json":
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._config.runtime_dir.rmdir()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        log.info("%s: ending", signal.Signals(number).name)
        self._running = False

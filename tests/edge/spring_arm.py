"""A robot arm for process tests: driver and controller box with its own watchdog, around SpringWorld.

``python -m tests.edge.spring_arm DIR`` is the box; ``tests.edge.spring_arm:SpringArm`` the driver.
The box writes what it does to DIR/box.json twenty times a second, so that a test can see the arm
when the agent's own processes are stopped or dead.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devices.drivers.base import ZERO, Arm, ArmNotThere, ArmState, ArmTimeout, Pose, Twist
from tests.edge.bench import SITES
from tests.edge.world import SpringWorld

SERVO = struct.Struct("<6d")
WATCHDOG_MS = 100.0
STATE_MAX_AGE_S = 0.1


class SpringArm(Arm):
    """Driver side: datagrams to the box, newest state kept."""

    watchdog_ms = WATCHDOG_MS
    stop_time_ms = 100.0
    workspace_mm = ((-300.0, 300.0), (-300.0, 300.0), (-60.0, 300.0))
    release_without_power = "Lift the probe by hand."

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._sock: socket.socket | None = None
        self._state: ArmState | None = None

    @classmethod
    def controller_command(cls, *, runtime_dir: Path, options: Mapping[str, Any]) -> list[str] | None:
        del options
        return [sys.executable, "-m", "tests.edge.spring_arm", str(runtime_dir)]

    def connect(self, *, timeout_s: float = 5.0) -> None:
        self.close()
        mine = self.runtime_dir / "driver.sock"
        mine.unlink(missing_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(mine))
        self._sock.setblocking(False)
        self._state = None
        deadline_s = time.monotonic() + timeout_s
        while self._state is None:
            with contextlib.suppress(ArmNotThere):
                self._send(b"h")
            self._read()
            if time.monotonic() > deadline_s:
                raise ArmNotThere("no state from the box")
            time.sleep(0.005)

    def _send(self, data: bytes) -> None:
        if self._sock is None:
            raise ArmNotThere("not connected")
        try:
            self._sock.sendto(data, str(self.runtime_dir / "arm.sock"))
        except BlockingIOError:
            return
        except OSError as error:
            raise ArmNotThere(str(error)) from error

    def _read(self) -> None:
        while self._sock is not None:
            try:
                row = json.loads(self._sock.recv(4096))
            except BlockingIOError:
                return
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
            self._state = ArmState(**{**fields, "twist": Twist(**row["twist"])})

    def enable(self) -> None:
        self._send(b"e")

    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        self._send(b"s" + SERVO.pack(twist.vx, twist.vy, twist.vz, twist.wx, twist.wy, twist.wz))

    def stop(self) -> None:
        self._send(b"s" + SERVO.pack(*([0.0] * 6)))

    def state(self) -> ArmState:
        self._read()
        if self._state is None or time.monotonic() - self._state.t_us / 1e6 > STATE_MAX_AGE_S:
            raise ArmTimeout("state is old")
        return self._state

    def lift(self, distance_mm: float) -> None:
        self._send(b"l")

    def hand_guide(self, on: bool) -> None:
        self._send(b"g" if on else b"G")

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def site_pose(self, site: str) -> Pose | None:
        return SITES.get(site)


class Box:
    """Physics at 250 Hz and the watchdog."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "arm.sock"
        self._path.unlink(missing_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(self._path))
        self._sock.setblocking(False)
        self._client: str | None = None
        self._wanted = ZERO
        self._servo_at_s = 0.0
        self.world = SpringWorld()
        self.running = True

    def run(self) -> None:
        last_s = report_s = time.monotonic()
        while self.running:
            now_s = time.monotonic()
            self._receive(now_s)
            if now_s - self._servo_at_s > WATCHDOG_MS / 1000.0 and self._wanted is not None:
                self.world.tripped = True
            self.world.advance(ZERO if self.world.tripped else self._wanted, max(1e-4, now_s - last_s))
            self.world.time_s = now_s
            last_s = now_s
            row = asdict(self.world.state())
            if self._client is not None:
                with contextlib.suppress(OSError):
                    self._sock.sendto(json.dumps(row).encode(), self._client)
            if now_s - report_s > 0.05:
                report_s = now_s
                temporary = self._folder / "box.tmp"
                temporary.write_text(json.dumps({**row, "peak_n": self.world.peak_n}))
                temporary.replace(self._folder / "box.json")
            time.sleep(0.004)
        self._path.unlink(missing_ok=True)

    def _receive(self, now_s: float) -> None:
        while True:
            try:
                data, sender = self._sock.recvfrom(256)
            except BlockingIOError:
                return
            if data[:1] == b"h":
                self._client = sender
            elif data[:1] == b"e":
                self.world.tripped = False
                self._servo_at_s, self._wanted = now_s, ZERO
            elif data[:1] == b"s":
                self._servo_at_s = now_s
                self._wanted = Twist(*SERVO.unpack(data[1:]))
            elif data[:1] == b"l":
                self.world.position[2] += 50.0


if __name__ == "__main__":
    box = Box(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: setattr(box, "running", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    box.run()

"""The simulated robot's controller box: physics in real time behind a Unix datagram socket.

    python -m devices.drivers.sim.box --runtime-dir DIR [--site NAME] [--fault NAME=VALUE]...

As a real arm's box it belongs to nobody's process: its client may die, hang or send rubbish, and the
arm comes to rest by the box's own watchdog and keeps its pose.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from types import FrameType

import numpy as np

from devices.drivers.sim import protocol
from devices.drivers.sim.controller import Controller, Refused
from devices.drivers.sim.faults import COLLISION_MM_S, FAULTS, Faults
from devices.drivers.sim.patient import BREATHS_PER_MIN, Patient
from devices.drivers.sim.physics import CONTACT_N, Physics
from devices.drivers.sim.protocol import Op, StateFlag
from devices.drivers.sim.reader import ProbePose, ProbeWriter

CYCLE_S = 0.002
BEHIND_MAX_S = 0.05
"""Farther behind than this (the machine slept) the box drops the time instead of racing after it."""
SOCKET_NAME = "arm.sock"
_DATAGRAM_MAX = 4096
_PER_CYCLE_MAX = 64


class Box:
    """The socket, the clock and the shared memory around a ``Controller``."""

    def __init__(
        self, *, runtime_dir: Path, site: str = "park", breaths_per_min: float = BREATHS_PER_MIN
    ) -> None:
        self.physics = Physics(site=site)
        self.patient = Patient(breaths_per_min=breaths_per_min)
        self.controller = Controller(self.physics)
        self.faults = Faults()
        self._path = runtime_dir / SOCKET_NAME
        self._writer = ProbeWriter(runtime_dir)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._inode = self._path.stat().st_ino
        self._socket.setblocking(False)
        self._client: str | bytes | None = None
        self._sequence = 0
        self._jump_mm = 0.0
        self._last_state = b""
        self._running = True

    def run(self) -> None:
        """Cycle at 500 Hz until ``end``."""
        due = time.monotonic()
        while self._running:
            due += CYCLE_S
            self._listen(due)
            now = time.monotonic()
            if now - due > BEHIND_MAX_S:
                due = now
            self._cycle(now)

    def end(self) -> None:
        """Leave ``run`` after the current cycle."""
        self._running = False

    def close(self) -> None:
        """Unlink the socket if it is still ours; repeatable."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        self._socket.close()
        self._writer.close()

    def _listen(self, due: float) -> None:
        """Answer datagrams until the cycle is due; at most so many that the physics is never late."""
        for _ in range(_PER_CYCLE_MAX):
            wait = max(0.0, due - time.monotonic())
            if not select.select([self._socket], [], [], wait)[0]:
                return
            try:
                datagram, address = self._socket.recvfrom(_DATAGRAM_MAX)
            except OSError:
                continue
            now = time.monotonic()
            if not self.faults.value("dead_socket", now):
                self._handle(datagram, address or None, now)
        time.sleep(max(0.0, due - time.monotonic()))

    def _handle(self, datagram: bytes, address: str | bytes | None, now: float) -> None:
        if len(datagram) < protocol.HEADER.size:
            return
        magic, number, _, sequence = protocol.HEADER.unpack_from(datagram)
        if magic != protocol.REQUEST_MAGIC or number not in set(Op):
            return
        op = Op(number)
        body = datagram[protocol.HEADER.size :]
        code = "ok"
        try:
            self._do(op, body, now, address)
        except Refused as refused:
            code = str(refused.args[0])
        except (ValueError, LookupError, struct.error):
            code = "malformed"
        if address is not None and not (op is Op.SERVO and code == "ok"):
            head = protocol.ACK.pack(protocol.ACK_MAGIC, op, code == "ok", 0, sequence)
            self._send(head + code.encode(), address)

    def _do(self, op: Op, body: bytes, now: float, address: str | bytes | None) -> None:
        controller = self.controller
        if op in (Op.FAULT, Op.TOLD):
            self._happen(op, body.decode(), now)
            return
        if op not in (Op.SERVO, Op.HELLO, Op.STOP) and self.faults.refuses():
            raise Refused("fault")
        if op is Op.SERVO:
            *twist, _setpoint, _dt = protocol.SERVO.unpack(body)
            controller.servo(np.array(twist, dtype=np.float64), now)
        elif op is Op.HELLO and not body:
            self._client = address
        elif op is Op.ENABLE and not body:
            controller.enable(now)
        elif op is Op.STOP:
            controller.stop(now)
        elif op is Op.LIFT:
            controller.lift(*protocol.NUMBER.unpack(body))
        elif op is Op.HAND_GUIDE and body in (b"\0", b"\1"):
            controller.hand_guide(body == b"\1", now)
        elif op is Op.PLACE:
            controller.place(body.decode())
        else:
            raise ValueError(op)

    def _happen(self, op: Op, text: str, now: float) -> None:
        """What comes from outside the arm: a fault, or a word to the patient."""
        if op is Op.TOLD:
            self.patient.told(text)
            return
        name, _, value = text.partition("=")
        self.faults.start(name, float(value or 1.0), now)

    def _cycle(self, now: float) -> None:
        self.controller.slow_stop_ms = self.faults.value("slow_stop", now)
        self.physics.push_n[2] = self.faults.value("push", now)
        self.physics.stiffen(self.faults.value("stiff", now) or 1.0)
        self._heave(self.faults.value("collision", now))
        self.controller.cycle(now, CYCLE_S)
        self._publish(now)

    def _heave(self, jump_mm: float) -> None:
        """Breathing, and the jump of a fault on top of it."""
        most = COLLISION_MM_S * CYCLE_S
        self._jump_mm += float(np.clip(jump_mm - self._jump_mm, -most, most))
        self.patient.cycle(CYCLE_S)
        self.physics.heave(self.patient.heave_mm + self._jump_mm)

    def _publish(self, now: float) -> None:
        physics = self.physics
        tip, quaternion, twist = physics.tip_mm, physics.quaternion, physics.twist
        t_us = time.monotonic_ns() // 1000
        contact = physics.force_n > CONTACT_N
        self._writer.write(probe_pose(physics, self.patient, t_us=t_us))
        if self._client is None or self.faults.value("dead_socket", now):
            return
        if self.faults.value("frozen_state", now) and self._last_state:
            self._send(self._last_state, self._client)
            return
        force_n = physics.force_n + self.faults.value("force_spike", now)
        flags = StateFlag(0)
        flags |= StateFlag.CONTACT if contact else StateFlag(0)
        moving = float(np.linalg.norm(twist[:3])) > 1.0 or float(np.linalg.norm(twist[3:])) > 0.5
        flags |= StateFlag.MOVING if moving else StateFlag(0)
        flags |= StateFlag.WATCHDOG_TRIPPED if self.controller.watchdog_tripped else StateFlag(0)
        flags |= StateFlag.ENABLED if self.controller.enabled else StateFlag(0)
        flags |= StateFlag.PATIENT_BUTTON if self.faults.value("patient_button", now) else StateFlag(0)
        flags |= StateFlag.BUSY if self.controller.busy else StateFlag(0)
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        head = (protocol.STATE_MAGIC, int(flags), 0, self._sequence, t_us)
        self._last_state = protocol.STATE.pack(*head, *physics.joints, *tip, *quaternion, *twist, force_n)
        self._send(self._last_state, self._client)

    def _send(self, datagram: bytes, address: str | bytes) -> None:
        try:
            self._socket.sendto(datagram, address)
        except BlockingIOError:
            return  # A client that does not read loses states; it is its own watchdog's matter.
        except OSError:
            if address == self._client:
                self._client = None


def probe_pose(physics: Physics, patient: Patient, *, t_us: int) -> ProbePose:
    """What the renderer must know of this moment."""
    return ProbePose(
        t_us,
        physics.tip_mm,
        physics.quaternion,
        physics.force_n,
        physics.force_n > CONTACT_N,
        physics.indentation_mm,
        physics.heave_mm,
        patient.organs_mm,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the box until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devices.drivers.sim.box", description=__doc__)
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--site", default="park")
    parser.add_argument("--breaths-per-min", type=float, default=BREATHS_PER_MIN)
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=", ".join(FAULTS),
    )
    given = parser.parse_args(arguments)
    given.runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    box = Box(runtime_dir=given.runtime_dir, site=given.site, breaths_per_min=given.breaths_per_min)
    for fault in given.fault:
        name, _, value = fault.partition("=")
        box.faults.start(name, float(value or 1.0), time.monotonic())

    def ended(_number: int, _frame: FrameType | None) -> None:
        box.end()

    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        box.run()
    finally:
        box.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

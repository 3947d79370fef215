"""The driver of the simulated arm: talks to its controller box as a vendor's driver talks to a real one."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.drivers.base import (
    Arm,
    ArmLied,
    ArmNotThere,
    ArmRefused,
    ArmState,
    ArmTimeout,
    Pose,
    Twist,
)
from devices.drivers.sim import protocol
from devices.drivers.sim.patient import BREATHS_PER_MIN
from devices.drivers.sim.protocol import Op, StateFlag
from devices.drivers.sim.world import WORKSPACE_MM, quaternion_of, site_frame

STATE_MAX_AGE_S = 0.05
ANSWER_WAIT_S = 0.001
"""How long a request waits for its ack; a later refusal is raised by the next ``servo``."""
_SOCKET_NAME = "arm.sock"


class SimArm(Arm):
    """Seven simulated axes over a compliant abdomen that breathes.

    Options: ``site`` (start pose, default "park"), ``breaths_per_min`` (default 15, 0 does not breathe).
    """

    watchdog_ms = 100.0
    stop_time_ms = 60.0
    workspace_mm = WORKSPACE_MM
    release_without_power = (
        "Simulated arm: the brakes are off without power, push it away by hand. / "
        "模拟机械臂：断电后制动松开，可直接用手推开。"
    )

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._socket: socket.socket | None = None
        self._sequence = 0
        self._newest: ArmState | None = None
        self._flags = StateFlag(0)
        self._acks: dict[int, str] = {}
        self._late: dict[int, Op] = {}
        self._refusal: str | None = None

    @classmethod
    def controller_command(cls, *, runtime_dir: Path, options: Mapping[str, Any]) -> list[str]:
        """The box: its own process, so that it outlives this driver. Option ``faults``: list of NAME=VALUE."""
        command = [
            sys.executable,
            "-m",
            "devices.drivers.sim.box",
            "--runtime-dir",
            str(runtime_dir),
        ]
        command += ["--site", str(options.get("site", "park"))]
        command += ["--breaths-per-min", str(options.get("breaths_per_min", BREATHS_PER_MIN))]
        for fault in options.get("faults", ()):
            command += ["--fault", str(fault)]
        return command

    def connect(self, *, timeout_s: float = 5.0) -> None:
        """Say hello until the box streams states. Raises ArmNotThere."""
        deadline = time.monotonic() + timeout_s
        self.close()
        while time.monotonic() < deadline:
            if self._socket is None and not self._dial():
                select.select([], [], [], 0.02)
                continue
            with contextlib.suppress(ArmNotThere):
                self._send(Op.HELLO)
                if self._wait(lambda: self._newest is not None, 0.05):
                    return
            self.close()
        raise ArmNotThere(f"no controller answers at {self.runtime_dir / _SOCKET_NAME}")

    def enable(self) -> None:
        """Listen to servo. Raises ArmRefused (at once, or by the next ``servo``), ArmNotThere."""
        self._refusal = None
        self._request(Op.ENABLE)

    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        """Send one twist; never waits. Raises ArmRefused, ArmNotThere."""
        parts = (twist.vx, twist.vy, twist.vz, twist.wx, twist.wy, twist.wz)
        if not all(math.isfinite(part) for part in parts):
            raise ArmRefused("not_finite")
        self._drain()
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise ArmRefused(refusal)
        setpoint = math.nan if force_setpoint_n is None else force_setpoint_n
        self._send(Op.SERVO, protocol.SERVO.pack(*parts, setpoint, dt_s))

    def stop(self) -> None:
        """Rest by the box's shortest ramp. Raises ArmNotThere."""
        self._send(Op.STOP)

    def state(self) -> ArmState:
        """Newest state streamed. Raises ArmTimeout, ArmLied, ArmNotThere."""
        self._drain()
        newest = self._newest
        if newest is None:
            raise ArmTimeout("no state yet")
        if time.monotonic() - newest.t_us / 1e6 > STATE_MAX_AGE_S:
            raise ArmTimeout("the newest state is too old")
        if not all(map(math.isfinite, (*newest.position_mm, *newest.quaternion, newest.force_n))):
            raise ArmLied("a state with a number that is none")
        return newest

    def lift(self, distance_mm: float) -> None:
        """Let the box retract along the beam by at most 120 mm. Raises ArmRefused, ArmNotThere."""
        self._request(Op.LIFT, protocol.NUMBER.pack(distance_mm))

    def hand_guide(self, on: bool) -> None:
        """Let go of the joints, or hold again. Raises ArmRefused, ArmNotThere."""
        self._request(Op.HAND_GUIDE, b"\x01" if on else b"\x00")

    def place(self, site: str) -> None:
        """Let the box move to a site's hover pose through free air. Raises ArmRefused, ArmNotThere."""
        self._request(Op.PLACE, site.encode())

    def fault(self, name: str, value: float) -> None:
        """Switch a fault on (``faults.FAULTS``). Raises ArmRefused for an unknown one."""
        self._request(Op.FAULT, f"{name}={value}".encode(), wait_s=0.05)

    def patient_told(self, key: str) -> None:
        """Let the simulated patient hear a prompt. Raises ArmNotThere."""
        self._late[self._send(Op.TOLD, key.encode())] = Op.TOLD

    @property
    def busy(self) -> bool:
        """The box carries out a lift or a placement itself."""
        self._drain()
        return StateFlag.BUSY in self._flags

    def close(self) -> None:
        """Let go of the socket; repeatable. The box's watchdog does the rest."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._newest = None
        self._acks.clear()
        self._late.clear()
        self._refusal = None

    def site_pose(self, site: str) -> Pose | None:
        """Hover pose 20 mm above the skin ("park" too), or None."""
        frame = site_frame(site)
        if frame is None:
            return None
        x, y, z = (float(value) for value in frame[0])
        return Pose((x, y, z), quaternion_of(frame[1]))

    def _dial(self) -> bool:
        dialled = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        dialled.setblocking(False)
        try:
            dialled.bind("")  # Linux gives an abstract address: nothing to unlink, gone with the process
            dialled.connect(str(self.runtime_dir / _SOCKET_NAME))
        except OSError:
            dialled.close()
            return False
        self._socket = dialled
        return True

    def _request(self, op: Op, body: bytes = b"", *, wait_s: float = ANSWER_WAIT_S) -> None:
        sequence = self._send(op, body)
        if not self._wait(lambda: sequence in self._acks, wait_s):
            self._late[sequence] = op
            return
        code = self._acks.pop(sequence)
        if code != "ok":
            raise ArmRefused(code)

    def _send(self, op: Op, body: bytes = b"") -> int:
        if self._socket is None:
            raise ArmNotThere("not connected")
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        head = protocol.HEADER.pack(protocol.REQUEST_MAGIC, op, 0, self._sequence)
        try:
            self._socket.send(head + body)
        except BlockingIOError:
            pass  # The box hangs: its states age, and ``state`` says so.
        except OSError as error:
            raise ArmNotThere(f"the controller is gone: {error}") from error
        return self._sequence

    def _wait(self, done: Any, wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while True:
            self._drain()
            if done():
                return True
            left = deadline - time.monotonic()
            if left <= 0 or self._socket is None:
                return False
            select.select([self._socket], [], [], left)

    def _drain(self) -> None:
        if self._socket is None:
            raise ArmNotThere("not connected")
        while True:
            try:
                datagram = self._socket.recv(4096)
            except BlockingIOError:
                return
            except OSError as error:
                raise ArmNotThere(f"the controller is gone: {error}") from error
            self._read(datagram)

    def _read(self, datagram: bytes) -> None:
        if len(datagram) == protocol.STATE.size and datagram[0] == protocol.STATE_MAGIC:
            self._flags = StateFlag(datagram[1])
            self._newest = _state(datagram)
        elif len(datagram) >= protocol.ACK.size and datagram[0] == protocol.ACK_MAGIC:
            _, op, ok, _, sequence = protocol.ACK.unpack_from(datagram)
            code = "ok" if ok else datagram[protocol.ACK.size :].decode(errors="replace")
            if op == Op.HELLO:
                return
            if op == Op.SERVO or self._late.pop(sequence, None) is not None:
                # watchdog_tripped is part of the state; saying it twice would end a running exam twice.
                if code not in ("ok", "watchdog_tripped"):
                    self._refusal = code
            else:
                self._acks[sequence] = code


def _state(datagram: bytes) -> ArmState:
    fields = protocol.STATE.unpack(datagram)
    flags = StateFlag(fields[1])
    return ArmState(
        t_us=fields[4],
        joints=fields[5:12],
        position_mm=fields[12:15],
        quaternion=fields[15:19],
        twist=Twist(*fields[19:25]),
        force_n=fields[25],
        contact=StateFlag.CONTACT in flags,
        moving=StateFlag.MOVING in flags,
        watchdog_tripped=StateFlag.WATCHDOG_TRIPPED in flags,
        patient_button=StateFlag.PATIENT_BUTTON in flags,
    )

"""A socket and a driver that tell the tap what they gave and took."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from devices.drivers import base
from devices.drivers.base import Arm, ArmState, DriverError, Pose, Twist
from devices.edge.recorder.items import Kind, pack_json, pack_state
from devices.edge.recorder.masks import Masks


class Notes(Protocol):
    """Where items go."""

    masks: Masks

    def note(self, kind: Kind, payload: bytes) -> None: ...


class TappedSocket(socket.socket):
    """Takes over a bound datagram socket."""

    def __init__(self, found: socket.socket, notes: Notes) -> None:
        super().__init__(fileno=found.detach())
        self.setblocking(False)
        self._notes = notes

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Noted without secrets."""
        data = super().recv(bufsize, flags)
        self._notes.note(Kind.DATAGRAM, self._notes.masks.datagram(data))
        return data

    def sendto(self, data: Any, *rest: Any) -> int:
        """Noted before: a receiver that is away does not change what was decided."""
        self._notes.note(Kind.SENT, bytes(data))
        return super().sendto(data, *rest)


class TappedArm(Arm):
    """Passes every call on."""

    def __init__(self, arm: Arm, notes: Notes) -> None:
        super().__init__(runtime_dir=arm.runtime_dir, options=arm.options)
        self._arm, self._notes = arm, notes

    def _noted(self, call: str, run: Callable[[], None]) -> None:
        try:
            run()
        except DriverError as error:
            self._failed(call, error)
            raise

    def _failed(self, call: str, error: DriverError) -> None:
        known = next(kind for kind in type(error).__mro__ if kind.__module__ == base.__name__)
        told = {"call": call, "error": type(error).__name__, "base": known.__name__, "text": str(error)}
        self._notes.note(Kind.ARM_ERROR, pack_json(told))

    def state(self) -> ArmState:
        """The driver's newest."""
        try:
            found = self._arm.state()
        except DriverError as error:
            self._failed("state", error)
            raise
        self._notes.note(Kind.ARM_STATE, pack_state(found))
        return found

    def connect(self, *, timeout_s: float = 5.0) -> None:
        """As the driver."""
        self._noted("connect", lambda: self._arm.connect(timeout_s=timeout_s))

    def enable(self) -> None:
        """As the driver."""
        self._noted("enable", self._arm.enable)

    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        """As the driver."""
        try:
            self._arm.servo(twist, force_setpoint_n, dt_s)
        except DriverError as error:
            self._failed("servo", error)
            raise

    def stop(self) -> None:
        """As the driver."""
        self._noted("stop", self._arm.stop)

    def lift(self, distance_mm: float) -> None:
        """As the driver."""
        self._noted("lift", lambda: self._arm.lift(distance_mm))

    def hand_guide(self, on: bool) -> None:
        """As the driver."""
        self._noted("hand_guide", lambda: self._arm.hand_guide(on))

    def patient_told(self, key: str) -> None:
        """As the driver."""
        self._noted("patient_told", lambda: self._arm.patient_told(key))

    def close(self) -> None:
        """As the driver."""
        self._arm.close()

    def site_pose(self, site: str) -> Pose | None:
        """Noted: the table is the driver's."""
        found = self._arm.site_pose(site)
        pose = None if found is None else [found.position_mm, found.quaternion]
        self._notes.note(Kind.SITE, pack_json({"site": site, "pose": pose}))
        return found

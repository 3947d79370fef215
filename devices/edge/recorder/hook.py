"""Where the safety process can be listened to, or fed from a recording. This one does nothing of the kind."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from devices.drivers.base import Arm
from devices.edge.safety import port
from devices.edge.safety.cycle import Output
from devices.edge.safety.lease import Decode


class Hook:
    """All that comes from outside passes through here: sockets, clocks, token checks, the arm."""

    def bind(self, path: Path) -> socket.socket:
        """The safety process's socket."""
        return port.bind(path)

    def decode(self, decode: Decode) -> Decode:
        """The check of a token."""
        return decode

    def arm(self, arm: Arm) -> Arm:
        """The arm's driver."""
        return arm

    def started_s(self) -> float:
        """Monotonic time of the start."""
        return time.monotonic()

    def wall_ms(self) -> float:
        """The computer's clock."""
        return time.time() * 1000.0

    def cycle(self, now_s: float, dt_s: float) -> None:
        """A cycle begins."""

    def output(self, out: Output) -> None:
        """What the core decided in it."""

    def close(self) -> None:
        """The loop is over."""

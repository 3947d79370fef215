"""Where the probe was when a picture was taken: what the safety process says, never what a simulator knows."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from devices.edge.marks.body import HEADS, LIES, Lying, Pose
from devices.edge.safety import port

STALE_US = 200_000  # an older word is no word: a picture then says that the pose is unknown; design value
DATAGRAMS_AT_ONCE = 64


class ProbeListener:
    """Newest word of safety. Reading costs a system call a picture and never waits."""

    def __init__(self, runtime_dir: Path) -> None:
        self._path = runtime_dir / port.PROBE_SOCKET
        self._sock = port.bind(self._path)
        self._said: tuple[int, Pose] | None = None
        self._lying: tuple[str, Lying] | None = None

    def pose(self, at_us: int) -> Pose | None:
        """The probe at monotonic ``at_us``, None when nobody said it within 0.2 s of it."""
        self._read()
        if self._said is None or abs(self._said[0] - at_us) > STALE_US:
            return None
        return self._said[1]

    def lying(self, exam_id: str) -> Lying | None:
        """How this exam's patient lies; None when the bedside has not said it for this exam."""
        self._read()
        return self._lying[1] if self._lying is not None and self._lying[0] == exam_id else None

    def _read(self) -> None:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                data = self._sock.recv(port.MAX_DATAGRAM)
            except OSError:
                return
            try:
                self._take(json.loads(data))
            except (ValueError, KeyError, TypeError):
                continue

    def _take(self, message: dict[str, Any]) -> None:
        x, y, z = (float(value) for value in message["position_mm"])
        a, b, c, d = (float(value) for value in message["quaternion"])
        if not all(map(math.isfinite, (x, y, z, a, b, c, d))):
            return
        self._said = int(message["t_us"]), Pose((x, y, z), (a, b, c, d))
        lying, exam = message["lying"], message["exam"]
        self._lying = None
        if lying is not None and exam is not None and lying["head"] in HEADS and lying["lie"] in LIES:
            self._lying = str(exam), Lying(lying["head"], lying["lie"])

    def close(self) -> None:
        """Let go of the socket; repeatable."""
        self._sock.close()
        self._path.unlink(missing_ok=True)


def now_us() -> int:
    """The clock of pictures and poses."""
    return time.monotonic_ns() // 1000

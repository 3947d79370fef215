"""Where the tool truly was and how hard it pressed: every pose of the simulator's physics, read beside everything.

A process of its own (`python -m tests.bench.truth DIR`) polls the shared memory at 2 kHz, so that no pose of the
500 Hz physics is missed while the benchmark itself decodes pictures; it writes each new one to its output.
"""

from __future__ import annotations

import bisect
import contextlib
import math
import os
import select
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from devices.drivers.sim.reader import ProbeReader
from devices.edge.safety.motion import rotate
from devices.wire.messages import Vector3

RECORD = struct.Struct("<Q3d4dd")
"""t_us (monotonic), tip mm, quaternion wxyz, force N"""
POLL_S = 0.0005
REST_MM_S, REST_S = 1.0, 0.1
KEPT = 20_000  # 40 s


@dataclass(frozen=True, slots=True)
class Sample:
    """One pose. ``beam`` is the unit vector into the tissue, base frame."""

    at_s: float
    tip_mm: Vector3
    beam: Vector3
    force_n: float


@dataclass(frozen=True, slots=True)
class Motion:
    """Speed between two samples, mm/s: ``across`` the beam, ``along`` it (inwards positive), all of it."""

    at_s: float
    across: float
    along: float

    @property
    def whole(self) -> float:
        """Speed in any direction."""
        return math.hypot(self.across, self.along)


class Truth:
    """``with Truth(runtime_dir) as truth``; ``since(t)`` gives the samples from a monotonic second on."""

    def __init__(self, runtime_dir: Path) -> None:
        self._command = [sys.executable, "-m", "tests.bench.truth", str(runtime_dir)]
        self._samples: list[Sample] = []
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.peak_n = 0.0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._thread.join(timeout=5)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while len(data := self._process.stdout.read(RECORD.size)) == RECORD.size:
            t_us, x, y, z, qw, qx, qy, qz, force_n = RECORD.unpack(data)
            sample = Sample(t_us / 1e6, (x, y, z), rotate((qw, qx, qy, qz), (0.0, 0.0, 1.0)), force_n)
            with self._lock:
                self._samples.append(sample)
                self.peak_n = max(self.peak_n, force_n)
                if len(self._samples) > 2 * KEPT:
                    del self._samples[:KEPT]

    def since(self, at_s: float) -> list[Sample]:
        """Samples from then on."""
        with self._lock:
            return self._samples[bisect.bisect_left(self._samples, at_s, key=lambda s: s.at_s) :]

    def take_peak(self) -> float:
        """Highest force since the last call, N."""
        with self._lock:
            peak, self.peak_n = self.peak_n, 0.0
        return peak


def motions(samples: Sequence[Sample]) -> list[Motion]:
    """Speeds between neighbours; empty for fewer than two."""
    found = []
    for before, after in pairwise(samples):
        dt_s = after.at_s - before.at_s
        step = [a - b for a, b in zip(after.tip_mm, before.tip_mm, strict=True)]
        along = sum(a * b for a, b in zip(step, after.beam, strict=True))
        across = math.sqrt(max(0.0, sum(a * a for a in step) - along * along))
        found.append(Motion(after.at_s, across / dt_s, along / dt_s))
    return found


def rest_s(speeds: Iterable[tuple[float, float]], *, event_s: float) -> float | None:
    """Seconds from the event until the speed stays under 1 mm/s for 100 ms; None: not seen yet.

    ``speeds``: (monotonic s, mm/s), from before the event on.
    """
    quiet_from: float | None = None
    for at_s, speed in speeds:
        if at_s <= event_s:
            continue
        if speed >= REST_MM_S:
            quiet_from = None
        elif quiet_from is None:
            quiet_from = at_s
        elif at_s - quiet_from >= REST_S:
            return quiet_from - event_s
    return None


def relaxed_s(samples: Iterable[Sample], *, since_s: float, limit_n: float) -> float | None:
    """Seconds from ``since_s`` until the force is at or below the limit for good (as far as seen); None: it is not."""
    under_from: float | None = None
    for sample in samples:
        if sample.force_n > limit_n:
            under_from = None
        elif under_from is None:
            under_from = sample.at_s
    return None if under_from is None else max(0.0, under_from - since_s)


def main() -> None:
    """Poll until the reader of our output is gone."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    reader, last_us = ProbeReader(Path(sys.argv[1])), 0
    with contextlib.suppress(BrokenPipeError):
        while True:
            pose = reader.read()
            if pose is not None and pose.t_us != last_us:
                last_us = pose.t_us
                record = RECORD.pack(pose.t_us, *pose.position_mm, *pose.quaternion, pose.force_n)
                os.write(sys.stdout.fileno(), record)
            select.select([], [], [], POLL_S)


if __name__ == "__main__":
    main()

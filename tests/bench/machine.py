"""What the machine itself takes away: a process per core that does nothing but wake up in time, before all others.

``python -m tests.bench.machine CORE`` sleeps to each 2 ms of the monotonic clock at real-time priority 90 and writes
``{"max_us", "counts"}`` (as `devices.edge.safety.lateness` tells them) when its input closes. A hypervisor that
stops the core, or an interrupt, delays it as it delays the robot's 500 Hz cycle; nothing else can.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from typing import Any, Self

from devices.edge.safety.lateness import Lateness, edge_us

PERIOD_S = 0.002
PRIORITY = 90  # above every process of the robot
SETTLED = 100  # wake-ups after which a process tells that it watches, with an empty line


class Machine:
    """``with Machine() as machine``; after it ``figures()`` has the lateness of all cores together."""

    def __enter__(self) -> Self:
        self._cores = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.machine", str(core)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for core in sorted(os.sched_getaffinity(0))
        ]
        self.told: list[dict[str, Any]] = []
        for process in self._cores:
            assert process.stdout is not None and process.stdout.readline(), "the watching process ended"
        return self

    def __exit__(self, *_: object) -> None:
        self.told = [json.loads(process.communicate(timeout=10)[0]) for process in self._cores]

    def figures(self) -> dict[str, float]:
        """After the block: ``machine_late_p99_ms`` over all wake-ups, ``machine_late_max_ms`` of the worst core."""
        counts: Counter[int] = Counter()
        for core in self.told:
            counts.update({upper_us: n for upper_us, n in core["counts"]})
        return {
            "machine_late_p99_ms": edge_us(counts.items(), 0.99) / 1000,
            "machine_late_max_ms": max(core["max_us"] for core in self.told) / 1000,
        }


def _watch(core: int) -> dict[str, Any]:
    """Lateness of each wake-up until standard input closes; without the right to real time it says so by its figures."""
    os.sched_setaffinity(0, {core})
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    gc.disable()
    lateness = Lateness()
    due_s = time.monotonic() + PERIOD_S
    while not select.select([sys.stdin], [], [], max(0.0, due_s - time.monotonic()))[0]:
        now_s = time.monotonic()
        lateness.note(now_s - due_s)
        if lateness.cycles == SETTLED:
            print(flush=True)
        due_s = max(due_s + PERIOD_S, now_s)  # what was missed is one lateness, not many
    return lateness.take()


if __name__ == "__main__":
    print(json.dumps(_watch(int(sys.argv[1]))))

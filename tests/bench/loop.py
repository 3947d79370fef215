"""Lateness of the real 500 Hz safety cycle while both cores are busy."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from devices.edge.safety.lateness import edge_us
from devices.operator import Operator
from tests.bench.figures import Aim, judge
from tests.bench.live_edge import LiveEdge
from tests.bench.machine import Machine
from tests.edge.fake_server import FakeServer
from tests.waiting import auntil

SUMMARY = "lateness of the 500 Hz safety cycle with both cores busy"
DEFAULT_RUNS = 7  # windows of ten seconds each, as the safety process tells them
AIMS = (Aim("late_p99_ms", 1.0), Aim("late_max_ms", 10.0))
SPIN = "import os,sys; os.sched_setaffinity(0,{int(sys.argv[1])})\nwhile os.getppid()==int(sys.argv[2]): sum(range(20000))"


def run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]:
    """``runs`` windows of 10 s with a busy loop on each core, a live operator and the picture being encoded.

    Beside them what the machine's own pauses do to a process that comes before all others (`Machine`).
    """
    machine = Machine()
    windows = asyncio.run(_measure(runs, say, machine))
    counts: Counter[int] = Counter()
    for window in windows:
        counts.update({upper_us: n for upper_us, n in window["counts"]})
    cycles = sum(counts.values())
    found: dict[str, object] = {
        "late_p50_ms": edge_us(counts.items(), 0.50) / 1000,
        "late_p99_ms": edge_us(counts.items(), 0.99) / 1000,
        "late_max_ms": max(window["max_us"] for window in windows) / 1000,
        "cycles": cycles,
        "seconds": round(cycles / 500, 1),
        "overruns": windows[-1]["overruns"],
        "scheduling": windows[-1]["scheduling"],
        "load_average": round(os.getloadavg()[0], 1),
        **machine.figures(),
    }
    say(
        f"scheduling of the safety process: {found['scheduling']} (SCHED_FIFO granted: {found['scheduling'] == 'fifo'})"
    )
    judge(AIMS, found, say)
    return found


async def _measure(runs: int, say: Callable[[str], None], machine: Machine) -> list[dict[str, Any]]:
    async with FakeServer() as server:
        edge = LiveEdge(server.url, server.hospital.rows)
        await asyncio.to_thread(edge.__enter__)
        try:
            await auntil(lambda: server.told("hello"), timeout_s=60, what="the robot")
            async with Operator(server.url, exam_id="e1", role="console", ticket="c") as console:
                await server.grant(console.latest["welcome"]["peer_id"])
                await console.wait(lambda: console.frames_n > 30, timeout_s=60, what="pictures")
                with machine:
                    return await _windows(server, runs, say)
        finally:
            await asyncio.to_thread(edge.__exit__)


async def _windows(server: FakeServer, runs: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The first window after the cores became busy is left out: part of it was quiet."""
    busy = _busy()
    try:
        seen: list[dict[str, Any]] = []
        while len(seen) < runs + 2:
            status = server.told("status")[-1] if server.told("status") else {}
            window = status.get("cycle")
            if window is not None and (not seen or window != seen[-1]):
                seen.append(window)
                say(f"p99 {window['p99_us']} us, max {window['max_us']} us of {window['cycles']} cycles")
            await asyncio.sleep(0.2)
        return seen[2:]
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _busy() -> list[subprocess.Popen[bytes]]:
    """A loop on each core at normal priority, which ends with us whatever happens."""
    return [
        subprocess.Popen([sys.executable, "-c", SPIN, str(core), str(os.getpid())])
        for core in sorted(os.sched_getaffinity(0))
    ]

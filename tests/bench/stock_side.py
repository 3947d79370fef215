"""The stock peer in its world: the simulator's box beside it, and a hand that keeps the probe on the skin."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from devices.drivers.base import ArmTimeout, DriverError, Twist
from devices.drivers.sim.arm import SimArm
from tests.e2e.browser import ROOT
from tests.waiting import auntil

SITE = "right_upper_quadrant"
HAND_S = 0.02
FORCE_N = 5.0  # as the console begins with
MM_S_PER_N, DOWN_MM_S = 3.0, 12.0
SLIDE_MM_S, SLIDE_S = 12.0, 1.0  # there and back, as the other side's hand does
READY_S = 90.0  # building the phantom takes 3 s, on a busy machine 20
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """For ``preexec_fn``: nothing of a benchmark outlives it, not even its kill -9."""
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


class StockSide:
    """``async with StockSide(source=..., options=...) as side``: then ``await side.answer(offer)``."""

    def __init__(self, *, source: str = "phantom", options: Mapping[str, str] | None = None) -> None:
        self.source, self.options = source, dict(options or {})
        self.runtime_dir = Path(tempfile.mkdtemp(prefix="bench-"))
        (self.runtime_dir / "shm").mkdir()
        self.peer: Process | None = None
        self._box: Process | None = None
        self._hand: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            self._box = await self._start(
                "devices.drivers.sim.box", "--site", SITE, "--runtime-dir", str(self.runtime_dir)
            )
            await auntil((self.runtime_dir / "arm.sock").exists, timeout_s=30, what="the arm's box")
            self._hand = asyncio.get_running_loop().create_task(self._follow())
            given = [f"--option={key}={value}" for key, value in self.options.items()]
            self.peer = await self._start(
                "tests.bench.stock", "--runtime-dir", str(self.runtime_dir), "--source", self.source, *given
            )
            await self._line()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def answer(self, sdp: str) -> str:
        """The stock peer's answer to a complete offer."""
        assert self.peer is not None and self.peer.stdin is not None
        self.peer.stdin.write(json.dumps({"sdp": sdp}).encode() + b"\n")
        return str((await self._line())["sdp"])

    async def close(self) -> None:
        """End everything; repeatable."""
        if self._hand is not None:
            self._hand.cancel()
            await asyncio.gather(self._hand, return_exceptions=True)
        for process in (self.peer, self._box):
            await _end(process)
        shutil.rmtree(self.runtime_dir, ignore_errors=True)

    async def _start(self, module: str, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments,
            cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=1 << 20, preexec_fn=die_with_parent,
        )  # fmt: skip

    async def _line(self) -> dict[str, Any]:
        assert self.peer is not None and self.peer.stdout is not None
        line = await asyncio.wait_for(self.peer.stdout.readline(), READY_S)
        if not line:
            raise RuntimeError("the stock peer ended; its last words are above")
        found: dict[str, Any] = json.loads(line)
        return found

    async def _follow(self) -> None:
        """Press at one force and slide there and back, 50 times a second, through the driver that robots use."""
        arm = SimArm(runtime_dir=self.runtime_dir, options={})
        arm.connect()
        arm.enable()
        try:
            while True:
                with contextlib.suppress(ArmTimeout):  # this process came late: the box waits at rest
                    self._feel(arm)
                await asyncio.sleep(HAND_S)
        except DriverError as error:
            raise RuntimeError(f"the hand let go: {error!r}") from error
        finally:
            arm.close()

    def _feel(self, arm: SimArm) -> None:
        state = arm.state()
        if state.watchdog_tripped:
            arm.enable()
        along = max(-DOWN_MM_S, min(DOWN_MM_S, MM_S_PER_N * (FORCE_N - state.force_n)))
        there = int(asyncio.get_running_loop().time() / SLIDE_S) % 2 == 0
        sideways = (SLIDE_MM_S if there else -SLIDE_MM_S) if state.contact else 0.0
        arm.servo(Twist(vx=sideways, vz=along), FORCE_N, HAND_S)


async def _end(process: Process | None) -> None:
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()

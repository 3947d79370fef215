"""A live robot that is stopped again and again: real edge, real WebRTC, two operators without a browser."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any, Self

from devices.operator import Operator
from devices.wire.messages import SafetyState, TelemetryFlag
from tests.bench.live_edge import LiveEdge
from tests.bench.truth import Motion, Truth, motions
from tests.edge.fake_server import FakeServer

S = SafetyState
FORCE_N, NEAR_N = 12.0, 11.0  # set-point in contact, and from where on a slide counts as pressed
SLIDE_MM_S, FREE_MM_S = (
    20.0,
    30.0,
)  # in contact; in free air the fastest that the console's steps ask (coarse)
SLIDING_SHARE = 0.75  # of the asked speed that the truth must show (the robot slows slides above 12 N itself)
SLIDING_S = 0.05  # for this long
HALF_WAY_MM = 20.0  # slides go back and forth over this, to both sides of the start
SITE = "right_upper_quadrant"
EVERY_S = 0.005
LIMIT_S = 20.0


class Rig:
    """``async with Rig() as rig``: placed above the belly, lease held, console and bedside connected."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.edge: LiveEdge
        self.truth: Truth
        self.console: Operator
        self.bed: Operator
        self._hellos = 0
        self._centre_mm = 0.0
        self._sign = 1.0
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.server.start()
        self.edge = LiveEdge(self.server.url, self.server.hospital.rows)
        await asyncio.to_thread(self.edge.__enter__)
        self.truth = Truth(self.edge.runtime_dir)
        self.truth.__enter__()
        try:
            await self._wait(lambda: bool(self.server.told("hello")), "the robot", limit_s=60)
            await self.dial()
            await self.place()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for operator in (getattr(self, "console", None), getattr(self, "bed", None)):
            if operator is not None:
                await operator.close()
        self.truth.__exit__()
        await asyncio.to_thread(self.edge.__exit__)
        await self.server.__aexit__()

    # --- connections ----------------------------------------------------------------------------

    async def dial(self) -> None:
        """Both pages connect, the console gets a new lease and sees pictures."""
        self.console = Operator(self.server.url, exam_id="e1", role="console", ticket="c")
        self.bed = Operator(self.server.url, exam_id="e1", role="bedside", ticket="b", video=False)
        await asyncio.gather(self.console.__aenter__(), self.bed.__aenter__())
        await self.server.grant(self.console.latest["welcome"]["peer_id"])
        await self._wait(lambda: self.console.frames_n > 2, "pictures")

    async def redial(self) -> float:
        """After the link process died: hang up, wait for the new one, dial again. Seconds until steering."""
        started_s = time.monotonic()
        for old in (self.console, self.bed):
            task = asyncio.create_task(old.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        await self._wait(lambda: len(self.server.told("hello")) > self._hellos, "the link again")
        await self.dial()
        return time.monotonic() - started_s

    # --- what a hand does -------------------------------------------------------------------------

    async def place(self) -> None:
        """The bedside lifts and places the arm 20 mm above the skin."""
        await self._ask("lift")
        await self._wait(lambda: self.state is not S.LIFT, "lifted")
        await self._ask("place", site=SITE)
        await self._wait(lambda: self.state is not S.PLACE, "placed")
        self._centre_mm = self.truth.since(time.monotonic() - 0.1)[-1].tip_mm[1]

    async def moving(self, *, contact: bool) -> float:
        """Release, press, and move at speed in contact or through the air; the speed in mm/s."""
        await self.ready()
        asked = SLIDE_MM_S if contact else FREE_MM_S
        if contact:
            await self.press(FORCE_N)
            await self._wait(lambda: self.force_n > NEAR_N, "pressed", again=True)
        return await self._slide(asked)

    async def press(self, force_n: float) -> None:
        """The bedside's go, then force control straight on with the deadman held; does not wait for the force."""
        await self._ask("go")
        self.console.twist, self.console.force_setpoint_n = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), force_n
        self.console.deadman = True

    async def _slide(self, asked: float) -> float:
        self._turn_back()
        self.console.twist = (0.0, self._sign * asked, 0.0, 0.0, 0.0, 0.0)
        self.console.deadman = True
        started_s = time.monotonic()

        def fast() -> bool:
            if self._turn_back():
                self.console.twist = (0.0, self._sign * asked, 0.0, 0.0, 0.0, 0.0)
            seen = self.speeds(time.monotonic() - SLIDING_S - 0.01)
            return len(seen) > 10 and min(m.across for m in seen) > SLIDING_SHARE * asked

        await self._wait(fast, f"moving at {asked} mm/s since {started_s}", again=True)
        return self.speeds(time.monotonic() - 0.5)[-1].across

    def _turn_back(self) -> bool:
        """Towards the middle again when too far out; True when the direction changed."""
        seen = self.truth.since(time.monotonic() - 0.1)
        if not seen:
            return False  # this process came late; the next look knows more
        far = seen[-1].tip_mm[1] - self._centre_mm
        towards = -1.0 if far > HALF_WAY_MM else 1.0 if far < -HALF_WAY_MM else 0.0
        wanted = towards * self._along_y or self._sign
        changed, self._sign = wanted != self._sign, wanted
        return changed

    @property
    def _along_y(self) -> float:
        """Which way the probe's y axis points along the base's: the pose's sign of it."""
        t = self.console.telemetry
        if t is None:
            return 1.0
        _, x, _, z = t.quaternion
        return 1.0 if 1 - 2 * (x * x + z * z) >= 0 else -1.0

    async def ready(self) -> None:
        """Deadman open, no stop latched, force no more than a hand's rest needs: PARK."""
        console = self.console
        console.deadman, console.twist, console.force_setpoint_n = False, (0.0,) * 6, None
        console.sending = True
        if self.latched:
            await self._clear()
        await self._wait(
            lambda: self.state is S.PARK and not console.has(TelemetryFlag.NEEDS_RELEASE), "PARK"
        )

    async def _clear(self) -> None:
        """The bedside clears the stop as soon as the robot lets it."""

        async def cleared() -> bool:
            cause = self.bed.telemetry.stop_cause if self.bed.telemetry is not None else 0
            return bool((await self.bed.ctl("clear_stop", cause=int(cause), patient_well=True))["ok"])

        deadline_s = time.monotonic() + LIMIT_S
        while not await cleared():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"stop not cleared; {self._situation()}")
            await asyncio.sleep(0.03)
        await self._wait(lambda: not self.latched, "no stop any more")

    # --- looking --------------------------------------------------------------------------------

    @property
    def state(self) -> SafetyState | None:
        """As the bedside sees it."""
        return self.bed.telemetry.safety_state if self.bed.telemetry is not None else None

    @property
    def latched(self) -> bool:
        """As either page sees it."""
        return self.bed.has(TelemetryFlag.LATCHED) or self.console.has(TelemetryFlag.LATCHED)

    @property
    def force_n(self) -> float:
        """True force now."""
        seen = self.truth.since(time.monotonic() - 0.1)
        return seen[-1].force_n if seen else 0.0

    def speeds(self, since_s: float) -> list[Motion]:
        """True speeds from then on."""
        return motions(self.truth.since(since_s))

    def signal(self, number: signal.Signals) -> float:
        """To the link process; the second it was sent."""
        self._hellos = len(
            self.server.told("hello")
        )  # a killed link may be back before its stop has been seen
        return self.edge.signal("link", number)

    def _situation(self) -> str:
        return (
            f"console {self.console._situation()}; bedside {self.bed._situation()}; true {self.force_n:.1f} N"
        )

    async def _ask(self, type_: str, **fields: Any) -> None:
        ack = await self.bed.ctl(type_, **fields)
        if not ack["ok"]:
            raise RuntimeError(f"{type_}: {ack}; {self._situation()}")
        await asyncio.sleep(0.05)

    async def until(self, wanted: Callable[[], bool], what: str, *, limit_s: float = LIMIT_S) -> None:
        """Until it is so, looked at every 0.5 ms. Raises TimeoutError."""
        deadline_s = time.monotonic() + limit_s
        while not wanted():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not within {limit_s} s: {what}; {self._situation()}")
            await asyncio.sleep(0.0005)

    async def _wait(
        self, wanted: Callable[[], bool], what: str, *, limit_s: float = LIMIT_S, again: bool = False
    ) -> None:
        """Until it is so. ``again``: press again whenever the robot holds on its own (a late picture)."""
        deadline_s = time.monotonic() + limit_s
        while not wanted():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not within {limit_s} s: {what}; {self._situation()}")
            if again and self.console.has(TelemetryFlag.NEEDS_RELEASE) and self.console.deadman:
                self.console.deadman = False
                await asyncio.sleep(0.1)
                if self.latched:
                    await self._clear()
                self.console.deadman = True
                await asyncio.sleep(0.1)
            await asyncio.sleep(EVERY_S)

"""Our side: a live exam in a real installation, the physician's own console page, the arm following the hand."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, Page, expect

from deploy.server.check_exam import until_ready
from deploy.server.check_state import Script
from deploy.server.check_tools import Checks
from deploy.server.embedded import free_port
from deploy.server.installation import Installation
from devices.operator import Operator
from devices.wire.messages import SafetyState
from tests.bench.page import probed
from tests.waiting import auntil

SITE = "right_upper_quadrant"
SLIDE_S = 1.0  # there and back at the console's normal speed, 12 mm/s
STEADY_N = 1.0  # how near the set force counts as pressing
FIRST_LIMIT_MS = 60_000
LINK_LIMIT_MS = 60_000  # the link is measured over ten seconds, and again while it is not good
NEEDS_RELEASE = "liveConsole.session.telemetry && (liveConsole.session.telemetry.flags & 128) !== 0"


class LiveExam:
    """``async with LiveExam(browser, say=say) as exam``, then ``async with exam.turn() as turn`` as often as wanted.

    Between turns the robot is switched off, so that whatever is measured in turn with it has the machine alone.
    """

    def __init__(
        self, browser: Browser, *, say: Callable[[str], None], image_source: str = "phantom"
    ) -> None:
        self.browser, self.say = browser, say
        self.data_dir = Path(tempfile.mkdtemp(prefix="hospital-bench-"))
        self.installation = Installation(self.data_dir, free_port(), say=say, image_source=image_source)
        self.checks = Checks(lambda line: say(f"  {line}") if line.startswith("FAILED") else None)
        self._script: Script | None = None
        self._signed_in: Any = None
        self._robot_is_on = False

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self.installation.start)
            self._robot_is_on = True
            await until_ready(self.script)
            if self.checks.failed:
                raise RuntimeError("the exam could not be prepared; the steps above say why")
            self._signed_in = await self._sign_in()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def script(self) -> Script:
        """The people and the exam of ``deploy/up --check``."""
        if self._script is None:
            self._script = Script(self.installation, self.checks)
        return self._script

    async def close(self) -> None:
        """End every process and remove the data; repeatable."""
        if self._script is not None:
            await self._script.close()
        # Not in a thread: Ctrl-C must not leave before everything has ended.
        self.installation.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    async def _sign_in(self) -> Any:
        """Cookies of the remote physician, through the form."""
        remote = self.script.remote
        context = await self.browser.new_context()
        page = await context.new_page()
        await page.goto(f"{self.installation.base_url}/console/sign-in/")
        for name in ("username", "password"):
            await page.locator(f"input[name={name}]").fill(remote.row[name])
        await page.locator("input[name=totp]").fill(await remote.code())
        await page.locator("form button.primary").click()
        await page.locator(".who-name").wait_for()
        state = await context.storage_state()
        await context.close()
        return state

    @asynccontextmanager
    async def turn(self, *, extra: Path | None = None) -> AsyncIterator[Turn]:
        """Robot on, both ends connected, exam live, probe in contact, deadman held; afterwards the robot is off."""
        if not self._robot_is_on:
            await asyncio.to_thread(self.installation.robot_on)
        self._robot_is_on = False
        script = self.script
        bedside = Operator(
            script.base_url, token=script.bedside.token, exam_id=script.exam_id, role="bedside", video=False
        )
        try:
            await auntil(self._robot_online, timeout_s=60, every_s=0.3, what="robot online")
            async with bedside, probed(self.browser, storage_state=self._signed_in) as context:
                if extra is not None:
                    await context.add_init_script(path=extra)
                turn = Turn(self, bedside, context)
                await turn.begin()
                yield turn
                await turn.end()
        finally:
            await asyncio.to_thread(self.installation.robot_off)

    async def _robot_online(self) -> bool:
        return bool((await self.script.bedside.get(self.script.path))["robot"]["online"])

    async def state(self) -> str:
        """The exam's state as the API says."""
        return str((await self.script.remote.get(self.script.path))["state"])


class Turn:
    """One stretch of live exam: ``page`` is the console, ``bedside`` the other end."""

    def __init__(self, exam: LiveExam, bedside: Operator, context: BrowserContext) -> None:
        self.exam, self.bedside, self._context = exam, bedside, context
        self.pressed_again_n = 0
        self._page: Page | None = None
        self._hand: asyncio.Task[None] | None = None

    @property
    def page(self) -> Page:
        """The physician's console."""
        assert self._page is not None
        return self._page

    async def begin(self) -> None:
        """Control, live, placed, in contact, sliding there and back."""
        self._page = page = await self._context.new_page()
        script = self.exam.script
        await page.goto(f"{script.base_url}/console/exams/{script.exam_id}/")
        await expect(page.locator("#waiting")).to_be_hidden(timeout=FIRST_LIMIT_MS)
        await page.locator("#take").click(timeout=FIRST_LIMIT_MS)
        open_gate = page.locator("#gates li[data-code=link_poor]")
        await expect(open_gate).to_have_count(0, timeout=LINK_LIMIT_MS)
        await self._go_live()
        await self._place()
        await page.locator("#view").click(position={"x": 5, "y": 5})
        await page.keyboard.down("Space")
        self._hand = asyncio.get_running_loop().create_task(self._press_and_slide())
        await auntil(self._in_contact, timeout_s=40, what="in contact, pressing as set")

    async def end(self) -> None:
        """Let go; the arm parks."""
        if self._hand is not None:
            self._hand.cancel()
            await asyncio.gather(self._hand, return_exceptions=True)
        await self.page.keyboard.up("Space")

    async def _go_live(self) -> None:
        """First time by start; after the robot was off the exam is paused, or goes on by itself."""
        exam = self.exam

        async def live() -> bool:
            state = await exam.state()
            button = {"ready": "#start", "paused": "#resume"}.get(state)
            if button is not None and await self.page.locator(button).is_visible():
                await self.page.locator(button).click()
            return state == "live"

        await auntil(live, timeout_s=60, every_s=0.5, what="exam live")

    async def _place(self) -> None:
        """The bedside places the arm above the site and lets it touch."""
        bedside = self.bedside
        await self._asked("place", site=SITE)
        await bedside.wait(lambda: self._state() is SafetyState.PLACE, timeout_s=5, what="placing")
        await bedside.wait(lambda: self._state() is not SafetyState.PLACE, timeout_s=60, what="placed")
        await self._asked("go")

    async def _asked(self, request: str, **fields: Any) -> None:
        answer = await self.bedside.ctl(request, **fields)
        if not answer["ok"]:
            raise RuntimeError(f"the robot refuses {request}: {answer}")

    def _state(self) -> SafetyState | None:
        return self.bedside.telemetry.safety_state if self.bedside.telemetry else None

    def _in_contact(self) -> bool:
        seen = self.bedside.telemetry
        return seen is not None and seen.force_set_n > 0 and abs(seen.force_n - seen.force_set_n) < STEADY_N

    async def _press_and_slide(self) -> None:
        """Deadman held and pressed again when the robot asks; left and right by the keys."""
        keyboard, keys = self.page.keyboard, ("KeyA", "KeyD")
        turn = 0
        while True:
            if await self.page.evaluate(NEEDS_RELEASE):
                self.pressed_again_n += 1
                await keyboard.up("Space")
                await asyncio.sleep(0.1)
                await keyboard.down("Space")
                await asyncio.sleep(0.1)
                continue
            key, turn = keys[turn % 2], turn + 1
            await keyboard.down(key)
            try:
                await asyncio.sleep(SLIDE_S)
            finally:
                await keyboard.up(key)

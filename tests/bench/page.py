"""Debian's Chromium for both sides of a comparison, with a probe in page and worker; figures of its commands."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Route, ViewportSize, async_playwright

from tests.e2e.browser import ARGUMENTS, CHROMIUM, STATIC

PAGES = Path(__file__).parent / "page"
PROBE = PAGES / "probe.js"
WORKER = "**/control-worker.js"
VIEW_PX = ViewportSize(width=1366, height=768)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium; Ctrl-C is ours, so that what runs in it ends in order."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, handle_sigint=False, handle_sigterm=False
        )
        try:
            yield browser
        finally:
            with contextlib.suppress(Error):  # Ctrl-C of a terminal ends Chromium too
                await browser.close()


@asynccontextmanager
async def probed(browser: Browser, **options: Any) -> AsyncIterator[BrowserContext]:
    """A window of its own whose pages and control workers are observed; ``benchTake()`` gives what was seen."""
    context = await browser.new_context(viewport=VIEW_PX, locale="zh-CN", **options)
    await context.add_init_script(path=PROBE)
    await context.route(WORKER, _probe_in_front)
    try:
        yield context
    finally:
        with contextlib.suppress(Error):
            await context.close()


async def _probe_in_front(route: Route) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, body=f"{PROBE.read_text()}\n{await answer.text()}")


class _Files(SimpleHTTPRequestHandler):
    """/static/... as the real server gives it, everything else from the benchmark's own pages."""

    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith(".js") else super().guess_type(path)

    def translate_path(self, path: str) -> str:
        if path.startswith("/static/"):
            self.directory = str(STATIC)
            return super().translate_path(path.removeprefix("/static"))
        self.directory = str(PAGES)
        return super().translate_path(path)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no figures."""


@contextmanager
def page_server() -> Iterator[str]:
    """Address of the benchmark's pages and our static files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(PAGES)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)

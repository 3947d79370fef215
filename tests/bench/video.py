"""The physician's picture: from the probe's echo to Chromium's screen, beside stock aiortc, and what is left of it.

Display minus capture by a stamp in the pixels; ours is a live exam with the real console page, stock is one process of
stock aiortc and a page with a picture alone (ours is measured with its panels and then with them hidden, and the latter
is compared), both with the same phantom, physics and hand, in one Chromium, in turn. Picture quality is that of the
same clips through the two encoders as they send, decoded again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from devices.drivers.images.geometry import Geometry
from tests.bench.clips import by_ours, by_stock, clips, quality
from tests.bench.figures import Aim, judge, median, percentile
from tests.bench.live_exam import LiveExam
from tests.bench.page import PAGES, chromium, page_server, probed
from tests.bench.stamped import WRAP_MS
from tests.bench.stock_side import StockSide

SUMMARY = "display minus capture beside stock aiortc, picture quality of the same clips"
DEFAULT_RUNS = 6  # turns, half of them ours
PACKAGES = ("chromium", "fonts-noto-cjk")
SOURCE = "tests.bench.stamped:StampedPhantom"
SETTLE_S, TURN_S = 2.0, 12.0
DEPTH_MM = 160.0
OUR_KBPS = 4000
EQUAL_KBPS = (1000, 3000)  # stock's default and its highest
AIMS = (
    Aim("ratio_p50", 0.85),
    Aim("ratio_p99", 1.0),
    Aim("fps", 28, at_least=True),
    Aim("ssim_slide", 0.95, at_least=True),
    Aim("kbps", 4000),
    Aim("ssim_tilt_gain", 0.0, at_least=True),
)
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch: display minus capture of each picture (ms), pictures and kbit/s, CPU of the sending processes (%)."""

    delays_ms: list[float]
    fps: float
    kbps: float
    codec: str
    cpu_pct: dict[str, float]


def run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]:
    """``runs`` turns, ours and stock alternating, at least one of each; then the clips."""
    ours, consoles, stock = asyncio.run(_turns(max(2, runs), say))
    figures = _delays(ours, stock) | _qualities(say)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        figures[f"console_{name}_ms"] = round(median([percentile(t.delays_ms, share) for t in consoles]), 1)
    figures["ssim_tilt_gain"] = round(
        float(str(figures["ssim_tilt"])) - float(str(figures["stock_ssim_tilt"])), 4
    )
    judge(AIMS, figures, say)
    return figures


async def _turns(runs: int, say: Callable[[str], None]) -> tuple[list[Turn], list[Turn], list[Turn]]:
    ours: list[Turn] = []
    consoles: list[Turn] = []
    stock: list[Turn] = []
    with page_server() as address:
        async with chromium() as browser, LiveExam(browser, say=say, image_source=SOURCE) as exam:
            for number in range(runs):
                if number % 2 == 0:
                    alone, whole = await _our_turn(exam, say)
                    ours.append(alone)
                    consoles.append(whole)
                else:
                    stock.append(await _stock_turn(browser, address))
                    say(_line("stock", stock[-1]))
    return ours, consoles, stock


async def _our_turn(exam: LiveExam, say: Callable[[str], None]) -> tuple[Turn, Turn]:
    """(picture alone, whole console): stock's page shows a picture and nothing else, so that is what is compared."""
    programs = {"link": "devices.edge.link", "imaging": "devices.edge.imaging"}
    async with exam.turn(extra=PAGES / "stamps.js") as turn:
        whole = await _measure(turn.page, programs)
        await turn.page.evaluate("benchPictureOnly()")
        alone = await _measure(turn.page, programs)
    say(_line("ours ", alone))
    say(_line("      whole console", whole))
    return alone, whole


async def _stock_turn(browser: Browser, address: str) -> Turn:
    async with StockSide(source=SOURCE) as side, probed(browser) as context:
        page = await _page(context)
        await page.goto(f"{address}/stock.html")
        answer = await side.answer(await page.evaluate("bench.offer()"))
        await page.evaluate("(sdp) => bench.answer(sdp)", answer)
        await page.wait_for_function("bench.open()")
        await page.evaluate("bench.command()")
        return await _measure(page, {"stock": "tests.bench.stock"})


async def _page(context: BrowserContext) -> Page:
    await context.add_init_script(path=PAGES / "stamps.js")
    return await context.new_page()


async def _measure(page: Page, programs: dict[str, str]) -> Turn:
    await asyncio.sleep(SETTLE_S)
    before = await page.evaluate("benchPictures()")
    cpu_before = {name: _cpu_s(module) for name, module in programs.items()}
    await asyncio.sleep(TURN_S)
    after = await page.evaluate("benchPictures()")
    offset_ms = (time.time_ns() - time.monotonic_ns()) / 1e6
    seconds = (after["at_ms"] - before["at_ms"]) / 1000.0
    # The page's clock against this computer's: timeOrigin + now drifts from the wall clock with every step of it.
    skew_ms = after["date_ms"] - after["at_ms"]
    delays = [_delay(presented + skew_ms - offset_ms, stamp) for presented, stamp in after["shown"]]
    bits = (_received(after) - _received(before)) * 8
    cpu = {name: 100.0 * (_cpu_s(module) - cpu_before[name]) / seconds for name, module in programs.items()}
    return Turn(delays, len(delays) / seconds, bits / 1000 / seconds, _codec(after["stats"]), cpu)


def _delay(presented_ms: float, stamp_ms: int) -> float:
    """Presented minus captured, both monotonic; the stamp holds the low 22 bits."""
    late = (presented_ms - stamp_ms) % WRAP_MS
    return late - WRAP_MS if late > WRAP_MS / 2 else late


def _codec(stats: list[dict[str, Any]]) -> str:
    """The codec that arrives, with its profile as agreed."""
    used = next((row.get("codecId") for row in stats if row["type"] == "inbound-rtp"), None)
    row = next((row for row in stats if row["type"] == "codec" and row["id"] == used), {"mimeType": "?"})
    profile = str(row.get("sdpFmtpLine", "")).partition("profile-level-id=")[2][:6]
    return f"{row['mimeType']} {profile}".strip()


def _received(seen: dict[str, Any]) -> int:
    return sum(int(row["bytesReceived"]) for row in seen["stats"] if row["type"] == "inbound-rtp")


def _cpu_s(module: str) -> float:
    """CPU time of the processes that run this module, s."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if module.encode() in words:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return total / TICKS_S


def _line(name: str, turn: Turn) -> str:
    p50, p99 = (percentile(turn.delays_ms, share) for share in (0.5, 0.99))
    cpu = ", ".join(f"{program} {share:.0f} %" for program, share in turn.cpu_pct.items())
    return f"  {name} p50 {p50:.1f} ms, p99 {p99:.1f} ms, {turn.fps:.1f} frames/s, {turn.kbps:.0f} kbit/s, {cpu}, {turn.codec}"


def _delays(ours: list[Turn], stock: list[Turn]) -> dict[str, object]:
    figures: dict[str, object] = {}
    middle: dict[str, float] = {}
    for side, turns in (("g2g", ours), ("stock", stock)):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            found = [percentile(turn.delays_ms, share) for turn in turns]
            middle[f"{side}_{name}"] = median(found)
            figures[f"{side}_{name}_ms"] = round(median(found), 1)
            figures[f"{side}_{name}_spread_ms"] = [round(min(found), 1), round(max(found), 1)]
    for name in ("p50", "p99"):
        figures[f"ratio_{name}"] = round(middle[f"g2g_{name}"] / middle[f"stock_{name}"], 3)
    figures["fps"] = round(median([turn.fps for turn in ours]), 1)
    figures["stock_fps"] = round(median([turn.fps for turn in stock]), 1)
    figures["kbps"] = round(median([turn.kbps for turn in ours]))
    figures["stock_kbps"] = round(median([turn.kbps for turn in stock]))
    for program in ("link", "imaging"):
        figures[f"{program}_cpu_pct"] = round(median([turn.cpu_pct[program] for turn in ours]), 1)
    figures["stock_cpu_pct"] = round(median([turn.cpu_pct["stock"] for turn in stock]), 1)
    figures["codec"] = ours[0].codec
    return figures


def _qualities(say: Callable[[str], None]) -> dict[str, object]:
    geometry = Geometry(depth_mm=DEPTH_MM)
    made, mask = clips(geometry), geometry.sector
    slide = quality(made["slide"], by_ours(made["slide"], kbps=OUR_KBPS), mask)
    say(f"  slide 20 mm/s: ours {slide.ssim:.4f} at {slide.kbps:.0f} kbit/s")
    figures: dict[str, object] = {"ssim_slide": slide.ssim, "ssim_slide_kbps": slide.kbps}
    for kbps in EQUAL_KBPS:
        ours = quality(made["tilt"], by_ours(made["tilt"], kbps=kbps), mask)
        stock = quality(made["tilt"], by_stock(made["tilt"], kbps=kbps), mask)
        say(
            f"  tilt 5 deg/s: ours {ours.ssim:.4f} at {ours.kbps:.0f}, stock {stock.ssim:.4f} at {stock.kbps:.0f} kbit/s"
        )
        figures |= {"ssim_tilt": ours.ssim, "stock_ssim_tilt": stock.ssim}
        figures |= {f"ssim_tilt_{kbps}": ours.ssim, f"stock_ssim_tilt_{kbps}": stock.ssim}
    return figures

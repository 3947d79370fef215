"""The physician's hand: from a command leaving Chromium's worker to the telemetry that says it was applied.

Ours is a live exam in a real installation with the real console page, deadman held, in contact, sliding there and back,
picture shown. Stock is one process of stock aiortc that echoes each command and sends the same phantom by its own
encoder, with the simulator's physics beside it and a hand that slides the same way; its page is our connection and
worker without the console's panels. Both in one Chromium, in turn; the robot is off while the stock peer is measured.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from playwright.async_api import Browser, Page

from tests.bench import commands
from tests.bench.commands import Answer, Ledger
from tests.bench.figures import Aim, judge, median, percentile
from tests.bench.live_exam import LiveExam
from tests.bench.page import chromium, page_server, probed
from tests.bench.stock_side import StockSide

SUMMARY = "command to the telemetry that says applied, beside an echo by stock aiortc"
DEFAULT_RUNS = 6  # turns, half of them ours
PACKAGES = ("chromium", "fonts-noto-cjk")
SETTLE_S = 2.0
TURN_S = 14.0  # 700 commands: the 99th percentile is the 7th from the top
AIMS = (Aim("added_p50_ms", 2.5), Aim("added_p99_ms", 5.0), Aim("lost", 0))
MOVING_MIN = 0.9  # a turn in which the arm mostly waited says nothing about the hand


def run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]:
    """``runs`` turns, ours and stock alternating, at least one of each."""
    ours, stock = asyncio.run(_turns(max(2, runs), say))
    figures = _figures(ours, stock)
    judge(AIMS, figures, say)
    return figures


async def _turns(runs: int, say: Callable[[str], None]) -> tuple[list[Ledger], list[Ledger]]:
    ours: list[Ledger] = []
    stock: list[Ledger] = []
    with page_server() as address:
        async with chromium() as browser, LiveExam(browser, say=say) as exam:
            for turn in range(runs):
                if turn % 2 == 0:
                    ours.append(await _our_turn(exam, say))
                    say(_line("ours ", ours[-1]))
                else:
                    stock.append(await _stock_turn(browser, address))
                    say(_line("stock", stock[-1]))
    return ours, stock


async def _our_turn(exam: LiveExam, say: Callable[[str], None]) -> Ledger:
    async with exam.turn() as turn:
        found, answers = await _measure(turn.page)
        moving = commands.share_moving(answers)
        if moving < MOVING_MIN:
            say(f"  the arm followed the hand in {moving:.0%} of the answers only")
        return found


async def _stock_turn(browser: Browser, address: str) -> Ledger:
    async with StockSide() as side, probed(browser) as context:
        page = await context.new_page()
        await page.goto(f"{address}/stock.html")
        answer = await side.answer(await page.evaluate("bench.offer()"))
        await page.evaluate("(sdp) => bench.answer(sdp)", answer)
        await page.wait_for_function("bench.open()")
        await page.evaluate("bench.command()")
        found, _ = await _measure(page)
        return found


async def _measure(page: Page) -> tuple[Ledger, list[Answer]]:
    await asyncio.sleep(SETTLE_S)
    await page.evaluate("benchTake()")
    await asyncio.sleep(TURN_S)
    left, answers = commands.read(await page.evaluate("benchTake()"))
    return commands.ledger(left, answers), answers


def _line(name: str, found: Ledger) -> str:
    p50, p99 = (percentile(found.rtt_ms, share) for share in (0.5, 0.99))
    return (
        f"  {name} p50 {p50:.1f} ms, p99 {p99:.1f} ms, of {found.sent} commands "
        f"{found.superseded} superseded, {found.refused} refused, {found.lost} lost"
    )


def _figures(ours: list[Ledger], stock: list[Ledger]) -> dict[str, object]:
    """Medians over the turns of each turn's percentiles, with the lowest and highest turn."""
    figures: dict[str, object] = {}
    middle: dict[str, float] = {}
    for side, turns in (("rtt", ours), ("stock", stock)):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            found = [percentile(turn.rtt_ms, share) for turn in turns]
            middle[f"{side}_{name}"] = median(found)
            figures[f"{side}_{name}_ms"] = round(median(found), 2)
            figures[f"{side}_{name}_spread_ms"] = [round(min(found), 2), round(max(found), 2)]
    for name in ("p50", "p99"):
        figures[f"added_{name}_ms"] = round(middle[f"rtt_{name}"] - middle[f"stock_{name}"], 2)
    figures["rtt_max_ms"] = round(max((value for turn in ours for value in turn.rtt_ms), default=math.nan), 2)
    for name in ("sent", "lost", "superseded", "jumped", "refused"):
        figures[name] = sum(getattr(turn, name) for turn in ours)
    figures["stock_sent"] = sum(turn.sent for turn in stock)
    figures["stock_lost"] = sum(turn.lost for turn in stock)
    figures["turns"] = len(ours) + len(stock)
    return figures

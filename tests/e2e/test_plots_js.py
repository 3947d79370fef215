"""Plots drawn in Chromium: what is in the rows is in the picture, gaps stay gaps, and every plot has its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .browser import static_server


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with static_server() as address:
        page = browser.new_page()
        page.goto(f"{address}/static/console/icon.svg")
        yield page


def drawn(page: Page, body: str) -> Any:
    # An SVG document has no HTML body to draw in.
    source = "const p = await import('/static/console/plots.js'); const box = document.createElementNS('http://www.w3.org/1999/xhtml', 'div');"
    return page.evaluate(f"async () => {{ {source} {body} }}")


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.4, 1), (1, 1), (1.2, 2), (3, 5), (7, 10), (20, 20), (21, 50), (101, 200)]
)
def test_a_scale_ends_at_a_round_number(page: Page, value: float, top: float) -> None:
    assert drawn(page, f"return p.roundTop({value});") == top


def test_a_month_without_cases_is_a_gap_in_the_line_and_a_dash_in_the_table(page: Page) -> None:
    path, marks, cells = drawn(
        page,
        """const plot = p.lines("t", ["1", "2", "3", "4"], [{ name: "a", values: [1, 2, null, 4] }]);
           return [plot.querySelector(".line").getAttribute("d"), plot.querySelectorAll("g > g").length,
                   [...plot.querySelectorAll("td")].map((cell) => cell.textContent)];""",
    )
    assert [path.count(letter) for letter in "ML"] == [2, 1]
    assert marks == 3
    assert cells == ["1", "2", "–", "4"]


def test_bars_stand_on_each_other_and_end_at_their_sum(page: Page) -> None:
    heights, foot = drawn(
        page,
        """const plot = p.bars("t", ["1"], [{ name: "a", values: [3] }, { name: "b", values: [0] }, { name: "c", values: [7] }]);
           const bars = [...plot.querySelectorAll("rect.bar")];
           return [bars.map((bar) => Number(bar.getAttribute("height"))),
                   bars.map((bar) => Number(bar.getAttribute("y")) + Number(bar.getAttribute("height")))];""",
    )
    assert len(heights) == 2 and heights[1] / heights[0] == pytest.approx(7 / 3)
    assert foot[1] == pytest.approx(foot[0] - heights[0])


def test_series_are_told_apart_by_their_marks_too(page: Page) -> None:
    shapes = drawn(
        page,
        """const series = p.SERIES.map((name) => ({ name, values: [1] }));
           return [...p.lines("t", ["1"], series).querySelectorAll(".legend svg")].map((key) => key.innerHTML);""",
    )
    assert len(set(shapes)) == 6

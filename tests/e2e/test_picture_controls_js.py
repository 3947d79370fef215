"""Presets, sliders and the time gain of the console, alone in Chromium with a robot that answers by a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .browser import static_server

FRAME = {
    "type": "frame", "gain_db": 3, "depth_mm": 160, "focus_mm": 80, "dynamic_range_db": 60,
    "tgc_db": [0, 0, 0, 0, 0, 0, 0, 4], "preset": "abdomen", "presets": ["abdomen", "abdomen_large", "vessel"],
}  # fmt: skip
SETUP = """
  const m = await import('/static/console/live/picture-controls.js');
  const root = document.createElement('div'); document.body.append(root);
  const asked = [];
  const controls = m.pictureControls(root, async (type, fields) => {
    asked.push([type, fields]); return { ...fields, ...(given.answer ?? {}) };
  }, () => {});
  const pause = () => new Promise((go) => setTimeout(go, 200));
  const slide = (input, value) => { input.value = value; input.dispatchEvent(new Event('input')); };
  const chips = () => [...root.querySelectorAll('.presets .chip')];
"""


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Page]:
    with static_server() as address:
        page = browser.new_page()
        empty = "<!doctype html><title>controls</title>"
        page.route("**/empty", lambda route: route.fulfill(content_type="text/html", body=empty))
        page.goto(f"{address}/empty")
        yield page


def run(page: Page, body: str, **given: Any) -> Any:
    return page.evaluate(f"async (given) => {{ {SETUP} {body} }}", given)


def test_sliders_drawn_together_are_one_request(opened: Page) -> None:
    body = """slide(root.querySelector('#gain_db'), 7); slide(root.querySelector('#focus_mm'), 100);
      slide(root.querySelector('#gain_db'), 9); await pause(); return asked;"""
    assert run(opened, body) == [["imaging", {"gain_db": 9, "focus_mm": 100}]]


def test_what_the_robot_really_did_is_shown(opened: Page) -> None:
    body = "slide(root.querySelector('#depth_mm'), 240); await pause(); return root.querySelector('#depth_mm').value;"
    assert run(opened, body, answer={"depth_mm": 200}) == "200"


def test_the_time_gain_sends_all_eight_and_opens_on_its_button(opened: Page) -> None:
    body = """const panel = root.querySelector('.tgc'), button = root.querySelector('.tgc-open');
      const first = panel.hidden; button.click();
      slide(panel.querySelectorAll('input')[7], 6); await pause();
      return [first, panel.hidden, button.getAttribute('aria-expanded'), button.classList.contains('changed'), asked];"""
    asked = [["imaging", {"tgc_db": [0, 0, 0, 0, 0, 0, 0, 6]}]]
    assert run(opened, body) == [True, False, "true", True, asked]


def test_flat_puts_all_eight_to_zero(opened: Page) -> None:
    body = """controls.set(given.frame); root.querySelector('.tgc .chip').click(); await pause();
      return [asked, root.querySelector('.tgc-open').classList.contains('changed')];"""
    assert run(opened, body, frame=FRAME) == [[["imaging", {"tgc_db": [0] * 8}]], False]


def test_presets_come_from_the_source_and_the_one_set_is_pressed(opened: Page) -> None:
    body = """controls.set(given.frame); const before = chips().map((c) => c.getAttribute('aria-pressed'));
      chips()[2].click(); await pause();
      return [before, asked, chips().map((c) => c.getAttribute('aria-pressed')), root.querySelector('#gain_db').value];"""
    answer = {**FRAME, "preset": "vessel", "gain_db": 0}
    answer.pop("type")
    assert run(opened, body, frame=FRAME, answer=answer) == [
        ["true", "false", "false"],
        [["imaging", {"preset": "vessel"}]],
        ["false", "false", "true"],
        "0",
    ]


def test_what_a_source_cannot_set_is_not_offered(opened: Page) -> None:
    body = """controls.set(given.frame);
      const shown = [...root.querySelectorAll('.slider')].map((row) => [row.querySelector('input').id, row.hidden]);
      return [Object.fromEntries(shown), root.querySelector('.tgc-open').hidden, chips().length];"""
    frame = {"type": "frame", "gain_db": 0, "depth_mm": 120, "dynamic_range_db": 60, "presets": []}
    hidden = {"gain_db": False, "depth_mm": False, "focus_mm": True, "dynamic_range_db": False}
    assert run(opened, body, frame=frame) == [hidden, True, 0]

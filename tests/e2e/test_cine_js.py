"""Scrolling back while frozen, run in Chromium: bounded, one request at a time, keys only when they are free."""

from __future__ import annotations

from playwright.sync_api import Page

from .test_wire_js_rules import opened, run

__all__ = ["opened"]
CINE = """
const { Cine } = await live("cine"); const asked = []; const moved = []; let frozen = true; let busy = false;
const gate = []; const tick = () => new Promise((resolve) => setTimeout(resolve, 10));
const root = document.createElement("div"); const area = document.createElement("div");
const cine = new Cine({ root, area, on: { frozen: () => frozen, busy: () => busy, error: (e) => moved.push(String(e)), moved: (id) => moved.push(id),
  request: (back) => { asked.push(back); return new Promise((resolve) => gate.push(() => resolve({ back, frames: 120, frame_id: 1000 - back, back_s: back / 30 }))); } } });
const key = (code) => { const event = new KeyboardEvent("keydown", { code, bubbles: true, cancelable: true }); window.dispatchEvent(event); };
const answer = async () => { gate.shift()(); await tick(); };
"""


def test_a_fast_wheel_asks_once_at_a_time_and_the_newest_wish_wins(opened: Page) -> None:
    body = (
        CINE
        + """for (let n = 0; n < 5; n += 1) area.dispatchEvent(new WheelEvent("wheel", { deltaY: 1, cancelable: true }));
      const first = [...asked]; await answer(); const second = [...asked]; await answer();
      return [first, second, moved, gate.length, Math.round(cine.seconds * 100)];"""
    )
    assert run(opened, body, None) == [[1], [1, 5], [999, 995], 0, 17]


def test_it_never_leaves_what_the_robot_keeps(opened: Page) -> None:
    body = (
        CINE
        + """key("ArrowRight"); await answer(); key("Home"); await answer(); key("PageUp"); await answer();
      key("End"); await answer(); return asked;"""
    )
    assert run(opened, body, None) == [0, 119, 119, 0]


def test_keys_stay_the_calipers_and_a_running_picture_is_left_alone(opened: Page) -> None:
    body = (
        CINE
        + """busy = true; key("ArrowLeft"); busy = false; frozen = false; key("ArrowLeft");
      area.dispatchEvent(new WheelEvent("wheel", { deltaY: 1, cancelable: true })); cine.show(); return [asked, root.hidden];"""
    )
    assert run(opened, body, None) == [[], True]

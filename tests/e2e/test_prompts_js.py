"""The breath that a patient was asked to hold, run in Chromium."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.waiting import until

from .test_wire_js_rules import opened, run

__all__ = ["opened"]

HELD = """const { BreathHold } = await live("prompts"); const hold = new BreathHold(given[0]);
  for (const key of given[1]) hold.told(key); return hold.seconds;"""


def test_a_held_breath_is_still_counted_after_a_reload_until_the_patient_may_breathe(opened: Page) -> None:
    assert run(opened, HELD, ["breath-1", []]) is None
    assert run(opened, HELD, ["breath-1", ["hold"]]) == 0
    opened.reload()
    until(lambda: run(opened, HELD, ["breath-1", []]) >= 1, timeout_s=5, what="the count goes on")
    assert run(opened, HELD, ["breath-2", []]) is None, "another exam's patient"
    assert run(opened, HELD, ["breath-1", ["left_side"]]) >= 1
    assert run(opened, HELD, ["breath-1", ["relax"]]) is None
    opened.reload()
    assert run(opened, HELD, ["breath-1", []]) is None

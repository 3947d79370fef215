"""The hand on a gamepad (its readings are given by the test: no such thing is plugged in here) and limits as people
read them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from .test_wire_js_rules import INPUT, WORDS, opened, run

__all__ = ["opened"]
LEFT_TRIGGER, RIGHT_TRIGGER = 6, 7
PAD = (
    INPUT
    + """
const button = (value) => ({ value, pressed: value > 0.5 });
const pad = { connected: true, mapping: "standard", axes: [0, 0, 0, 0], buttons: Array.from({ length: 17 }, () => button(0)) };
let pads = [pad];
Object.defineProperty(navigator, "getGamepads", { value: () => pads, configurable: true });
const read = () => { input.readGamepad(); return input; };
const press = (index, value = 1) => { pad.buttons[index] = button(value); read(); };
"""
)


def test_the_trigger_is_a_deadman_with_a_gap_between_on_and_off(opened: Page) -> None:
    body = PAD + "return [0.25, 0.35, 0.25, 0.15, 0.25].map((v) => { press(6, v); return input.deadman; });"
    assert run(opened, body) == [False, True, True, False, False]


def test_a_gamepad_that_is_gone_lets_go(opened: Page) -> None:
    body = (
        PAD
        + """press(6, 1); pad.axes = [1, 0, 0, 0]; read(); const before = [input.deadman, input.twist().vx];
      pads = [null]; read(); return [before, input.deadman, input.twist().vx];"""
    )
    assert run(opened, body) == [[True, -12], False, 0]


@pytest.mark.parametrize(
    ("axes", "axis", "value"),
    [
        ([-1, 0, 0, 0], "vx", 12), ([0, -1, 0, 0], "vy", 12),
        ([0, 0, -1, 0], "wy", 8), ([0, 0, 0, -1], "wx", -8),
    ],
)  # fmt: skip
def test_sticks_move_as_the_keys_of_the_same_side(
    opened: Page, axes: list[int], axis: str, value: float
) -> None:
    """A, W, J, I: left and up."""
    key = {"vx": "KeyA", "vy": "KeyW", "wy": "KeyJ", "wx": "KeyI"}[axis]
    body = (
        PAD
        + """pad.axes = given[0]; read(); const stick = input.twist()[given[1]]; pads = []; read();
      key(given[2]); now = 200; return [stick, input.twist()[given[1]]];"""
    )
    assert run(opened, body, [axes, axis, key]) == [value, value]


def test_in_the_patients_frame_stick_and_key_go_the_same_way_and_up_is_up(opened: Page) -> None:
    body = (
        PAD
        + """input.setTravel(true); pad.axes = [-1, 0, 0, 0]; press(12); const by = input.twist(); const force = input.forceN;
      pads = []; read(); key("KeyA"); key("KeyR"); now = 200; const keys = input.twist();
      return [by.vx, keys.vx, by.vz, keys.vz, force];"""
    )
    assert run(opened, body) == [-12, -12, 12, 12, 5]


def test_shoulders_turn_about_the_beam(opened: Page) -> None:
    body = (
        PAD
        + "press(4); const left = input.twist().wz; press(4, 0); press(5); return [left, input.twist().wz];"
    )
    assert run(opened, body) == [-8, 8]


@pytest.mark.parametrize(
    ("index", "did"), [(0, "freeze"), (2, "still"), (3, "loop"), (1, "stop"), (RIGHT_TRIGGER, "lift")]
)
def test_a_button_held_is_one_deed(opened: Page, index: int, did: str) -> None:
    body = PAD + "press(given); read(); read(); press(given, 0); press(given); return did;"
    assert run(opened, body, index) == [did, did]


def test_the_cross_sets_force_and_speed(opened: Page) -> None:
    body = (
        PAD
        + """const tap = (index) => { press(index); press(index, 0); };
      tap(12); tap(12); tap(13); tap(15); const fast = input.speed; tap(14); tap(14); return [input.forceN, fast, input.speed];"""
    )
    assert run(opened, body) == [5.5, "coarse", "fine"]


def test_a_limit_that_bit_for_a_moment_stays_readable(opened: Page) -> None:
    body = (
        WORDS
        + """const { Held } = await live("state"); const held = new Held(1500);
      return [held.note(["no_go"], 0), held.note([], 1400), held.note(["workspace"], 1450), held.note([], 1600), held.note([], 3000)];"""
    )
    expected: list[Any] = [["no_go"], ["no_go"], ["no_go", "workspace"], ["workspace"], []]
    assert run(opened, body) == expected


def test_the_delays_limit_says_which_speed_it_leaves(opened: Page) -> None:
    body = (
        WORDS
        + "return ownership({ telemetry: tel('moving', 'none', 0, 64), linked: true, mine: true, limits: ['loop_delay_speed'] }).kind;"
    )
    assert run(opened, body) == "limited"

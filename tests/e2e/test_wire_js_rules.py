"""Rules of the two live pages, run in Chromium with a clock of their own: stop, presence, taps, keys, delay, words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from .browser import chromium, static_server


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with static_server() as address, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{address}/static/console/icon.svg")
        yield page


def run(page: Page, body: str, argument: Any = None) -> Any:
    """An async function body; `live` imports a module of the live pages, `now` is a clock the body sets."""
    source = "let now = 0; const live = (name) => import(`/static/console/live/${name}.js`);"
    return page.evaluate(f"async (given) => {{ {source} {body} }}", argument)


STOP = """
const { Stop } = await live("stop"); const wire = await live("wire");
const sent = []; const said = []; let open = true;
const stop = new Stop({ now: () => now, onChange: (view) => said.push([view.phase, view.ms]),
  send: (bytes) => { if (open) sent.push([now, wire.unpackEstop(bytes).flags]); return open; } });
const report = (latched, speed = 0) => stop.telemetry({ flags: latched ? wire.TEL_FLAG.LATCHED : 0, done: [speed, 0, 0, 0, 0, 0] });
const pass = (ms) => { for (const end = now + ms; now < end;) { now += 20; stop.pulse(); } };
"""


def test_a_stop_leaves_at_once_and_again_every_20_ms_until_the_robot_reports_the_latch(opened: Page) -> None:
    body = STOP + "stop.press(); pass(100); report(true); pass(100); return sent.map(([at]) => at);"
    assert run(opened, body) == [0, 20, 40, 60, 80, 100]


def test_rest_is_said_only_when_the_robot_reports_it(opened: Page) -> None:
    body = STOP + "stop.press(); pass(40); report(true, 9); pass(60); report(true, 0); return said;"
    assert run(opened, body) == [["sent", 0], ["latched", 40], ["rest", 100]]


def test_no_report_within_300_ms_is_a_state_of_its_own_and_sending_goes_on(opened: Page) -> None:
    body = (
        STOP
        + "stop.press(); pass(300); const before = said.length; pass(20); return [before, said.at(-1)[0], sent.length];"
    )
    before, phase, messages = run(opened, body)
    assert (before, phase) == (1, "unanswered")
    assert messages == 17


def test_a_dismissed_warning_does_not_end_the_stop(opened: Page) -> None:
    body = (
        STOP
        + "stop.press(); pass(400); stop.dismiss(); const n = sent.length; pass(40); return sent.length - n;"
    )
    assert run(opened, body) == 2


def test_a_stop_without_any_connection_is_unanswered_too(opened: Page) -> None:
    body = STOP + "open = false; stop.press(); pass(400); return said.at(-1)[0];"
    assert run(opened, body) == "unanswered"


def test_rest_is_not_claimed_any_more_when_the_link_goes(opened: Page) -> None:
    body = (
        STOP
        + "stop.press(); report(true); stop.lost(); const gone = stop.phase; report(true); return [gone, stop.phase];"
    )
    assert run(opened, body) == ["unknown", "held"]


def test_a_cleared_stop_is_forgotten_and_the_next_press_counts_from_zero(opened: Page) -> None:
    body = (
        STOP
        + "stop.press(); report(true); pass(500); report(false); stop.press(); pass(40); report(true); return said;"
    )
    phases = run(opened, body)
    assert [phase for phase, _ in phases] == ["sent", "latched", "rest", "none", "sent", "latched", "rest"]
    assert phases[-1] == ["rest", 40]


def test_presence_goes_out_four_times_a_second_and_only_while_someone_looks(opened: Page) -> None:
    body = (
        STOP
        + """let there = true; stop.present = () => there; pass(1000); const seen = sent.length;
      there = false; pass(1000); return [seen, sent.length, sent[0][1]];"""
    )
    seen, later, flags = run(opened, body)
    assert 4 <= seen <= 5 and later == seen and flags == 2


TAP = """
const { TapShaper } = await live("input"); const taps = new TapShaper();
const press = (speed, ms) => { taps.press("KeyA", now); let way = 0; let up = false;
  for (const start = now; now < start + 1000; now += 1) {
    if (!up && now - start >= ms) { taps.release("KeyA", now, speed); up = true; }
    way += taps.value("KeyA", now, speed) / 1000; }
  return way; };
"""


@pytest.mark.parametrize("speed", [3, 12, 30])
@pytest.mark.parametrize("held_ms", [10, 60, 140])
def test_a_tap_is_one_millimetre_at_every_speed(opened: Page, speed: int, held_ms: int) -> None:
    assert run(opened, TAP + "return press(given[0], given[1]);", [speed, held_ms]) == pytest.approx(
        1.0, abs=0.05
    )


def test_a_held_key_moves_at_the_chosen_speed(opened: Page) -> None:
    # 1 mm in the first 150 ms, then 12 mm/s for 350 ms
    assert run(opened, TAP + "return press(12, 500);") == pytest.approx(1 + 0.35 * 12, abs=0.1)


INPUT = """
const { Input } = await live("input"); const did = [];
let control = true;
const input = new Input({ inControl: () => control, now: () => now, on: { stop: () => did.push("stop"),
  action: (name) => did.push(name), prompt: (key) => did.push("prompt " + key), changed() {} } });
const key = (code, more = {}) => { const event = { code, repeat: false, target: document.documentElement, prevented: false,
  preventDefault() { this.prevented = true; }, stopPropagation() {}, ...more }; input.keydown(event); return event; };
const html = (name, type) => { const node = document.createElementNS("http://www.w3.org/1999/xhtml", name); if (type) node.type = type; return node; };
"""


def test_keys_count_by_their_place_so_an_input_method_changes_nothing(opened: Page) -> None:
    body = (
        INPUT
        + "key('Space', {keyCode: 229, key: 'Process'}); key('KeyA', {keyCode: 229}); now = 200; return [input.deadman, input.twist().vx];"
    )
    assert run(opened, body) == [True, 12]


def test_space_and_enter_press_no_button_while_in_control(opened: Page) -> None:
    body = (
        INPUT
        + """const button = html("button");
      const during = ["Space", "Enter"].map((code) => key(code, { target: button }).prevented); control = false; input.letGo();
      return [during, ["Space", "Enter"].map((code) => key(code, { target: button }).prevented), input.deadman];"""
    )
    assert run(opened, body) == [[True, True], [False, False], False]


def test_keys_typed_into_a_field_move_nothing(opened: Page) -> None:
    body = (
        INPUT
        + """const area = html("textarea");
      const taken = ["Space", "KeyA", "Backspace"].map((code) => key(code, { target: area }).prevented); now = 200;
      return [taken, input.deadman, input.twist().vx, did];"""
    )
    assert run(opened, body) == [[False, False, False], False, 0, []]


def test_backspace_and_escape_stop_also_without_control(opened: Page) -> None:
    body = (
        INPUT + "control = false; key('Backspace'); key('Escape'); key('Escape', {repeat: true}); return did;"
    )
    assert run(opened, body) == ["stop", "stop"]


def test_chords_move_nothing(opened: Page) -> None:
    body = (
        INPUT
        + "for (const held of ['ctrlKey', 'altKey', 'metaKey']) key('KeyA', {[held]: true}); now = 200; return input.twist().vx;"
    )
    assert run(opened, body) == 0


def test_losing_the_window_lets_everything_go(opened: Page) -> None:
    body = (
        INPUT
        + "key('Space'); key('KeyW'); input.pads.rock = {x: 1, y: 0}; input.letGo(); now = 200; return [input.deadman, Object.values(input.twist()).some(Boolean)];"
    )
    assert run(opened, body) == [False, False]


def test_left_is_the_marker_side_in_contact_and_the_patients_right_in_travel(opened: Page) -> None:
    body = (
        INPUT
        + "key('KeyA'); now = 200; const contact = input.twist().vx; input.setTravel(true); key('KeyA'); now = 400; return [contact, input.twist().vx];"
    )
    assert run(opened, body) == [12, -12]


def test_travel_never_turns_the_probe_and_its_force_keys_raise_and_lower(opened: Page) -> None:
    body = (
        INPUT
        + """input.setTravel(true); key("KeyR"); key("KeyJ"); now = 200; const { vz, wy } = input.twist();
      return [vz, wy, input.forceN];"""
    )
    assert run(opened, body) == [12, 0, 5]


def test_force_goes_in_half_newtons_between_3_and_12(opened: Page) -> None:
    body = (
        INPUT
        + """key("KeyR"); const one = input.forceN; for (let i = 0; i < 40; i += 1) key("KeyR"); const top = input.forceN;
      for (let i = 0; i < 40; i += 1) key("KeyF"); return [one, top, input.forceN];"""
    )
    assert run(opened, body) == [5.5, 12, 3]


def test_a_stick_within_its_dead_zone_is_still_and_grows_by_the_cube(opened: Page) -> None:
    body = (
        INPUT
        + """const at = (x) => { input.pads.slide = { x, y: 0 }; return Math.abs(input.twist().vx); };
      return [at(0.1), at(0.56), at(1)];"""
    )
    still, half, full = run(opened, body)
    assert still == 0 and half == pytest.approx(12 * 0.125) and full == pytest.approx(12)


def test_the_round_trip_is_read_on_the_workers_clock_and_leaves_out_the_robots_own_time(opened: Page) -> None:
    body = """const { Delay } = await live("delay"); const delay = new Delay(() => now); now = 1100;
      delay.telemetry({ echo_t_client_us: 5_040_000n, echo_hold_us: 15_000 }, 5100);
      const once = delay.rttMs; delay.telemetry({ echo_t_client_us: 5_040_000n, echo_hold_us: 15_000 }, 5100);
      return [once, delay.echoes.length];"""
    assert run(opened, body) == [45, 1]


@pytest.mark.parametrize(("role", "shown"), [("console", 40), ("bedside", None)])
def test_the_echo_of_the_consoles_command_is_no_delay_of_the_bedsides(
    opened: Page, role: str, shown: float | None
) -> None:
    """The robot tells both pages the same; the other page's clock would make minutes of it."""
    body = """const { Session } = await live("session"); const on = new Proxy({}, { get: () => () => {} });
      const session = new Session({ config: { role: given, ws: "/" }, snapshot: () => null, on });
      session.link.on.telemetry({ echo_t_client_us: 5_000_000n, echo_hold_us: 0, flags: 0, done: [0, 0, 0, 0, 0, 0] }, 5040);
      return session.delay.rttMs;"""
    assert run(opened, body, role) == shown


WORDS = """
const { bedsideWord, explain, ownership } = await live("state"); const wire = await live("wire");
const tel = (state, cause = "none", flags = 0, limit_bits = 0) => ({ safety_state: wire.STATES.indexOf(state),
  stop_cause: wire.CAUSES.indexOf(cause), flags, limit_bits, done: [6, 8, 0, 0, 0, 0] });
"""


@pytest.mark.parametrize(
    ("state", "flags", "kind"),
    [
        ("moving", 0, "moving"), ("ramp", 0, "moving"), ("retract", 0, "moving"), ("lift", 0, "moving"),
        ("place", 0, "moving"), ("self_test", 0, "moving"), ("hand_guide", 0, "moving"), ("hold", 0, "hold"),
        ("park", 0, "hold"), ("idle", 0, "rest"), ("stopped", 4, "stopped"), ("fault", 0, "stopped"), ("hold", 4, "stopped"),
    ],
)  # fmt: skip
def test_the_bedside_has_one_word_for_every_state(opened: Page, state: str, flags: int, kind: str) -> None:
    body = (
        WORDS
        + "return bedsideWord({ telemetry: tel(given[0], 'none', given[1]), linked: true, remoteName: '' }).kind;"
    )
    assert run(opened, body, [state, flags]) == kind


def test_without_telemetry_both_pages_say_no_link_whatever_was_last(opened: Page) -> None:
    body = (
        WORDS
        + """const last = tel("moving"); return [bedsideWord({ telemetry: last, linked: false }).kind,
      ownership({ telemetry: last, linked: false, mine: true }).kind, ownership({ telemetry: null, linked: true, mine: true }).kind];"""
    )
    assert run(opened, body) == ["lost", "lost", "lost"]


def test_the_border_says_whose_control_it_is_and_what_limits_it(opened: Page) -> None:
    body = (
        WORDS
        + """const kind = (telemetry, mine, holder) => ownership({ telemetry, linked: true, mine, holder }).kind;
      return [kind(tel("idle"), false, null), kind(tel("moving"), false, "x"), kind(tel("park"), true), kind(tel("moving"), true),
        kind(tel("moving", "none", 0, 64), true), kind(tel("moving", "none", 0, 16), true), kind(tel("stopped", "none", 4), true)];"""
    )
    assert run(opened, body) == ["nobody", "other", "yours", "moving", "limited", "moving", "stopped"]


def test_an_old_cause_is_not_told_while_the_arm_moves_again(opened: Page) -> None:
    body = (
        WORDS
        + "return [explain(tel('moving', 'silence'), 'now').why, explain(tel('hold', 'silence'), 'now').why];"
    )
    assert run(opened, body) == ["", "live.cause.silence"]

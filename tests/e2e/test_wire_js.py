"""The browser's side of the robot link, run in Chromium: same vectors as Python, and the 50 Hz sender's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from .browser import ROOT, chromium, static_server

VECTORS: dict[str, Any] = json.loads((ROOT / "tests/data/wire_vectors.json").read_text())
KINDS = {"commands": "Command", "telemetry": "Telemetry", "estop": "Estop"}
ROWS = [(kind, row) for kind in KINDS for row in VECTORS[kind]]

# Bytes <-> hex, and BigInt as decimal text, as the vectors file writes it.
HELPERS = """
const live = new URL("/static/console/live/", location.href).href;
const wire = await import(live + "wire.js");
const bytes = (hex) => new Uint8Array((hex.match(/../g) || []).map((pair) => parseInt(pair, 16)));
const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? v.toString() : v)));
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with static_server() as address, chromium() as browser:
        opened = browser.new_page()
        opened.goto(f"{address}/static/console/icon.svg")
        yield opened


def run(page: Page, body: str, argument: Any = None) -> Any:
    """Run an async function body in the page; `argument` is `given` there."""
    return page.evaluate(f"async (given) => {{ {HELPERS} {body} }}", argument)


def close_enough(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close_enough, found, wanted))
    if isinstance(wanted, float):
        return bool(found == pytest.approx(wanted, abs=1e-9))
    return bool(found == wanted)


def test_both_ends_hold_the_same_layout(page: Page) -> None:
    assert run(page, "return wire.SCHEMA_HASH") == VECTORS["schema_hash"]


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=[f"{kind}-{row['name']}" for kind, row in ROWS])
def test_the_page_reads_what_python_packed(page: Page, kind: str, row: dict[str, Any]) -> None:
    found = run(page, f"return plain(wire.unpack{KINDS[kind]}(bytes(given)))", row["hex"])
    wrong = {
        name: (found.get(name), want)
        for name, want in row["fields"].items()
        if not close_enough(found[name], want)
    }
    assert wrong == {}


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=[f"{kind}-{row['name']}" for kind, row in ROWS])
def test_the_page_packs_the_bytes_python_packs(page: Page, kind: str, row: dict[str, Any]) -> None:
    assert run(page, f"return hex(wire.pack{KINDS[kind]}(given))", row["fields"]) == row["hex"]


@pytest.mark.parametrize(
    "row", VECTORS["bad"], ids=[f"{row['kind']}-{row['name']}" for row in VECTORS["bad"]]
)
def test_the_page_refuses_bad_bytes_with_the_same_code(page: Page, row: dict[str, str]) -> None:
    body = "try { wire['unpack' + given.read](bytes(given.hex)); return 'accepted'; } catch (e) { return e.code; }"
    assert run(page, body, {"read": row["kind"].capitalize(), "hex": row["hex"]}) == row["code"]


def test_the_page_knows_the_frame_on_its_screen_also_when_rtp_time_wraps(page: Page) -> None:
    body = "return given.map(([id, newest]) => wire.frameIdOf((id * 3000) % 2 ** 32, newest));"
    pairs = [[900, 900], [890, 905], [1_431_655, 1_431_657], [1_431_656, 1_431_655], [53_000_000, 53_000_012]]
    assert run(page, body, pairs) == [shown for shown, _ in pairs]


LOOP = """
const { CommandLoop, NewestWins } = await import(live + "command-loop.js");
const channel = { readyState: "open", bufferedAmount: 0, left: [], send(b) { this.left.push(wire.unpackCommand(b)); } };
const out = new NewestWins(channel);
const loop = new CommandLoop(out);
const twist = { vx: 12, vy: 0, vz: 0, wx: 0, wy: 0, wz: 8 };
const input = (page_ms, now, more = {}) => loop.input({ page_ms, sending: true, epoch: 7, deadman: true,
  force_control: true, force_setpoint_n: 5, mode: 0, twist, tel_seq_seen: 3, frame_id_seen: 900, ...more }, now);
"""


def test_a_held_deadman_moves_and_a_released_one_sends_stillness(page: Page) -> None:
    body = (
        LOOP
        + "input(0, 100); loop.tick(100); input(20, 120, {deadman: false}); loop.tick(120); return plain(channel.left);"
    )
    held, released = run(page, body)
    assert (held["flags"], held["vx"], held["wz"], held["lease_epoch"], held["seq"]) == (3, 12, 8, 7, 1)
    assert (released["flags"], released["vx"], released["wz"], released["seq"]) == (2, 0, 0, 2)


def test_an_input_snapshot_older_than_80_ms_drops_the_deadman(page: Page) -> None:
    body = (
        LOOP
        + "input(0, 100); for (const now of [180, 181]) loop.tick(now); return [plain(channel.left), loop.staleDrops];"
    )
    (fresh, stale), drops = run(page, body)
    assert (fresh["flags"] & 1, fresh["vx"]) == (1, 12)
    assert (stale["flags"] & 1, stale["vx"], stale["wz"], drops) == (0, 0, 0, 1)


def test_a_snapshot_that_waited_in_the_queue_is_old_on_arrival(page: Page) -> None:
    # The page's clock says 20 ms later, but it arrives 200 ms later: the queue held it, the fingers may have gone.
    body = LOOP + "input(0, 100); loop.tick(100); input(20, 300); loop.tick(300); return plain(channel.left);"
    first, late = run(page, body)
    assert first["flags"] & 1 == 1
    assert (late["flags"] & 1, late["vx"]) == (0, 0)


def test_nothing_is_sent_without_a_lease_or_with_a_hidden_page(page: Page) -> None:
    assert (
        run(
            page,
            LOOP + "loop.tick(0); input(0, 20, {sending: false}); loop.tick(20); return channel.left.length;",
        )
        == 0
    )


def test_a_full_channel_gets_only_the_newest_command_and_the_rest_count_as_superseded(page: Page) -> None:
    body = (
        LOOP
        + """
      input(0, 0); loop.tick(0); channel.bufferedAmount = 64;
      for (const now of [20, 40, 60]) { input(now, now); loop.tick(now); }
      const during = channel.left.length; channel.bufferedAmount = 0; out.drain();
      return [during, channel.left.map((c) => c.seq), out.superseded, out.sent];"""
    )
    assert run(page, body) == [1, [1, 4], 2, 2]


def test_a_new_lease_starts_its_own_sequence(page: Page) -> None:
    body = (
        LOOP
        + """input(0, 0); loop.tick(0); loop.tick(20); input(40, 40, {epoch: 8}); loop.tick(40);
      return channel.left.map((c) => [c.lease_epoch, c.seq]);"""
    )
    assert run(page, body) == [[7, 1], [7, 2], [8, 1]]


def test_the_worker_sends_at_50_hz_and_drops_the_deadman_when_the_page_hangs(page: Page) -> None:
    body = """
      const worker = new Worker(live + "control-worker.js", { type: "module" });
      const got = []; let release;
      const enough = new Promise((resolve) => { release = resolve; });
      worker.onmessage = ({ data }) => {
        if (data.kind === "ready") { worker.postMessage({ kind: "relay" }); worker.postMessage({ kind: "input", snapshot: {
          page_ms: performance.now(), sending: true, epoch: 1, deadman: true, force_control: false, force_setpoint_n: 5,
          mode: 0, twist: { vx: 1, vy: 0, vz: 0, wx: 0, wy: 0, wz: 0 }, tel_seq_seen: 0, frame_id_seen: 0 } }); }
        if (data.kind === "bytes") { got.push(wire.unpackCommand(data.bytes)); if (got.length === 20) release(); }
      };
      await enough; worker.terminate();
      return plain(got);"""
    got = run(page, body)
    held = [command for command in got if command["flags"] & 1]
    times_ms = [int(command["t_client_us"]) / 1000 for command in got]
    assert 1 <= len(held) <= 6 and got[: len(held)] == held, "held for about 80 ms, then released for good"
    assert all(command["vx"] == 0 for command in got[len(held) :])
    assert [command["seq"] for command in got] == list(range(1, 21))
    assert (times_ms[-1] - times_ms[0]) / 19 == pytest.approx(20, abs=8)

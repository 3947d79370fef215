"""The page's socket to the server, run in Chromium against sockets that never leave the page."""

from __future__ import annotations

from playwright.sync_api import Page

from .test_wire_js_rules import opened, run

__all__ = ["opened"]
SIGNALLING = """
const { Signalling } = await live("signalling"); const sockets = []; const gate = []; const states = [];
const tick = () => new Promise((resolve) => setTimeout(resolve, 10)); const real = globalThis.fetch;
globalThis.fetch = () => new Promise((resolve, reject) => gate.push({
  give: (ticket) => resolve(new Response(JSON.stringify({ ticket }), { headers: { "Content-Type": "application/json" } })), fail: () => reject(new TypeError("no network")) }));
globalThis.WebSocket = class { static OPEN = 1; readyState = 1; constructor(address) { this.ticket = new URL(address).searchParams.get("ticket"); sockets.push(this); }
  send() {} close() { this.readyState = 3; } };
const signalling = new Signalling({ address: "/ws/", on: () => {}, onState: (state) => states.push(state) });
"""


def test_a_ticket_that_was_asked_for_before_a_stop_opens_no_second_socket(opened: Page) -> None:
    body = (
        SIGNALLING
        + """signalling.start(); await tick(); signalling.stop(); signalling.start(); await tick();
      gate[1].give("new"); await tick(); gate[0].give("old"); await tick();
      sockets[0].onmessage({ data: '{"type": "welcome"}' });
      return [sockets.map((socket) => socket.ticket), signalling.state, signalling.open];"""
    )
    assert run(opened, body, None) == [["new"], "open", True]


def test_a_ticket_refused_after_a_stop_changes_nothing_and_tries_nothing(opened: Page) -> None:
    body = (
        SIGNALLING
        + """signalling.start(); await tick(); signalling.stop(); gate[0].fail();
      await new Promise((resolve) => setTimeout(resolve, 500)); return [sockets.length, gate.length, states];"""
    )
    assert run(opened, body, None) == [0, 1, []]

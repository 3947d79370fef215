"""Another person takes the bedside while the arm moves: stop is seen and works in every moment of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.waiting import until

from . import steps_bedside, steps_console, steps_desk, steps_tablet
from .conftest import House
from .steps_tablet import NAMES, PINS, digits, shot, tile

pytestmark = pytest.mark.timeout(900)
PEOPLE = ("xu.bedside", "li.bedside")  # the second one, signed in last, is the exam's own
MOVES_MM_S, RESTS_MM_S = 2.0, 0.5
STOPS_S = 5.0  # until the page says that the arm rests; how fast it is, the benchmark of stops says
CHANGES_S = 20.0  # on a machine that also runs the robot and two browsers; usually one to three
BACK_S = 6.0  # a bedside that is away for longer pauses the exam

# Every frame: is the stop what a finger in its middle would touch? And how long was the page's socket away at most?
WATCH = """() => {
  const seen = globalThis.seen = { frames: 0, hidden: 0, away_ms: 0 };
  let lost = null;
  const look = () => {
    const stop = document.getElementById("stop");
    const box = stop.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    seen.frames += 1;
    const touched = stop.contains(top) || top?.closest("#red"); // the red page is one stop from edge to edge
    if (!touched || box.height < 48) seen.hidden += 1;
    if (liveBedside.session.signalling.state === "open") lost = null;
    else seen.away_ms = Math.max(seen.away_ms, performance.now() - (lost ??= performance.now()));
    requestAnimationFrame(look);
  };
  look();
}"""
SPEED = "Math.hypot(...(liveBedside.session.telemetry?.done.slice(0, 3) ?? [0]))"


@pytest.fixture(scope="module")
def desk(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    house.sign_in(page, "scheduler")
    yield page
    context.close()


@pytest.fixture(scope="module")
def exam(desk: Page, house: House) -> dict[str, Any]:
    """An exam of this test's own; nobody else's list changes."""
    return steps_desk.booked_for(desk, house, NAMES["li.bedside"])


@pytest.fixture(scope="module")
def remote(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.grant_permissions(["microphone", "camera"], origin=house.base_url)
    page = context.new_page()
    house.sign_in(page, "remote_physician")
    yield page
    context.close()


@pytest.fixture(scope="module")
def tablet(browser: Browser, house: House, desk: Page) -> Iterator[Page]:
    """The room's second tablet, opened by both; the exam's own bedside physician stands there."""
    context = steps_tablet.window(browser)
    page = context.new_page()
    steps_tablet.pair(page, house, steps_tablet.code(desk, house, "超声一室 2 号"))
    for username in PEOPLE:
        steps_tablet.opened(page, house, username)
    yield page
    context.close()


class Hand:
    """The remote physician's: sweeps to and fro, so that the arm never stands at the end of its region."""

    def __init__(self, remote: Page, tablet: Page) -> None:
        self.remote, self.tablet, self.key, self.since = remote, tablet, "", 0.0

    def sweep(self) -> float:
        """Go on, turn round every second; the arm's speed now, mm/s."""
        steps_console.press_again_when_asked(self.remote)
        if not self.key or time.monotonic() - self.since > 1.0:
            turned = "KeyW" if self.key == "KeyS" else "KeyS"
            self.rest()
            self.remote.keyboard.down(turned)
            self.key, self.since = turned, time.monotonic()
        return float(self.tablet.evaluate(SPEED))

    def until_moving(self) -> None:
        until(lambda: self.sweep() > MOVES_MM_S, timeout_s=30, every_s=0.1, what="the arm moves")

    def rest(self) -> None:
        if self.key:
            self.remote.keyboard.up(self.key)
        self.key = ""


def phase(tablet: Page) -> str:
    return tablet.locator("#stop").get_attribute("data-phase") or ""


def stopped_by_a_tap(tablet: Page) -> None:
    """The tap goes where the stop is seen, and fails when something else would take it."""
    began = time.monotonic()
    tablet.locator("#stop").tap(timeout=STOPS_S * 1000)
    until(
        lambda: phase(tablet) == "rest" and tablet.evaluate(SPEED) < RESTS_MM_S,
        timeout_s=STOPS_S,
        every_s=0.05,
        what="the arm rests, and the page says so",
    )
    print(f"stop: at rest and said so after {time.monotonic() - began:.2f} s")


def cleared(tablet: Page) -> None:
    """Both lines ticked and held for two seconds, then away from the skin: the next contact is a first one again."""
    tablet.locator("#clear-cause").check()
    tablet.locator("#clear-well").check()
    box = tablet.locator("#clear-hold").bounding_box()
    assert box is not None
    tablet.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tablet.mouse.down()
    until(lambda: phase(tablet) == "none", timeout_s=10, every_s=0.1, what="the stop is cleared")
    tablet.mouse.up()


def chosen(tablet: Page, username: str) -> None:
    """All digits but the last."""
    tablet.locator("#change-person").click()
    shot(tablet, "moving-tiles")
    tile(tablet, username).click()
    digits(tablet, PINS[username][:-1])
    shot(tablet, "moving-pin")


def stands_here(tablet: Page, username: str) -> None:
    expect(tablet.locator("#stands-here")).to_have_text(NAMES[username], timeout=CHANGES_S * 1000)


def until_back(tablet: Page, before: str) -> None:
    """The page's socket is the new person's, the robot answers it, and it was not away for too long."""
    told = "[liveBedside.session.signalling.state, liveBedside.session.peerId, liveBedside.session.linked]"

    def back() -> bool:
        state, peer, linked = tablet.evaluate(told)
        return bool(state == "open" and peer != before and linked)

    until(back, timeout_s=20, every_s=0.1, what="the page's connection is back")
    seen = tablet.evaluate("globalThis.seen")
    print(f"hand-over: {seen}")
    assert seen["away_ms"] < BACK_S * 1000
    assert seen["hidden"] == 0 and seen["frames"] > 10


def peer_of(tablet: Page) -> str:
    return str(tablet.evaluate("liveBedside.session.peerId"))


def test_stop_works_during_and_right_after_a_change_of_person_with_the_arm_moving(
    exam: dict[str, Any], tablet: Page, remote: Page, house: House
) -> None:
    wrong: list[str] = []
    for page in (tablet, remote):
        page.on("pageerror", lambda error: wrong.append(str(error)))
    tablet.goto(f"{house.base_url}/console/bedside/{exam['id']}/")
    steps_bedside.prepare(tablet, exam)
    steps_bedside.place_and_ready(tablet)
    steps_bedside.until_state(tablet, house, exam, "ready")
    remote.goto(f"{house.base_url}/console/exams/{exam['id']}/")
    steps_console.take_control(remote, house, exam)
    steps_console.touch_down(remote, tablet)
    tablet.evaluate(WATCH)

    hand = Hand(remote, tablet)
    _stopped_while_the_change_is_asked_for(tablet, hand)
    _still_live(remote, house, exam, "xu.bedside")
    cleared(tablet)
    tablet.locator("#lift").click()
    expect(tablet.locator("#go")).to_be_visible(timeout=20_000)
    remote.keyboard.up("Space")
    steps_console.touch_down(remote, tablet)
    _stopped_before_the_pages_socket_is_back(tablet, hand)
    now = _still_live(remote, house, exam, "li.bedside")
    assert [(row["from"], row["to"], row["state"]) for row in now["hand_overs"]] == [
        (NAMES["li.bedside"], NAMES["xu.bedside"], "live"),
        (NAMES["xu.bedside"], NAMES["li.bedside"], "live"),
    ]
    _given_back(tablet, remote, house, exam)
    assert wrong == []


def _stopped_while_the_change_is_asked_for(tablet: Page, hand: Hand) -> None:
    """The request is on its way and its answer has not come."""
    hand.until_moving()
    chosen(tablet, "xu.bedside")
    hand.until_moving()  # the open panel takes nothing from the hand
    asked: list[Route] = []
    tablet.route("**/change", lambda route: asked.append(route))
    before = peer_of(tablet)
    digits(tablet, PINS["xu.bedside"][-1])
    until(lambda: tablet.evaluate("true") and bool(asked), timeout_s=5, what="the change is asked for")
    hand.until_moving()
    stopped_by_a_tap(tablet)
    hand.rest()
    asked[0].continue_()
    tablet.unroute("**/change")
    stands_here(tablet, "xu.bedside")
    until_back(tablet, before)
    assert phase(tablet) in ("rest", "held")  # the latch outlives the change


def _stopped_before_the_pages_socket_is_back(tablet: Page, hand: Hand) -> None:
    """The new person stands here; the page has no ticket for its socket yet."""
    hand.until_moving()
    chosen(tablet, "li.bedside")
    hand.until_moving()
    tickets: list[Route] = []
    tablet.route("**/auth/ticket", lambda route: tickets.append(route))
    before = peer_of(tablet)
    digits(tablet, PINS["li.bedside"][-1])
    stands_here(tablet, "li.bedside")
    hand.sweep()
    assert tablet.evaluate("liveBedside.session.signalling.state") != "open"
    stopped_by_a_tap(tablet)
    hand.rest()
    for ticket in tickets:
        ticket.continue_()
    tablet.unroute("**/auth/ticket")
    until_back(tablet, before)


def _still_live(remote: Page, house: House, exam: dict[str, Any], username: str) -> dict[str, Any]:
    now = dict(steps_desk.get(remote, house, f"exams/{exam['id']}"))
    assert (now["state"], now["bedside_physician"]["name"]) == ("live", NAMES[username])
    return now


def _given_back(tablet: Page, remote: Page, house: House, exam: dict[str, Any]) -> None:
    """No latch, the arm parked, the exam over: the house as it was."""
    cleared(tablet)
    remote.keyboard.up("Space")
    remote.locator("#park").click()

    def ended() -> bool:
        for button in ("#end-yes", "#end"):
            if remote.locator(button).is_visible():
                remote.locator(button).click()
                break
        return steps_bedside.state_of(remote, house, exam) == "ended"

    until(ended, timeout_s=60, every_s=1.0, what="ended after lifting off")

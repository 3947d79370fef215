"""Step 3 of the first exam, on the remote physician's console."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.waiting import until

from .conftest import House
from .frames import Picture, difference, read_png, video_now, wires
from .steps_bedside import state_of, until_state
from .steps_desk import get

STEADY_GREY = 2.0  # of 255 between two pictures; another place in the tissue differs by about 10
SET_N = 5.0  # the console starts with this contact force


def take_control(remote: Page, house: House, exam: dict[str, Any]) -> None:
    remote.locator("#identify-name").check()
    remote.locator("#identify-document_tail").check()
    remote.locator("#identify").click()
    expect(remote.locator("#waiting")).to_be_hidden(timeout=60_000)
    remote.locator("#take").click()
    expect(remote.locator("#start")).to_be_visible()
    expect(remote.locator("#gates li[data-code=link_poor]")).to_have_count(0, timeout=180_000)
    remote.locator("#start").click()
    until_state(remote, house, exam, "live")


def touch_down(remote: Page, bedside: Page) -> None:
    """The bedside lets it go; the held deadman brings the probe to the skin."""
    bedside.locator("#show-live").click()
    bedside.locator("#go").click()
    remote.locator("#view").click(position={"x": 5, "y": 5})
    remote.keyboard.down("Space")

    press_until_set(remote, bedside)


def press_until_set(remote: Page, bedside: Page) -> None:
    """The deadman held, and pressed again when asked, until the contact force is as set."""

    def pressing() -> bool:
        if abs(force(bedside) - SET_N) < 0.5:
            return True
        press_again_when_asked(remote)
        return False

    until(pressing, timeout_s=60, every_s=0.3, what="in contact, pressing as set")


def press_again_when_asked(remote: Page) -> None:
    """A hold after missing commands needs release, then press: a busy machine can cause one at any time."""
    if remote.locator("#picture").get_attribute("data-kind") not in ("moving", "limited"):
        remote.keyboard.up("Space")
        remote.keyboard.down("Space")


def force(bedside: Page) -> float:
    """Contact force as the bedside page shows it, N; -1 while it shows none."""
    shown = re.match(r"[\d.]+", bedside.locator("#force-number").inner_text())
    return float(shown.group()) if shown else -1.0


def later_picture(remote: Page) -> Picture:
    """The live picture at least 200 ms of video later."""
    since = remote.evaluate("document.querySelector('#video').currentTime")
    remote.wait_for_function(
        "(since) => document.querySelector('#video').currentTime > since + 0.2", arg=since
    )
    return video_now(remote)


def sweep(remote: Page, bedside: Page) -> tuple[float, float]:
    """(change at rest, change after sweeping): mean grey difference of the live picture."""
    remote.wait_for_function("document.querySelector('#video').currentTime > 1")
    remote.keyboard.press("Digit5")  # the patient holds the breath: what moves the picture then is the hand
    until(
        lambda: difference(video_now(remote), later_picture(remote)) < STEADY_GREY,
        timeout_s=30,
        what="a steady picture",
    )
    first = video_now(remote)
    rest = max(difference(first, later_picture(remote)) for _ in range(3))
    remote.keyboard.down("KeyS")
    moved = 0.0

    def changed() -> bool:
        nonlocal moved
        press_again_when_asked(remote)
        moved = difference(first, video_now(remote))
        return force(bedside) > SET_N / 2 and moved > 2 * rest + 1  # still in contact: no picture is no proof

    began = video_time(remote)
    until(changed, timeout_s=30, every_s=0.2, what="the picture follows the probe")
    remote.keyboard.up("KeyS")
    went_s = video_time(remote) - began
    # Back again: the wires are 80 mm long, and a slow machine may have swept past their end.
    remote.keyboard.down("KeyW")
    until(lambda: video_time(remote) > began + 2 * went_s, timeout_s=60, what="the way back")
    remote.keyboard.up("KeyW")
    press_until_set(remote, bedside)
    return rest, moved


def video_time(remote: Page) -> float:
    """Seconds of live video shown so far."""
    return float(remote.evaluate("document.querySelector('#video').currentTime"))


def freeze(remote: Page, house: House, exam: dict[str, Any]) -> dict[str, Any]:
    """Freezes, takes a still and returns it: the same lossless frame that the page now shows."""
    remote.keyboard.press("KeyU")
    expect(remote.locator("#still")).to_be_visible(timeout=30_000)
    remote.locator("#still-take").click()
    path = f"exams/{exam['id']}/images"
    still = until(
        lambda: get(remote, house, path)["results"], timeout_s=60, every_s=0.5, what="the still stored"
    )
    return dict(still[-1])


def measure(remote: Page, house: House, exam: dict[str, Any], still: dict[str, Any]) -> float:
    """Calipers on the two wires of the frozen frame; the value that the page shows, in mm."""
    frame = f"{house.base_url}/api/v1/exams/{exam['id']}/frozen/{still['frame_id']}"
    picture = read_png(remote.request.get(frame).body())
    points = wires(picture, still["mm_per_px_x"], still["mm_per_px_y"], still["region"])
    remote.locator("#calipers").click()
    expect(remote.locator("#calipers")).to_have_attribute("aria-pressed", "true")
    for x, y in points:
        remote.mouse.click(*on_page(remote, picture.shape[1], picture.shape[0], x + 0.5, y + 0.5))
    shown = remote.locator(".measure b").last
    expect(shown).to_have_text(re.compile(r"^\d+\.\d mm$"))
    return float(shown.inner_text().split()[0])


def on_page(remote: Page, width: int, height: int, x: float, y: float) -> tuple[float, float]:
    """Where a picture's pixel is on the page: the picture is fitted into its box and centred."""
    box = remote.locator("#overlay").bounding_box()
    assert box is not None
    scale = min(box["width"] / width, box["height"] / height)
    left, top = (box["width"] - width * scale) / 2, (box["height"] - height * scale) / 2
    return box["x"] + left + x * scale, box["y"] + top + y * scale


def end_exam(remote: Page, house: House, exam: dict[str, Any]) -> None:
    remote.keyboard.press("KeyU")  # live again
    expect(remote.locator("#still")).to_be_hidden(timeout=20_000)
    remote.locator("#loop").click()
    until(
        lambda: (
            "loop" in {row["kind"] for row in get(remote, house, f"exams/{exam['id']}/images")["results"]}
        ),
        timeout_s=60,
        every_s=0.5,
        what="the loop stored",
    )
    remote.keyboard.up("Space")
    remote.locator("#park").click()

    def ended() -> bool:
        if remote.locator("#end-yes").is_visible():
            remote.locator("#end-yes").click()
        elif remote.locator("#end").is_visible():
            remote.locator("#end").click()
        return state_of(remote, house, exam) == "ended"

    until(ended, timeout_s=60, every_s=1.0, what="ended after lifting off")

"""Step 2 of the first exam, on the bedside page, in the order in which it asks."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.waiting import until

from .conftest import House
from .steps_desk import get


def prepare(bedside: Page, exam: dict[str, Any]) -> None:
    """Step 2 up to the self-test, in the order in which the page asks."""
    turn_over(bedside)
    bedside.locator("#check-in").click()
    bedside.locator("#identify-name").check()
    bedside.locator("#identify-birth_date").check()
    bedside.locator("#identify").click()
    bedside.locator("#last-meal").fill("昨晚 19:00")
    for question in ("wound_or_stoma", "recent_surgery", "known_aneurysm", "pain", "gel_allergy"):
        bedside.locator(f"input[name={question}][value=false]").check(force=True)
    bedside.locator("input[name=can_lie_still][value=true]").check(force=True)
    bedside.locator("#checklist").click()
    sign_consent(bedside)
    bedside.locator("#consent").click()
    self_test(bedside)


def turn_over(bedside: Page) -> None:
    """What the last patient on this robot left to do, signed item by item; nothing when nobody was scanned before."""
    expect(bedside.locator("#check-in, .step-body .turnover").first).to_be_visible()

    def done() -> bool:
        left = bedside.locator(".step-body .turnover-item:not(.done) .turnover-sign")
        if left.count() and left.first.is_enabled():
            left.first.click()
        return bedside.locator("#check-in").is_visible()

    until(done, timeout_s=60, every_s=0.5, what="the turnover is signed")


def self_test(bedside: Page) -> None:
    """Asked again when it fails, as a person would: on a machine busy with other tests the picture may stutter."""

    def passed() -> bool:
        again = bedside.locator("#self-test")
        if bedside.locator("#place").is_visible():
            return True
        if again.is_visible() and again.is_enabled():
            again.click()
        return False

    until(passed, timeout_s=120, every_s=1.0, what="the robot's self-test passed")


def sign_consent(bedside: Page) -> None:
    box = bedside.locator(".sign canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + 20, box["y"] + box["height"] / 2
    bedside.mouse.move(x, y)
    bedside.mouse.down()
    for step in range(1, 12):
        bedside.mouse.move(x + 10 * step, y + (12 if step % 2 else -12))
    bedside.mouse.up()


def place_and_ready(bedside: Page) -> None:
    bedside.locator("#place").click(timeout=60_000)
    expect(bedside.locator("#placed")).to_be_enabled(timeout=60_000)
    bedside.locator("#placed").click()
    bedside.locator("#orientation").click()
    bedside.locator("#ready").click()


def state_of(page: Page, house: House, exam: dict[str, Any]) -> str:
    return str(get(page, house, f"exams/{exam['id']}")["state"])


def until_state(page: Page, house: House, exam: dict[str, Any], state: str, timeout_s: float = 60) -> None:
    until(
        lambda: state_of(page, house, exam) == state, timeout_s=timeout_s, every_s=0.3, what=f"exam {state}"
    )

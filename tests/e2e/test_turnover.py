"""The turnover in real windows: signed on the bedside's list and on the exam's page, seen and corrected at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from teleconsult.models import Exam
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.steps_tablet import shot
from tests.e2e.test_calls import today_at
from tests.e2e.windows import window_of, world_of
from tests.factories import World
from tests.owner import as_owner
from tests.services.test_queue import patient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk", "bedside")


@pytest.fixture
def waiting(world: World) -> Exam:
    """One exam is over; the next one on the same robot waits."""
    world.ended()
    return today_at(world.book(starts_at=world.tomorrow(60), patient_id=patient(world, 0).id), 23 * 60)


@pytest.fixture
def context(world: World, waiting: Exam, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings, width=1024, height=768) as window:
        yield window


@pytest.fixture
def tablet(context: BrowserContext, world: World) -> Page:
    page = context.new_page()
    sign_in_with_code(page, world, "bedside")
    return page


def signed() -> list[tuple[str, int, bool, str]]:
    return as_owner("SELECT item, step, done, means FROM teleconsult_turnovertick ORDER BY at")


def press(page: Page, item: str, name: str = "我已完成") -> None:
    line = page.locator(f".turnover-item[data-item={item}]")
    line.get_by_role("button", name=name).click()
    expect(page.locator(f".turnover-item[data-item={item}].done")).to_be_visible()


def test_the_bedsides_list_asks_with_what_and_shows_who_signed(tablet: Page) -> None:
    tablet.goto("/console/bedside/")
    card = tablet.locator(".turnover")
    expect(card).to_contain_text("还差 5 项")
    shot(tablet, "turnover-list")
    press(tablet, "probe_disinfected", "过氧化氢湿巾")
    expect(card.locator("li[data-item=probe_disinfected]")).to_contain_text("过氧化氢湿巾 · 李建国")
    expect(card).to_contain_text("还差 4 项")
    smallest = min(
        box["height"]
        for button in card.locator(".turnover-sign").all()
        if (box := button.bounding_box()) is not None
    )
    assert smallest >= 64, "with gloves on"
    card.get_by_role("button", name="更正：探头已消毒").click()
    tablet.locator("dialog input").fill("看错了房间")
    tablet.locator("dialog .danger").click()
    expect(card.locator("li[data-item=probe_disinfected]")).to_contain_text("李建国")
    expect(card.locator("li[data-item=probe_disinfected]")).to_contain_text("更正：看错了房间")
    assert signed() == [("probe_disinfected", 1, True, "peroxide_wipe"), ("probe_disinfected", 2, False, "")]


def test_the_next_exams_page_begins_with_the_turnover_and_the_desk_sees_it_go(
    context: BrowserContext, tablet: Page, world: World, waiting: Exam
) -> None:
    assert context.browser is not None
    address = tablet.url.split("/console")[0]
    desk = context.browser.new_context(base_url=address, viewport={"width": 1366, "height": 900}).new_page()
    sign_in_with_code(desk, world, "desk")
    desk.goto("/console/desk/")
    expect(desk.locator("#turnovers")).to_contain_text("清场未完成：机器人 · 1 室 · 还差 5 项")
    tablet.goto(f"/console/bedside/{waiting.id}/")
    expect(tablet.locator(".step-current")).to_contain_text("清场")
    shot(tablet, "turnover-step")
    for item in ("arm_wiped", "arm_parked", "gel_refilled", "paper_changed"):
        press(tablet, item)
    expect(desk.locator("#turnovers")).to_contain_text("还差 1 项")
    desk.locator("#turnovers button").click()
    expect(desk.locator("#panel .turnover-item.done")).to_have_count(4)
    shot(desk, "turnover-board")
    press(desk, "probe_disinfected", "含醇湿巾")
    expect(desk.locator("#turnovers button")).to_have_count(0)
    expect(tablet.locator("#check-in")).to_be_visible()
    expect(tablet.locator(".step-list")).not_to_contain_text("清场")

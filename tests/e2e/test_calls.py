"""Arrival at the desk and the screen in the waiting room, in real windows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hospital.common.clock import shanghai_day, today
from teleconsult import services, slip
from teleconsult.models import Exam
from tests.e2e.asgi import beside_browser
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.windows import window_of, world_of
from tests.factories import World
from tests.services.test_queue import patient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Beside = Callable[..., Any]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk")


@pytest.fixture
def context(world: World, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings) as window:
        yield window


@pytest.fixture
def beside() -> Iterator[Beside]:
    """Does something in the database while a browser is open."""
    with beside_browser() as run:
        yield run


@pytest.fixture
def desk(context: BrowserContext, world: World) -> Page:
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    return page


def today_at(exam: Exam, minute: int) -> Exam:
    """Put an exam on today, whatever the hour of this run: the queue is of the day."""
    start = shanghai_day(today())[0] + timedelta(minutes=minute)
    Exam.objects.filter(id=exam.id).update(starts_at=start, ends_at=start + timedelta(minutes=20))
    return Exam.objects.get(id=exam.id)


def booked_today(world: World, number: int) -> Exam:
    made = world.book(patient_id=patient(world, number).id, starts_at=world.tomorrow(30 * number))
    return today_at(made, 9 * 60 + 30 * number)


def arrived_today(world: World, number: int) -> Exam:
    exam = booked_today(world, number)
    return services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    expect(page.locator("body[data-news=open]")).to_be_attached()
    return page


def test_a_scanned_slip_gives_the_number_and_the_next_can_be_scanned(
    world: World, desk: Page, beside: Beside
) -> None:
    exam = beside(booked_today, world, 0)
    opened(desk, "/console/desk/")
    desk.locator("#arrival-said").click()
    desk.keyboard.type(slip.scanned_of(exam.id))
    desk.keyboard.press("Enter")
    expect(desk.locator("#notices")).to_contain_text("1 号：沈*妹")
    expect(desk.locator("#arrival-said")).to_be_focused()
    expect(desk.locator("#arrival-said")).to_have_value("")
    expect(desk.locator(f".block[data-id='{exam.id}']")).to_contain_text("1")
    desk.keyboard.type("9999 沈一妹")
    desk.keyboard.press("Enter")
    expect(desk.locator("#arrival-problem")).to_contain_text("今天没有此人的预约")


def test_the_screen_calls_what_the_desk_calls_with_masked_names_and_speaks(
    world: World, desk: Page, context: BrowserContext, beside: Beside
) -> None:
    for number in range(4):
        beside(arrived_today, world, number)
    desk.close()
    screen = context.new_page()
    screen.add_init_script("""
      const voice = { lang: "zh-CN", localService: true, name: "x" };
      window.said = [];
      window.SpeechSynthesisUtterance = function (text) { this.text = text; };
      Object.defineProperty(window, "speechSynthesis", { value: {
        getVoices: () => [voice], cancel() {}, speak(one) { window.said.push(one.text); one.onstart?.(); } } });
    """)
    opened(screen, f"/console/calls/{world.room.id}/")
    expect(screen.locator("#next li")).to_have_count(4)
    assert "沈一妹" not in screen.content()
    screen.locator("#voice").click()
    screen.locator("#call-next").click()
    expect(screen.locator("#call-number")).to_have_text("1")
    expect(screen.locator("#call-name")).to_have_text("沈*妹")
    screen.wait_for_function("() => window.said.length === 1")
    assert screen.evaluate("window.said[0]") == "请1号，沈某妹，到1 室。" * 2
    screen.locator("#call-pass").click()
    expect(screen.locator("#next li strong")).to_have_text(["2", "3", "1", "4"])
    beside(services.queue_call_next, principal=world.principals["desk"], room_id=world.room.id)
    expect(screen.locator("#call-number")).to_have_text("2", timeout=1500)
    screen.locator("#call-again").click()
    screen.wait_for_function("() => window.said.length === 3")


def test_the_screens_buttons_are_in_a_small_window_without_scrolling(
    world: World, desk: Page, beside: Beside
) -> None:
    beside(arrived_today, world, 0)
    desk.set_viewport_size({"width": 1366, "height": 768})
    opened(desk, f"/console/calls/{world.room.id}/")
    desk.locator("#call-next").click()
    expect(desk.locator("#call-name")).to_have_text("沈*妹")
    for button in desk.locator(".calls-tools button").all():
        expect(button).to_be_in_viewport(ratio=1)


def test_the_slip_has_the_time_in_large_print_and_a_code_that_checks_in(
    world: World, desk: Page, beside: Beside
) -> None:
    exam = beside(booked_today, world, 0)
    desk.goto(f"/console/exams/{exam.id}/slip/")
    expect(desk.locator(".slip")).to_contain_text("09:00")
    expect(desk.locator(".slip-when")).to_contain_text(f"星期{'一二三四五六日'[today().weekday()]}")
    expect(desk.locator(".slip")).to_contain_text("沈一妹")
    size = desk.locator(".slip dd").first.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 24
    drawn = desk.locator("#qr path").get_attribute("d") or ""
    rows = desk.evaluate("JSON.parse(document.getElementById('qr-data').textContent)")
    assert drawn.count("M") == sum(row.count("1") for row in rows) > 100


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_slip_is_printed_on_one_sheet_with_its_code(
    world: World, desk: Page, beside: Beside, language: str
) -> None:
    exam = beside(booked_today, world, 0)
    desk.context.add_cookies([{"name": "lang", "value": language, "url": desk.url}])
    desk.goto(f"/console/exams/{exam.id}/slip/")
    expect(desk.locator("#qr path")).to_be_visible()
    printed = desk.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1

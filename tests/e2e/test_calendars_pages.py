"""Calendars and exam types in a real browser: a week, a leave, a release, the rules of a type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hospital.common.clock import SHANGHAI, today
from hospital.scheduling.holidays import weekday_of
from tests.e2e.asgi import beside_browser
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.steps_tablet import shot
from tests.e2e.windows import window_of, world_of
from tests.factories import World
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk", "admin")


@pytest.fixture
def context(world: World, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings) as window:
        yield window


def in_english(page: Page, context: BrowserContext) -> None:
    context.add_cookies([{"name": "lang", "value": "en", "url": page.url}])
    page.reload()


def calendars(world: World, context: BrowserContext) -> Page:
    """The scheduler's calendars page."""
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    page.goto("/console/calendars/")
    return page


def test_the_scheduler_writes_a_week_a_leave_and_a_release(world: World, context: BrowserContext) -> None:
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    page.get_by_role("link", name="排班").click()
    page.locator("#list").get_by_role("button", name="李建国").click()
    monday = page.locator("tr[data-weekday='0']")
    monday.get_by_role("button", name="添加").click()
    monday.get_by_label("到").fill("11:30")
    page.get_by_role("button", name="保存每周时间").click()
    expect(page.locator("#notices")).to_contain_text("已保存")
    expect(monday.get_by_label("到")).to_have_value("11:30")
    good = page.get_by_role("region", name="用途与前后时间")
    good.get_by_label("检查前").fill("5")
    good.get_by_label("检查后").fill("15")
    good.get_by_label("语言代码").fill("zh, en")
    good.get_by_label("上腹部").check()
    with page.expect_response(
        lambda answer: answer.request.method == "PUT"
    ):  # the notice may be the first one's
        good.get_by_role("button", name="保存").click()
    expect(page.locator("#notices")).to_contain_text("已保存")
    page.locator("#list").get_by_role("button", name="徐芳").click()
    page.locator("#list").get_by_role("button", name="李建国").click()
    expect(good.get_by_label("检查后")).to_have_value("15")
    expect(good.get_by_label("上腹部")).to_be_checked()
    shot(page, "calendar-good")
    day = today() + timedelta(days=3)
    leave = page.get_by_role("region", name="休假与例外")
    leave.get_by_label("开始").fill(f"{day}T08:00")
    leave.get_by_label("结束").fill(f"{day}T17:00")
    leave.get_by_role("button", name="添加例外").click()
    expect(leave.locator(".picks li")).to_contain_text(f"{day} 08:00")
    release = page.get_by_role("region", name="开放给协作医院")
    release.get_by_label("开始").fill(f"{day}T13:00")
    release.get_by_label("结束").fill(f"{day}T12:00")
    release.get_by_role("button", name="开放这段时间").click()
    expect(release.locator("[role=alert]")).to_contain_text("时间段不正确")
    shot(page, "calendars")
    leave.locator(".picks li").get_by_role("button").click()
    expect(leave).to_contain_text("没有")
    assert as_owner("SELECT weekday, opens_minute, closes_minute FROM scheduling_weeklyhours") == [
        (0, 480, 690)
    ]
    assert as_owner(
        "SELECT before_minutes, after_minutes, languages FROM scheduling_resource WHERE name = '李建国'"
    ) == [(5, 15, ["en", "zh"])]
    assert as_owner("SELECT reason, withdrawn_at IS NULL FROM scheduling_calendarexception") == [
        ("leave", False)
    ]
    in_english(page, context)
    page.locator("#list").get_by_role("button", name="李建国").click()
    expect(page.locator("tr[data-weekday='0']").get_by_label("To")).to_have_value("11:30")
    shot(page, "calendars-en")


def test_hours_may_hold_at_one_house_only_and_from_a_day_on(world: World, context: BrowserContext) -> None:
    page = calendars(world, context)
    page.locator("#list").get_by_role("button", name="李建国").click()
    monday = page.locator("tr[data-weekday='0']")
    monday.get_by_role("button", name="添加").click()
    expect(monday.locator("summary")).to_have_text("限定…")
    monday.locator("summary").click()
    monday.get_by_label("医院").select_option(label="expert 医院")
    monday.get_by_label("第一天").fill("2026-01-05")
    expect(monday.locator("summary")).to_have_text("expert 医院 · 2026-01-05 至 …")
    shot(page, "calendar-limits")
    page.get_by_role("button", name="保存每周时间").click()
    expect(page.locator("#notices")).to_contain_text("已保存")
    expect(monday.locator("summary")).to_have_text("expert 医院 · 2026-01-05 至 …")  # as it was read again
    assert as_owner(
        "SELECT weekday, opens_minute, closes_minute, place_id, valid_from, valid_to FROM scheduling_weeklyhours"
    ) == [(0, 480, 720, world.places["expert"].id, date(2026, 1, 5), None)]
    in_english(page, context)
    page.locator("#list").get_by_role("button", name="李建国").click()
    monday.locator("summary").click()
    expect(monday.get_by_label("First day")).to_have_value("2026-01-05")
    shot(page, "calendar-limits-en")


def test_a_closed_house_lists_its_bookings_with_the_way_to_each(
    world: World, context: BrowserContext
) -> None:
    with beside_browser() as beside:
        exam = beside(world.book)
        page = calendars(world, context)
        expect(page.locator("#panel")).to_contain_text("停诊时间里的预约")
        page.locator("#houses button").first.click()
        closing = page.get_by_role("region", name="全院停诊")
        day = exam.starts_at.astimezone(SHANGHAI).date()
        closing.get_by_label("第一天").fill(f"{day}")
        closing.get_by_label("最后一天").fill(f"{day}")
        closing.get_by_role("button", name="全院停诊").click()
        expect(closing.locator("[role=alert]")).to_contain_text("已有 1 项预约")
        listed = page.get_by_role("region", name="停诊时间里的预约")
        expect(listed.locator(".picks li")).to_contain_text("李建国")
        expect(listed).not_to_contain_text("王")
        page.evaluate("document.querySelector('#notice-bell').hidden = false")
        assert page.locator("header.top").evaluate("(node) => node.offsetHeight") < 60  # one line
        shot(page, "house-closed")
        in_english(page, context)
        page.locator("#houses button").first.click()
        expect(page.get_by_role("region", name="Bookings in closed time")).to_contain_text("Closed then")
        page.evaluate("document.querySelector('#notice-bell').hidden = false")
        assert page.locator("header.top").evaluate("(node) => node.offsetHeight") < 60  # one line
        shot(page, "house-closed-en")
        page.get_by_role("region", name="Bookings in closed time").get_by_role("link").click()
        expect(page.locator("#panel")).to_contain_text("王小东")
        page.goto("/console/calendars/")
        page.locator("#houses button").first.click()
        page.get_by_role("region", name="Close the whole house").get_by_role(
            "button", name="Withdraw"
        ).click()
        expect(page.get_by_role("region", name="Bookings in closed time")).to_contain_text("None.")


def test_a_week_that_leaves_a_booking_out_says_so_and_the_bell_has_it(
    world: World, context: BrowserContext
) -> None:
    with beside_browser() as beside:
        exam = beside(world.book)
        page = calendars(world, context)
        page.locator("#houses button").first.click()
        week = page.get_by_role("region", name="每周时间")
        on = weekday_of(exam.starts_at.astimezone(SHANGHAI).date())
        other = 0 if on is None else (on + 1) % 7
        week.locator(f"tr[data-weekday='{other}']").get_by_role("button", name="添加").click()
        week.get_by_role("button", name="保存每周时间").click()
        expect(week.locator("[role=alert]")).to_contain_text("已有 1 项预约不在新的时间内")
        expect(page.locator("#notice-bell")).to_be_visible()
        page.locator("#notice-bell").click()
        expect(page.locator("body")).to_contain_text(f"的检查（{exam.accession}）需要的人员或设备届时停用")
        shot(page, "week-left-out")


def test_the_administrator_writes_an_exam_types_rules(world: World, context: BrowserContext) -> None:
    page = context.new_page()
    sign_in_with_code(page, world, "admin")
    page.get_by_role("link", name="检查项目").click()
    page.locator("#list").get_by_role("button", name="上腹部").click()
    page.get_by_label("时长（分钟）").fill("25")
    page.get_by_label("检查准备（中文）").fill("前一晚 20:00 起禁食")
    page.get_by_role("button", name="添加时段").click()
    page.get_by_role("button", name="添加规则").click()
    page.get_by_label("另一项检查的代码").fill("gastroscopy")
    page.get_by_role("button", name="添加提醒").click()
    page.get_by_role("button", name="保存规则").click()
    expect(page.locator("#notices")).to_contain_text("已保存")
    expect(page.locator("#list tr[aria-selected=true]")).to_contain_text("25")
    shot(page, "exam-types")
    assert as_owner("SELECT minutes, preparation_zh FROM scheduling_examtype") == [
        (25, "前一晚 20:00 起禁食")
    ]
    assert as_owner("SELECT procedure, kind, days FROM scheduling_orderrule") == [
        ("gastroscopy", "before", 1)
    ]
    assert as_owner("SELECT days_before, minute FROM scheduling_examreminder") == [(1, 18 * 60 + 30)]
    in_english(page, context)
    page.locator("#list tr[data-code] button").click()
    expect(page.locator("#panel")).to_contain_text("Allowed hours")
    shot(page, "exam-types-en")

"""The requests inbox in a real browser, and the page behind an offer's link: without a sign-in, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import BrowserContext, expect

from hospital.common.clock import shanghai_day
from hospital.common.work import work_drain
from hospital.messages import quiet
from hospital.messages import selectors as messages
from teleconsult import services
from tests.e2e.asgi import beside_browser
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.steps_tablet import shot
from tests.e2e.windows import window_of, world_of
from tests.factories import World
from tests.factories.days import working_day
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(quiet, "quiet_until", lambda at: None)  # whatever the hour of the test
    return world_of(settings, "desk", "bedside")


@pytest.fixture
def context(world: World, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings) as window:
        yield window


def asked(world: World) -> Any:
    return services.request_add(
        principal=world.principals["bedside"], patient_id=world.patient.id, exam_type="abdomen",
        institution_id=world.places["home"].id, clinical_question="胆囊结石？", priority="urgent",
    )  # fmt: skip


def test_the_desk_opens_a_request_takes_a_time_and_books_it(world: World, context: BrowserContext) -> None:
    with beside_browser() as beside:
        beside(asked, world)
        page = context.new_page()
        sign_in_with_code(page, world, "desk")
        page.goto("/console/requests/")
        expect(page.locator("#list")).to_contain_text("加急")
        expect(page.locator("#list")).not_to_contain_text("胆囊结石")
        page.locator("#list").get_by_role("button", name="王*东").click()
        expect(page.locator("#panel")).to_contain_text("胆囊结石？")
        page.get_by_role("button", name="找空闲时间").click()
        page.locator("#panel .picks button").first.click()
        page.get_by_role("button", name="预约这个时间").click()
        expect(page.locator("#list")).to_contain_text("没有待处理的申请")
    assert as_owner("SELECT state, exam_id IS NOT NULL FROM teleconsult_examrequest") == [("booked", True)]


def test_the_desk_asks_for_an_exam_of_a_patient_it_searched(world: World, context: BrowserContext) -> None:
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    page.goto("/console/requests/")
    page.locator("#new-request").click()
    page.locator("#find-patient").fill("王小东")
    page.locator("#panel form .primary").click()
    page.locator("#panel .picks button").click()
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("#panel [role=alert]")).to_contain_text("检查目的")
    page.get_by_label("检查目的").fill("右上腹隐痛")
    page.get_by_label("优先级").select_option("urgent")
    page.get_by_label("费用").select_option("exempt")
    shot(page, "request-new")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("#list tr[aria-selected=true]")).to_contain_text("加急")
    expect(page.locator("#panel")).to_contain_text("右上腹隐痛")
    shot(page, "request-open")
    context.add_cookies([{"name": "lang", "value": "en", "url": page.url}])
    page.reload()
    page.locator("#list tr[data-id]").click()
    expect(page.locator("#panel")).to_contain_text("Clinical question")
    shot(page, "request-open-en")
    page.locator("#new-request").click()
    expect(page.locator("#panel")).to_contain_text("First find the patient")
    shot(page, "request-new-en")
    assert as_owner("SELECT state, priority, fee, institution_id FROM teleconsult_examrequest") == [
        ("asked", "urgent", "exempt", world.places["home"].id)
    ]


def test_a_bedside_physician_names_a_patient_exactly_and_asks_for_an_exam(
    world: World, context: BrowserContext
) -> None:
    page = context.new_page()
    sign_in_with_code(page, world, "bedside")
    page.get_by_role("link", name="检查申请").click()
    expect(page.locator("#list")).to_contain_text("没有待处理的申请")
    page.locator("#new-request").click()
    page.get_by_role("button", name="查找").click()
    expect(page.locator("#panel [role=alert]")).to_contain_text("完整的证件号码")
    page.get_by_label("姓名").fill("王小")
    page.get_by_label("出生日期").fill("1950-03-15")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("#panel")).to_contain_text("本院没有这位患者")
    page.get_by_label("姓名").fill("王小东")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("#panel .picks li")).to_contain_text("王*东")
    shot(page, "request-named")
    page.get_by_role("button", name="选择 王*东").click()
    page.get_by_label("检查目的").fill("右上腹隐痛")
    shot(page, "request-bedside-form")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("#list tr[aria-selected=true]")).to_contain_text("王*东")
    expect(page.locator("#panel")).to_contain_text("王小东")
    expect(page.get_by_role("button", name="撤回")).to_be_visible()
    expect(page.get_by_role("button", name="不受理")).to_have_count(0)
    shot(page, "request-bedside")
    context.add_cookies([{"name": "lang", "value": "en", "url": page.url}])
    page.reload()
    expect(page.locator("#list")).to_contain_text("Asked")
    page.locator("#new-request").click()
    expect(page.locator("#panel")).to_contain_text("Whole document or phone number")
    shot(page, "request-named-en")
    assert as_owner("SELECT state, requested_by_id FROM teleconsult_examrequest") == [
        ("asked", world.users["bedside"].id)
    ]


def _offered(world: World) -> str:
    """Somebody waits, a time is free: the link in the message."""
    day = working_day(0, days=7)
    row = asked(world)
    with patch.object(services.waiting, "serve_later"):
        services.waiting_add(principal=world.principals["desk"], request_id=row.id, earliest=day, latest=day)
    services.waiting_serve(starts_at=shanghai_day(day)[0], ends_at=shanghai_day(day)[1])
    work_drain()
    text = next(one.text for one in messages.mailbox(to="13900000001") if "#" in one.text)
    found = re.search(r"(/console/offer/#\S+)", text)
    assert found is not None
    return found[1]


def test_a_patient_takes_an_offered_time_by_the_link_without_signing_in(
    world: World, context: BrowserContext
) -> None:
    with beside_browser() as beside:
        link = beside(_offered, world)
        page = context.new_page()
        page.goto(link)
        expect(page.locator("#offer")).to_contain_text("home 医院")
        expect(page.locator("body")).not_to_contain_text("王小东")
        shot(page, "offer")
        page.get_by_role("button", name="确认这个时间").click()
        expect(page.locator("#offer")).to_contain_text("已为您预约")
        shot(page, "offer-taken")
        page.reload()
        expect(page.locator("#offer")).to_contain_text("已为您预约")
        expect(page.get_by_role("button", name="确认这个时间")).to_have_count(0)
    assert as_owner("SELECT state FROM teleconsult_slotoffer") == [("accepted",)]

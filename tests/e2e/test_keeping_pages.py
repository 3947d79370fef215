"""Keeping in Chromium: the desk enters requests and hands over answers, administrators hold and lift, a patient returns."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import House
from .test_policy import watched

pytestmark = pytest.mark.timeout(600)
CASE = f"(2026)沪01民初{int(time.time()) % 100_000}号"
CALL = """async ([method, path, body]) => (await import("/static/console/api.js")).call(method, path, body)"""


def _registered(page: Page, house: House, name: str, number: str) -> dict[str, Any]:
    """A patient of this test alone; the other tests of the house never meet them."""
    page.goto(f"{house.base_url}/console/desk/")
    body = {
        "name": name, "document_type": "03", "document_number": number, "birth_date": "1948-02-29", "sex": "2",
        "phone": "13900000088",
    }  # fmt: skip
    found: dict[str, Any] = page.evaluate(CALL, ["POST", "patients", body])
    return found


def _asked_by_keyboard(page: Page, house: House, patient: dict[str, Any], paper: str) -> None:
    """From the patient's card to the answer."""
    page.goto(f"{house.base_url}/console/patients/{patient['id']}/")
    page.get_by_role("link", name="删除申请").click()
    expect(page.locator("#panel-ask .chosen")).to_contain_text(patient["name"])
    number = page.locator("#panel-ask form input:not([type=checkbox])")
    expect(number).to_be_focused()
    page.keyboard.type(paper)
    page.keyboard.press("Enter")
    expect(page.locator("#panel-ask .alert")).to_contain_text("请先核对证件和签名")
    expect(page.locator("#seen")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-ask .good-note")).to_contain_text("已答复")


def _printed(page: Page) -> str:
    with page.expect_popup() as opened:
        page.locator("#panel-ask").get_by_role("link", name="打印答复").click()
    paper = opened.value
    paper.locator(".sheet").wait_for()
    text = paper.locator(".sheet").inner_text()
    paper.close()
    return text


def _held(browser: Browser, house: House, mpi: str) -> None:
    with watched(browser, house, "security_admin") as (page, wrong):
        page.goto(f"{house.base_url}/console/keeping/")
        page.get_by_role("button", name="设置保全").click()
        for name, value in (("subject", mpi), ("case_number", CASE), ("reason", "法院调取病历")):
            page.locator(f"dialog [name={name}]").fill(value)
        page.locator("dialog [name=case_number]").press("Enter")
        row = page.locator("#holds tr", has_text=CASE)
        expect(row).to_contain_text("须由另一位管理员解除")
        expect(row.get_by_role("button")).to_have_count(0)
        assert wrong == []


def _lifted(browser: Browser, house: House) -> None:
    with watched(browser, house, "audit_admin") as (page, wrong):
        page.goto(f"{house.base_url}/console/keeping/#requests")
        expect(page.locator("#requests tr", has_text="K-2")).to_contain_text("限制使用")
        page.locator("#tab-requests").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#tab-holds")).to_be_focused()
        page.get_by_role("button", name=f"解除 {CASE}").click()
        page.locator("dialog textarea").fill("案件已审结")
        page.locator("dialog form button.danger").click()
        expect(page.locator("#holds tr", has_text=CASE)).to_have_count(0)
        page.locator("#holds-which").select_option(label="全部保全")
        expect(page.locator("#holds tr", has_text=CASE)).to_contain_text("案件已审结")
        assert wrong == []


def test_requests_holds_and_the_way_back(browser: Browser, house: House) -> None:
    with watched(browser, house, "scheduler") as (page, wrong):
        never_came = _registered(page, house, "顾阿英", "E44444441")
        _asked_by_keyboard(page, house, never_came, "K-1")
        text = _printed(page)
        assert "K-1" in text and "登记信息已全部删除" in text and "顾阿英" not in text
        page.get_by_role("button", name="登记下一份").click()
        page.locator("#find-patient").fill(never_came["mpi"])
        page.locator("#find-patient").press("Enter")
        expect(page.locator("#panel-ask")).to_contain_text("没有找到")

        held = _registered(page, house, "顾秀珍", "E44444442")
        _held(browser, house, held["mpi"])
        _asked_by_keyboard(page, house, held, "K-2")
        text = _printed(page)
        assert "正在进行的法律程序需要保存" in text and CASE not in text
        page.goto(f"{house.base_url}/console/patients/{held['id']}/")
        expect(page.locator("main")).to_contain_text("没有这个页面")
        assert [said for said in wrong if "404" not in said] == []
        wrong.clear()

        page.goto(f"{house.base_url}/console/keeping/#requests")
        row = page.locator("#requests tr", has_text="K-2")
        expect(row).to_contain_text("已答复")
        row.get_by_role("button", name="打开").click()
        expect(page.locator("dialog")).to_contain_text("身份信息")
        page.keyboard.press("Escape")
        _lifted(browser, house)

        page.locator("#tab-requests").focus()
        page.keyboard.press("ArrowRight")
        form = page.locator("#panel-reopen form")
        form.locator("input").nth(0).fill("E44444442")
        form.locator("input").nth(1).fill("R-1")
        form.locator("input").nth(1).press("Enter")
        expect(form.locator(".good-note")).to_contain_text(held["mpi"])
        form.get_by_role("link", name="打开档案").click()
        expect(page.locator("#head")).to_contain_text("顾秀珍")
        assert wrong == []


def test_a_list_that_fails_says_so_and_is_tried_again(browser: Browser, house: House) -> None:
    with watched(browser, house, "scheduler") as (page, _):
        page.route("**/api/v1/erasure-requests*", lambda route: route.abort())
        page.goto(f"{house.base_url}/console/keeping/#requests")
        expect(page.locator("#requests .alert")).to_be_visible()
        page.unroute("**/api/v1/erasure-requests*")
        page.get_by_role("button", name="重试").click()
        expect(page.locator("#requests .alert")).to_have_count(0)

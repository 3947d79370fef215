"""The administrators at their pages in Chromium: an account from paper to sign-in, a check of the log, all by keyboard."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from hospital.access import totp
from hospital.audit.export import FORMAT

from .conftest import House
from .test_policy import watched

pytestmark = pytest.mark.timeout(600)
PASSWORD = "a horse battery staple"


def _code(secret: str, ahead: int = 0) -> str:
    return totp.code(secret, int(time.time()) // totp.STEP_S + ahead)


def _told(page: Page) -> str:
    """What is shown this once."""
    found = page.locator(".told")
    found.wait_for()
    return found.inner_text().replace(" ", "")


def _new_account(page: Page, house: House, username: str) -> str:
    page.goto(f"{house.base_url}/console/admin/system/")
    page.get_by_role("button", name="新建账号").click()
    page.locator("dialog input[name=name]").fill("何敏")
    page.locator("dialog input[name=username]").fill(username)
    page.locator("dialog select[name=role]").select_option("nurse")
    page.locator("dialog form button.primary").click()
    code = _told(page)
    page.get_by_role("button", name="已记下").click()
    expect(page.locator("tr", has_text=username).get_by_text("待激活")).to_be_visible()
    return code


def test_a_new_colleague_comes_from_the_code_on_paper_to_the_own_page(browser: Browser, house: House) -> None:
    username = f"he{int(time.time()) % 100_000}"
    with watched(browser, house, "system_admin") as (page, wrong):
        code = _new_account(page, house, username)
        assert wrong == []
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(f"{house.base_url}/console/sign-in/")
    page.get_by_role("link", name="首次使用或重置").click()
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=code]").fill(code)
    page.locator("input[name=code]").press("Enter")
    secret = _told(page)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=totp]").fill(_code(secret))
    page.locator("input[name=totp]").press("Enter")
    page.get_by_text("账号可以使用了").wait_for()
    page.goto(f"{house.base_url}/console/sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=totp]").fill(_code(secret, 1))
    page.locator("input[name=totp]").press("Enter")
    expect(page.locator(".who-name")).to_have_text("何敏")
    context.close()


def test_a_form_opened_before_its_lists_have_come_waits_for_them(browser: Browser, house: House) -> None:
    pages = (
        ("system_admin", "/console/admin/system/", "**/api/v1/admin/institutions", "新建账号"),
        ("scheduler", "/console/admin/tablets/", "**/api/v1/tablets", "新增平板"),
    )
    for role, address, list_path, button in pages:
        with watched(browser, house, role) as (page, wrong):
            held: list[Route] = []
            page.route(list_path, lambda route: held.append(route))  # noqa: B023 - a method of a list cannot be given
            page.goto(house.base_url + address)
            page.get_by_role("button", name=button).click()
            expect(page.locator("dialog select")).to_have_count(0)
            held[0].continue_()
            expect(page.locator("dialog select").last.locator("option").first).to_be_attached()
            assert wrong == []


def test_the_log_is_searched_checked_and_taken_along(browser: Browser, house: House, tmp_path: Path) -> None:
    with watched(browser, house, "audit_admin") as (page, wrong):
        page.goto(f"{house.base_url}/console/admin/audit/")
        page.locator("input[name=action]").fill("auth.sign_in")
        page.locator("input[name=action]").press("Enter")
        rows = page.locator("#entries tbody tr")
        expect(rows.first).to_contain_text("auth.sign_in")
        others = rows.filter(has_not=page.locator("td:nth-child(3)", has_text="auth.sign_in"))
        expect(others).to_have_count(0)  # the list before the search begins with a sign-in, too
        rows.first.get_by_role("button", name="打开").click()
        page.get_by_role("button", name="查看此对象的全部记录").click()
        expect(page.locator("#following")).to_contain_text("只看对象 user")

        page.locator("#tab-entries").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#tab-chain")).to_be_focused()
        page.locator("#verify").click()
        expect(page.locator("#result")).to_contain_text("校验通过")
        page.locator("#export").click()
        page.locator("dialog input.code").fill(house.totp(house.staff("audit_admin")["username"]))
        with page.expect_download() as download:
            page.locator("dialog input.code").press("Enter")
        path = tmp_path / "export.jsonl"
        download.value.save_as(path)
        assert FORMAT in path.read_text().splitlines()[0]
        assert wrong == []
    assert "entries in" in house.manage("audit_verify", "--file", str(path))


def test_each_administrator_is_sent_away_from_the_others_pages(browser: Browser, house: House) -> None:
    for role, own in (("system_admin", "system"), ("security_admin", "security"), ("audit_admin", "audit")):
        with watched(browser, house, role) as (page, _):
            answers = {
                name: page.goto(f"{house.base_url}/console/admin/{name}/").status  # type: ignore[union-attr]
                for name in ("system", "security", "audit")
            }
            assert answers == {name: 200 if name == own else 403 for name in answers}

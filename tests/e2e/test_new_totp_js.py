"""The account page's change of authenticator in Chromium: proof, secret once, first code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from hospital.access.new_totp import otpauth
from hospital.common.qr import qr_rows
from teleconsult.console.texts import texts_in

from .browser import static_server

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ADDRESS = otpauth("zhou.desk", SECRET)
TOLD = {
    "totp_secret": SECRET, "otpauth": ADDRESS, "qr": qr_rows(ADDRESS), "expires_at": "2026-11-26T02:10:00Z",
}  # fmt: skip
BODY = """<!doctype html><html lang="zh"><head><meta charset="utf-8">
<link rel="stylesheet" href="/static/console/console.css"></head><body class="list-page"><main>
<div class="stack card"><div id="totp-change"></div></div></main><div id="notices"></div>
<script type="application/json" id="texts">{texts}</script>
<script type="module" src="/static/console/account_totp.js"></script></body></html>"""


class Account:
    """The page; `sent` is what was posted. The new authenticator's right code is 246810."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.sent = page, list[tuple[str, Any]]()
        html = BODY.format(texts=json.dumps(texts_in("zh")))
        page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", self._answer)
        page.goto(f"{address}/page")

    def _answer(self, route: Route) -> None:
        path, body = route.request.url.split("/api/v1/")[1], route.request.post_data_json
        if route.request.method == "GET":
            return route.fulfill(json={"results": [], "next": None})
        self.sent.append((path, body))
        if path == "auth/totp/confirm" and body != {"totp": "246810"}:
            problem = json.dumps({"code": "totp_wrong", "title": "动态验证码不正确"})
            return route.fulfill(status=422, body=problem, content_type="application/problem+json")
        if path == "auth/totp/confirm":
            return route.fulfill(status=204)
        return route.fulfill(json=TOLD if path == "auth/totp" else {})

    def begin(self) -> None:
        self.page.get_by_role("button", name="更换验证器").click()
        self.page.locator("dialog input.code").fill("135790")
        self.page.locator("dialog .actions button").first.click()
        expect(self.page.get_by_role("img", name="新验证器的二维码")).to_be_visible()

    def confirm(self, code: str) -> None:
        self.page.get_by_label("新验证器显示的六位数字").fill(code)
        self.page.get_by_role("button", name="启用新验证器").click()


@pytest.fixture
def account(browser: Browser) -> Iterator[Account]:
    page = browser.new_page()
    with static_server() as address:
        yield Account(page, address)
        page.close()


def test_the_secret_stands_there_until_its_first_code_is_right_and_then_no_more(account: Account) -> None:
    account.begin()
    expect(account.page.locator(".told")).to_have_text(" ".join(["JBSW", "Y3DP", "EHPK", "3PXP"] * 2))
    account.confirm("111111")
    expect(account.page.get_by_role("alert")).to_contain_text("动态验证码不正确")
    account.confirm("246810")
    expect(account.page.locator("#notices")).to_contain_text("旧验证器不再有效")
    assert "JBSW" not in account.page.content()
    proof = {"totp": "135790", "action": "auth.totp"}
    confirms = [("auth/totp/confirm", {"totp": code}) for code in ("111111", "246810")]
    assert account.sent == [("auth/step-up", proof), ("auth/totp", {}), *confirms]


def test_going_back_forgets_the_secret_and_confirms_nothing(account: Account) -> None:
    account.begin()
    account.page.locator("form button[type=button]").click()
    expect(account.page.get_by_role("button", name="更换验证器")).to_be_visible()
    assert "JBSW" not in account.page.content()
    assert [path for path, _ in account.sent] == ["auth/step-up", "auth/totp"]


def test_the_code_drawn_has_every_module_of_the_one_told_and_is_large_enough(account: Account) -> None:
    account.begin()
    dark = account.page.locator("svg path").get_attribute("d") or ""
    assert dark.count("M") == sum(row.count("1") for row in TOLD["qr"])
    size = len(TOLD["qr"]) + 8
    assert account.page.locator("svg[role=img]").get_attribute("viewBox") == f"0 0 {size} {size}"
    box = account.page.locator("svg[role=img]").bounding_box()
    assert (
        box is not None and min(box["width"], box["height"]) >= 4 * size
    )  # 4 px a module, for a phone's camera

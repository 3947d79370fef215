"""The account page's calendar addresses in Chromium: made, shown once, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from teleconsult.console.texts import texts_in

from .browser import static_server

URL = "https://hospital.example/api/v1/feeds/secret.ics"
BODY = """<!doctype html><html lang="zh"><head><meta charset="utf-8">
<link rel="stylesheet" href="/static/console/console.css"></head><body class="list-page"><main>
<div class="stack card"><div id="feeds-list"></div><div id="feeds-new" role="status"></div></div></main>
<div id="notices"></div><script type="application/json" id="texts">{texts}</script>
<script type="module" src="/static/console/account_feeds.js"></script></body></html>"""
CALENDARS = [
    {"id": "p", "kind": "person", "name": "王思远", "own": True},
    {"id": "r", "kind": "room", "name": "1 室", "own": False},
]


class Feeds:
    """The page, and the server's side of it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.kept = page, dict[str, Any]()
        html = BODY.format(texts=json.dumps(texts_in("zh")))
        page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", lambda route: self._answer(route))
        page.goto(f"{address}/page")

    def _answer(self, route: Route) -> None:
        if route.request.method == "DELETE":
            self.kept.clear()
            return route.fulfill(status=204)
        if route.request.method == "POST":
            which = route.request.url.split("resources/")[1].removesuffix("/feed")
            self.kept[which] = {"id": "f1", "resource": {"id": which}, "read_at": None}
            return route.fulfill(status=201, json=self.kept[which] | {"url": URL})
        return route.fulfill(json={"results": list(self.kept.values()), "next": None, "calendars": CALENDARS})


@pytest.fixture
def feeds(browser: Browser) -> Iterator[Feeds]:
    page = browser.new_page()
    with static_server() as address:
        yield Feeds(page, address)
        page.close()


def test_an_address_is_made_shown_once_and_revoked(feeds: Feeds) -> None:
    row = feeds.page.get_by_role("row").filter(has_text="1 室")
    row.get_by_role("button", name="生成地址").click()
    expect(feeds.page.get_by_role("textbox")).to_have_value(URL)
    expect(row).to_contain_text("尚未被读取")
    feeds.page.reload()
    expect(row).to_contain_text("尚未被读取")
    expect(feeds.page.get_by_role("textbox")).to_have_count(0)
    row.get_by_role("button", name="停用").click()
    expect(row.get_by_role("button", name="生成地址")).to_be_visible()
    expect(feeds.page.locator("#notices")).to_contain_text("已停用")

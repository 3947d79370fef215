"""Every page of every role in Chromium: the policy refuses nothing that a page needs, and no script stumbles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from .conftest import House

pytestmark = pytest.mark.timeout(600)


@contextmanager
def watched(browser: Browser, house: House, role: str) -> Iterator[tuple[Page, list[str]]]:
    """A signed-in window and what went wrong in it: refused by the policy, thrown, written as an error."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.grant_permissions(["microphone"], origin=house.base_url)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on(
        "console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None
    )
    try:
        house.sign_in(page, role)
        yield page, wrong
    finally:
        context.close()


def _pages(house: House, page: Page, role: str) -> list[str]:
    """What the header offers, one's own account, and the pages of an exam."""
    links = page.locator("nav a").evaluate_all("nodes => nodes.map((node) => node.getAttribute('href'))")
    exam = house.up["exams"][0]["id"]
    own = {
        "remote_physician": [f"/console/exams/{exam}/", f"/console/exams/{exam}/report/"],
        "bedside_physician": [f"/console/bedside/{exam}/"],
    }
    return [*links, "/console/account/", "/console/no-such-page/", *own.get(role, [])]


def test_no_page_breaks_the_policy_or_throws(browser: Browser, house: House) -> None:
    for role in dict.fromkeys(person["role"] for person in house.up["staff"]):
        with watched(browser, house, role) as (page, wrong):
            for address in _pages(house, page, role):
                page.goto(house.base_url + address, wait_until="load")
                page.locator("main, [data-page]").first.wait_for(state="attached")
                page.wait_for_function("document.readyState === 'complete'")
            expected = [said for said in wrong if "404" in said and "no-such-page" in said]
            assert [said for said in wrong if said not in expected] == [], role


def test_what_the_policy_forbids_would_be_seen(browser: Browser, house: House) -> None:
    with watched(browser, house, house.up["staff"][-1]["role"]) as (page, wrong):
        page.goto(f"{house.base_url}/console/account/")
        page.evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.ran = true";
              document.body.append(script);
              document.body.setAttribute("style", "color: red");
              fetch("https://elsewhere.invalid/").catch(() => {});
            }"""
        )
        page.wait_for_timeout(300)
        assert page.evaluate("window.ran") is None
        refused = " ".join(wrong)
    for directive in ("script-src", "style-src", "connect-src"):
        assert directive in refused

"""What people do with a bedside tablet: pair it from the desk, open it for the shift, change in."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .conftest import House

PINS = {"sun.assistant": "258036", "xu.bedside": "903174", "li.bedside": "740196"}
NAMES = {"sun.assistant": "孙洁", "xu.bedside": "徐芳", "li.bedside": "李建国"}
TILES = NAMES | {"li.bedside": "李*国"}
# Where a person may look at what was seen.
SHOTS = os.environ.get("SCREENSHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"tablet-{name}.png"))


def window(browser: Browser) -> BrowserContext:
    return browser.new_context(
        viewport={"width": 1024, "height": 768}, has_touch=True, locale="zh-CN", permissions=["microphone"]
    )


def code(desk: Page, house: House, name: str) -> str:
    """The desk names a tablet, in another page of its window, and is told its code."""
    page = desk.context.new_page()
    page.goto(f"{house.base_url}/console/admin/tablets/")
    page.get_by_role("button", name="新增平板").click()
    page.locator("dialog input[name=name]").fill(name)
    page.locator("dialog form button.primary").click()
    told = page.locator(".told")
    told.wait_for()
    found = told.inner_text()
    shot(page, "code")
    page.get_by_role("button", name="已记下").click()
    expect(page.locator("tr", has_text=name).get_by_text("待配对")).to_be_visible()
    shot(page, "admin")
    page.close()
    return found


def pair(page: Page, house: House, told: str) -> None:
    page.goto(f"{house.base_url}/console/tablet/")
    page.locator("input[name=code]").fill(told)
    shot(page, "pair")
    page.get_by_role("button", name="配对此平板").click()
    page.get_by_text("您是谁？").wait_for()


def opened(page: Page, house: House, username: str) -> None:
    """A sign-in with both factors on the tablet, and six digits for the shift."""
    person = next(row for row in house.up["staff"] if row["username"] == username)
    page.goto(f"{house.base_url}/console/sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(person["password"])
    page.locator("input[name=totp]").fill(house.totp(username))
    page.locator("form button.primary").click()
    page.locator(".who-name").wait_for()
    page.goto(f"{house.base_url}/console/tablet/")
    page.locator("input[name=pin]").fill(PINS[username])
    shot(page, f"open-{username}")
    page.get_by_role("button", name="开始使用").click()
    page.get_by_text("已登记，可以使用。").wait_for()


def digits(page: Page, pin: str) -> None:
    for digit in pin:
        page.locator(".pin-pad button", has_text=digit).click()


def tile(page: Page, username: str) -> Locator:
    return page.locator(".tile", has_text=TILES[username]).first

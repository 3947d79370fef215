"""A window with a security key of its own (Chromium's virtual authenticator), and what a person does with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from hospital.access import totp
from tests.e2e.browser import chromium
from tests.factories import World

PASSWORD = "correct horse battery"
USB_KEY = {
    "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
SIZE = (1366, 900)


@contextmanager
def browser_of(
    site: str, size: tuple[int, int] = SIZE
) -> Iterator[tuple[BrowserContext, Page, CDPSession, str]]:
    with chromium() as browser:
        context = browser.new_context(base_url=site, viewport={"width": size[0], "height": size[1]})
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": USB_KEY})
        yield context, page, cdp, added["authenticatorId"]


def code(world: World, username: str = "expert", step: int = 0) -> str:
    return totp.code(world.users[username].totp_secret, int(time.time()) // totp.STEP_S + step)


def fill_name(page: Page, username: str = "expert") -> None:
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)


def sign_in_with_code(page: Page, world: World, username: str = "expert") -> None:
    page.goto("/console/sign-in/")
    fill_name(page, username)
    page.locator("input[name=totp]").fill(code(world, username))
    page.locator("form button.primary").click()
    page.locator(".who-name").wait_for()


def add_key(page: Page, world: World, name: str, username: str = "expert") -> None:
    """With the next code: the one of the sign-in is used up."""
    page.goto("/console/account/")
    page.locator("#key-add input[name=name]").fill(name)
    page.locator("#key-add button").click()
    page.locator("dialog input.code").fill(code(world, username, 1))
    page.locator("dialog form button:not([type=button])").click()
    expect(page.locator("#keys")).to_contain_text(name)

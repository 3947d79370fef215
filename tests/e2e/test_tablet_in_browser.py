"""The bedside tablet's own page in Chromium: the pairing code scanned or typed, a change of person by a touch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page, expect

from hospital.access import keys
from hospital.access.models import User
from hospital.common.qr import qr_rows
from tests.authenticator import Authenticator
from tests.e2e.key_steps import PASSWORD, add_key, browser_of, sign_in_with_code
from tests.factories import World, make_world
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PEOPLE = ("desk", "bedside", "bedside2")
TABLET = (1024, 768)


@pytest.fixture
def world(settings: Any) -> World:
    settings.EMBEDDED = True
    made = make_world()
    User.objects.filter(username__in=PEOPLE).update(password=make_password(PASSWORD))
    return made


def offered(page: Page) -> tuple[str, str]:
    """(code, the dark modules of its picture) as the desk's page shows them."""
    page.goto("/console/admin/tablets/")
    page.get_by_role("button", name="新增平板").click()
    page.locator("dialog input[name=name]").fill("一室平板")
    page.locator("dialog form button.primary").click()
    page.locator(".told").wait_for()
    return page.locator(".told").inner_text(), page.locator("dialog svg.qr path").get_attribute("d") or ""


def paired() -> bool:
    return as_owner("SELECT paired_at FROM access_tablet")[0][0] is not None


def drawn(rows: list[str]) -> set[str]:
    """Where a page draws these modules, four modules of white around them."""
    return {
        f"M{x + 4} {y + 4}h1v1h-1z" for y, row in enumerate(rows) for x, bit in enumerate(row) if bit == "1"
    }


def code_of_desk(site: str, world: World) -> str:
    with browser_of(site) as (_, page, _, _):
        sign_in_with_code(page, world, "desk")
        code, picture = offered(page)
        assert {f"M{part}" for part in picture.split("M")[1:]} == drawn(
            qr_rows(f"{site}/console/tablet/#{code}")
        )
    return code


@pytest.mark.parametrize("way", ["scanned", "scanned_while_open", "typed"])
def test_the_pairing_code_is_scanned_or_typed(world: World, site: str, way: str) -> None:
    code = code_of_desk(site, world)
    asked: list[str] = []
    with browser_of(site, TABLET) as (_, page, _, _):
        page.on("request", lambda request: asked.append(request.url))
        if way != "scanned":
            page.goto("/console/tablet/")
            page.locator("input[name=code]").wait_for()
        if way == "typed":
            page.locator("input[name=code]").fill(code.lower())
        else:
            page.goto(f"/console/tablet/#{code}")
        expect(page.locator("input[name=code]")).to_have_value(code.lower() if way == "typed" else code)
        assert not paired()  # a camera alone pairs nothing
        page.get_by_role("button", name="配对此平板").click()
        page.get_by_text("您是谁？").wait_for()
        expect(page.locator("#tablet-name")).to_have_text("一室平板")
        assert page.url == f"{site}/console/tablet/"  # the code stays neither in the address nor in a log
        assert asked and not any(code in url for url in asked)
    assert paired()


def test_a_code_scanned_on_a_paired_tablet_changes_nothing(world: World, site: str) -> None:
    code = code_of_desk(site, world)
    with browser_of(site, TABLET) as (_, page, _, _):
        page.goto(f"/console/tablet/#{code}")
        page.get_by_role("button", name="配对此平板").click()
        page.get_by_text("您是谁？").wait_for()
        page.goto("/console/tablet/#ABCDE-FGHJK")
        page.reload()
        page.get_by_text("您是谁？").wait_for()
        assert page.url == f"{site}/console/tablet/"


def opened_by_touch(page: Page, world: World, username: str) -> None:
    """A sign-in with both factors on the tablet, a key instead of six digits."""
    sign_in_with_code(page, world, username)
    add_key(page, world, "蓝色密钥", username)
    page.goto("/console/tablet/")
    page.get_by_role("button", name="开始使用").click()
    page.get_by_text("已登记，可以使用。").wait_for()


def other_key(world: World, username: str, site: str) -> None:
    """A key of another person, which is not in this tablet's reach."""
    principal = world.principals[username]
    asked = keys.register_challenge(principal=principal)
    keys.key_register(
        principal=principal,
        challenge_id=UUID(asked["challenge_id"]),
        credential=Authenticator(origin=site).create(asked["options"]),
        name="key",
    )


def standing() -> list[str]:
    """Who stands at the tablet. Django's own connection is not for a thread in which a browser runs."""
    rows = as_owner(
        "SELECT u.username FROM access_accesstoken t JOIN access_user u ON u.id = t.user_id"
        " WHERE t.bedside_only AND t.revoked_at IS NULL"
    )
    return [username for (username,) in rows]


def test_one_touch_changes_the_person_on_the_tablets_own_page(world: World, site: str) -> None:
    code = code_of_desk(site, world)
    with browser_of(site, TABLET) as (context, page, _, _):
        page.goto(f"/console/tablet/#{code}")
        page.get_by_role("button", name="配对此平板").click()
        page.get_by_text("您是谁？").wait_for()
        opened_by_touch(page, world, "bedside")
        context.clear_cookies()  # nobody is signed in any more
        page.goto("/console/tablet/")
        page.locator(".tile", has_text="李*国").click()
        page.get_by_text("未设置 PIN，请触碰安全密钥。").wait_for()
        touch = page.get_by_role("button", name="触碰安全密钥")
        box = touch.bounding_box()
        assert box is not None and box["height"] >= 64
        touch.click()
        expect(page.locator(".who-name")).to_have_text("李建国")
    assert standing() == ["bedside"]


def test_a_touch_of_somebody_elses_key_changes_nobody(world: World, site: str) -> None:
    code = code_of_desk(site, world)
    other_key(world, "bedside2", site)
    with browser_of(site, TABLET) as (context, page, cdp, authenticator):
        page.goto(f"/console/tablet/#{code}")
        page.get_by_role("button", name="配对此平板").click()
        page.get_by_text("您是谁？").wait_for()
        opened_by_touch(page, world, "bedside")
        context.clear_cookies()
        sign_in_with_code(page, world, "bedside2")
        page.goto("/console/tablet/")
        page.get_by_role("button", name="开始使用").click()
        page.get_by_text("已登记，可以使用。").wait_for()
        context.clear_cookies()

        page.goto("/console/tablet/")
        page.locator(".tile", has_text="徐芳").click()
        page.get_by_role("button", name="触碰安全密钥").click()
        expect(page.get_by_role("alert").first).to_contain_text("未能更换人员")
        assert standing() == []

        # No key answers: one sentence, and the page goes on.
        page.get_by_role("button", name="返回").click()
        cdp.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
        page.locator(".tile", has_text="李*国").click()
        page.get_by_role("button", name="触碰安全密钥").click()
        expect(page.get_by_role("alert").first).to_contain_text("没有收到安全密钥的应答")
        page.get_by_role("button", name="返回").click()
        expect(page.locator(".tile")).to_have_count(3)
        assert standing() == []

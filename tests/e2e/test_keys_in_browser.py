"""A security key in a real browser (Chromium's virtual authenticator): added, signed in with, signed a report with."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from teleconsult import reporting
from tests.e2e.key_steps import add_key, browser_of, fill_name, sign_in_with_code
from tests.e2e.windows import world_of
from tests.factories import World
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "expert")


def sign_in_with_key(page: Page) -> None:
    page.locator(".who form[action='/console/sign-out/'] button").click()
    page.goto("/console/sign-in/")
    fill_name(page)
    page.locator("#with-key").click()


def test_a_key_is_added_with_a_code_and_then_signs_in_and_signs(world: World, site: str) -> None:
    exam = world.ended()
    draft = reporting.report_save(
        principal=world.principals["expert"], exam_id=exam.id, findings="肝脏", impression="无", revision=0
    )
    with browser_of(site) as (_, page, _, _):
        sign_in_with_code(page, world)
        add_key(page, world, "蓝色密钥")
        sign_in_with_key(page)
        page.locator(".who-name").wait_for()
        page.goto(f"/console/exams/{exam.id}/report/")
        page.get_by_role("button", name="签发报告").click()
        page.get_by_role("button", name="触碰安全密钥").click()
        expect(page.get_by_text("王思远 于")).to_be_visible()
    draft.refresh_from_db()
    assert draft.status == "signed"


def test_a_key_of_somebody_else_and_a_copied_key_do_not_open(world: World, site: str) -> None:
    with browser_of(site) as (_, page, cdp, authenticator):
        sign_in_with_code(page, world)
        add_key(page, world, "蓝色密钥")
        held = cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
        sign_in_with_key(page)
        page.locator(".who-name").wait_for()
        cdp.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
        cdp.send(
            "WebAuthn.addCredential",
            {"authenticatorId": authenticator, "credential": held[0] | {"signCount": 0}},
        )
        sign_in_with_key(page)
        expect(page.get_by_role("alert")).to_contain_text("用户名、密码或验证码不正确")


# The take button asks for the lease; the console's socket needs the whole house, the door does not.
TAKE = """async (id) => {
  const { withStepUp } = await import("/static/console/prove.js");
  const { call } = await import("/static/console/api.js");
  globalThis.taken = withStepUp(() => call("POST", `exams/${id}/lease`, {}), { modal: false });
}"""


def old_sign_ins() -> None:
    as_owner("UPDATE access_accesstoken SET proven_at = now() - interval '11 minutes'")


def test_an_exam_is_accepted_with_a_touch_when_the_sign_in_is_old(world: World, site: str) -> None:
    """The dialog stands beside the page: the stop stays in reach."""
    exam = world.ready()
    with browser_of(site) as (_, page, _, _):
        sign_in_with_code(page, world)
        add_key(page, world, "蓝色密钥")
        old_sign_ins()
        page.goto(f"/console/exams/{exam.id}/")
        page.evaluate(TAKE, str(exam.id))
        dialog = page.locator("dialog.prove")
        dialog.wait_for()
        assert not page.evaluate("document.querySelector('dialog.prove').matches(':modal')")
        page.locator("#stop").click(trial=True)
        page.get_by_role("button", name="触碰安全密钥").click()
        assert page.evaluate("taken.then((exam) => exam.state)") == "ready"
        dialog.wait_for(state="detached")

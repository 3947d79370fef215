"""How a patient wants to be told, kept by the desk on the patient's card."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.windows import window_of, world_of
from tests.factories import World
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk")


@pytest.fixture
def context(world: World, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings, height=1200) as window:
        yield window


def test_the_desk_writes_down_how_a_patient_wants_to_be_told(world: World, context: BrowserContext) -> None:
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    page.goto(f"/console/patients/{world.patient.id}/")
    form = page.locator("#wishes")
    form.get_by_label("语言").select_option("en")
    form.get_by_label("方式").select_option("voice")
    form.get_by_label("发给家属与照护者的提醒").check()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/wishes-zh.png")
    form.get_by_role("button", name="保存").click()
    expect(page.locator("#notices")).to_contain_text("已保存。")
    rows = as_owner("SELECT language, channel, refused FROM people_messagewish")
    assert rows == [("en", "voice", ["family"])]
    page.locator("button[name=lang]").click()
    expect(form.get_by_label("Reminders to family and carers")).to_be_checked()
    expect(form.get_by_label("By", exact=True)).to_have_value("voice")
    if folder:
        page.screenshot(path=f"{folder}/wishes-en.png")

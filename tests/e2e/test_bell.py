"""A notice appears in an open page by itself; what was missed with the socket away is read when it is back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from hospital.messages.services import notices_give
from tests.e2e.asgi import beside_browser
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.windows import window_of, world_of
from tests.factories import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk")


@pytest.fixture
def context(world: World, settings: Any) -> Iterator[BrowserContext]:
    with window_of(settings) as window:
        yield window


def told(world: World, number: str, who: str = "desk") -> None:
    """What a late exam tells."""
    values = {
        "day": "11月27日",
        "day_en": "Fri 27 Nov",
        "time": "09:00",
        "place": "朱家角 1 号诊室",
        "number": number,
    }
    notices_give(user_ids=[world.users[who].id], template="exam_late", context=values)


def test_a_notice_appears_in_an_open_page_and_a_dropped_socket_loses_none(
    world: World, context: BrowserContext
) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        deaf = len(sockets) == 2  # the second carries nothing but its beginning
        server.on_message(lambda text: None if deaf and "notice" in str(text) else socket.send(text))

    with beside_browser() as beside:
        beside(told, world, "E000000001")  # nobody was there to hear it
        page = context.new_page()
        sign_in_with_code(page, world, "desk")
        page.goto(
            "about:blank"
        )  # or the page after the sign-in might open its socket late, as the first of these
        page.route_web_socket("**/ws/notices/**", through)
        with page.expect_response("**/api/v1/notices"):
            page.goto("/console/requests/")
        bell = page.locator("#notice-bell")
        expect(bell.locator("summary")).to_have_text("通知 1")
        beside(told, world, "E000000002")
        beside(told, world, "E000000009", "expert")  # another's
        expect(bell.locator("summary")).to_have_text(
            "通知 2"
        )  # nothing is asked for again by time: only its word brings it
        with page.expect_response("**/api/v1/notices"):
            sockets[0].close()
        beside(told, world, "E000000003")
        with page.expect_response("**/api/v1/notices"):
            sockets[1].close()
        expect(bell.locator("summary")).to_have_text("通知 3")
        bell.locator("summary").click()
        expect(bell.locator("li")).to_have_count(3)
        expect(bell.locator("li").first).to_contain_text("E000000003")
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/bell-zh.png")
        page.goto("/console/desk/")
        expect(bell.locator("summary")).to_have_text("通知 3")  # the next page still says so
        page.locator("button[name=lang]").click()
        bell.locator("summary").click()
        expect(bell.locator("summary")).to_have_text("Notices 3")
        if folder:
            page.screenshot(path=f"{folder}/bell-en.png")
        bell.get_by_role("link", name="All notices").click()
        expect(page.locator("#content")).to_contain_text("E000000003")
        expect(bell).to_be_hidden()


def test_what_is_read_in_one_page_is_counted_in_no_other(world: World, context: BrowserContext) -> None:
    with beside_browser() as beside:
        beside(told, world, "E000000001")
        page = context.new_page()
        sign_in_with_code(page, world, "desk")
        others = [page, context.new_page()]
        for other in others:
            other.goto("/console/requests/")
            expect(other.locator("#notice-bell summary")).to_have_text("通知 1")
        reading = context.new_page()
        reading.goto("/console/account/")
        expect(reading.locator("#content")).to_contain_text("E000000001")
        for other in others:
            expect(other.locator("#notice-bell")).to_be_hidden(timeout=1000)
        beside(told, world, "E000000002")
        for other in [*others, reading]:
            expect(other.locator("#notice-bell summary")).to_have_text("通知 1", timeout=1000)
        reading.reload()
        for other in [*others, reading]:
            expect(other.locator("#notice-bell")).to_be_hidden(timeout=1000)

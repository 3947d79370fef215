"""Who hears that there is a notice: whom it is for, in every open page, while the sign-in stands."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from hospital.access.models import AccessToken
from hospital.access.principals import Principal
from hospital.access.services import ticket_issue
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND
from hospital.common.work import work_drain
from hospital.messages.services import IN_APP, message_send
from tests.factories import World, make_world
from tests.sockets.test_desk_socket import next_after_ping
from tests.sockets.test_exam_sockets import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


@pytest.fixture
async def world() -> World:
    return await sync_to_async(make_world)()


@pytest.fixture
async def opened() -> AsyncIterator[list[Page]]:
    pages: list[Page] = []
    yield pages
    for page in pages:
        await page.disconnect()


async def dial(opened: list[Page], principal: Principal) -> Page:
    ticket, _ = await sync_to_async(ticket_issue)(principal=principal)
    page = Page(f"/ws/notices/?ticket={ticket}")
    await page.connect()
    opened.append(page)
    return page


def told(world: World, who: str) -> None:
    values = {"day": "11月27日", "time": "09:00", "place": "朱家角", "number": "E000000001"}
    message_send(to=str(world.users[who].id), channel=IN_APP, template="exam_late", context=values)
    work_drain()


async def test_every_open_page_of_the_person_hears_it_and_nobody_elses(
    world: World, opened: list[Page]
) -> None:
    mine = [await dial(opened, world.principals["expert"]) for _ in range(2)]
    other = await dial(opened, world.principals["desk"])
    for page in opened:
        await page.wait_for("welcome")
    await sync_to_async(told)(world, "expert")
    for page in mine:
        assert await page.wait_for("notice") == {"type": "notice"}  # no word of what it says
    assert await next_after_ping(other) == "pong"


async def test_whose_sign_in_ended_is_told_nothing_more(world: World, opened: list[Page]) -> None:
    page = await dial(opened, world.principals["expert"])
    await page.wait_for("welcome")
    await AccessToken.objects.filter(user=world.users["expert"]).adelete()
    await sync_to_async(told)(world, "expert")
    assert await page.closed_with() == NOT_FOUND


async def test_without_a_good_ticket_nobody_hears_anything(opened: list[Page]) -> None:
    page = Page("/ws/notices/?ticket=guess")
    await page.connect()
    opened.append(page)
    assert await page.closed_with() == NOT_AUTHENTICATED


async def test_a_patients_account_has_no_notices(world: World, opened: list[Page]) -> None:
    page = await dial(opened, await sync_to_async(world.account)("13900000001"))
    assert await page.closed_with() == NOT_FOUND

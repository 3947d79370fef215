"""Who hears that there is a notice: whom it is for, in every open page, while the sign-in stands."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from hospital.access.models import AccessToken
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND
from hospital.messages.selectors import notices_of
from hospital.messages.services import notices_give
from tests.access.house import client_for
from tests.factories import World
from tests.sockets.page import Page, dial, next_after_ping

NOTICES = "/ws/notices/"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def told(world: World, who: str) -> None:
    values = {
        "day": "11月27日",
        "day_en": "Fri 27 Nov",
        "time": "09:00",
        "place": "朱家角",
        "number": "E000000001",
    }
    notices_give(user_ids=[world.users[who].id], template="exam_late", context=values)


async def test_every_open_page_of_the_person_hears_it_and_nobody_elses(
    world: World, opened: list[Page]
) -> None:
    mine = [await dial(opened, world.principals["expert"], NOTICES) for _ in range(2)]
    other = await dial(opened, world.principals["desk"], NOTICES)
    for page in opened:
        await page.wait_for("welcome")
    await sync_to_async(told)(world, "expert")
    for page in mine:
        assert await page.wait_for("notice") == {"type": "notice"}  # no word of what it says
    assert await next_after_ping(other) == "pong"


def read(world: World, who: str, ids: list[str]) -> int:
    answer = client_for(user=world.users[who]).post("/api/v1/notices/read", {"ids": ids}, format="json")
    assert answer.status_code == 200, answer.content
    return int(answer.json()["read"])


async def test_what_one_has_read_the_other_pages_hear_once_and_nobody_reads_for_another(
    world: World, opened: list[Page]
) -> None:
    await sync_to_async(told)(world, "expert")
    page = await dial(opened, world.principals["expert"], NOTICES)
    await page.wait_for("welcome")
    (notice,) = await sync_to_async(notices_of)(world.users["expert"].id)
    ids = [str(notice.id)]
    assert await sync_to_async(read)(world, "desk", ids) == 0
    assert await sync_to_async(read)(world, "expert", ids) == 1
    assert await page.wait_for("notice") == {"type": "notice"}
    assert await sync_to_async(read)(world, "expert", ids) == 0
    assert await next_after_ping(page) == "pong"


async def test_whose_sign_in_ended_is_told_nothing_more(world: World, opened: list[Page]) -> None:
    page = await dial(opened, world.principals["expert"], NOTICES)
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
    page = await dial(opened, await sync_to_async(world.account)("13900000001"), NOTICES)
    assert await page.closed_with() == NOT_FOUND

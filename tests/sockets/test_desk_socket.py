"""Two desks see each other's changes: who hears that something on the board is another, and who does not."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from hospital.access.models import Membership
from hospital.audit.models import AuditEntry
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND
from teleconsult import live, services
from tests.factories import World
from tests.sockets.page import Page, dial, next_after_ping

DESK = "/ws/desk/"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def desk(opened: list[Page], world: World, who: str = "desk") -> Page:
    page = await dial(opened, world.principals[who], DESK)
    await page.wait_for("welcome")
    return page


async def test_booking_moving_and_cancelling_are_heard_at_every_desk_of_the_hospital(
    world: World, opened: list[Page]
) -> None:
    pages = [await desk(opened, world) for _ in range(2)]
    principal = world.principals["desk"]
    exam = await sync_to_async(world.book)()
    for page in pages:
        assert await page.wait_for("changed") == {"type": "changed", "exam_id": str(exam.id)}
    await sync_to_async(services.exam_move)(
        principal=principal, exam_id=exam.id, starts_at=world.tomorrow(60)
    )
    await sync_to_async(services.exam_cancel)(principal=principal, exam_id=exam.id, reason="x")
    for page in pages:
        for _ in range(2):
            assert (await page.wait_for("changed"))["exam_id"] == str(exam.id)


async def test_a_kept_time_and_a_page_that_joins_are_heard_too(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    page = await desk(opened, world)
    kept = world.booking(starts_at=world.tomorrow(90))
    for name in ("patient_id", "clinical_question", "history"):
        del kept[name]
    await sync_to_async(services.exam_hold)(principal=world.principals["desk"], **kept)
    assert (await page.wait_for("changed"))["exam_id"] is None
    await sync_to_async(live.page_joined)(
        principal=world.principals["bedside"], exam_id=exam.id, role="bedside", peer_id="p"
    )
    assert (await page.wait_for("changed"))["exam_id"] == str(exam.id)


async def test_what_was_rolled_back_is_not_news(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    page = await desk(opened, world)
    other = await sync_to_async(world.book)(starts_at=world.tomorrow(60))
    assert (await page.wait_for("changed"))["exam_id"] == str(other.id)
    with pytest.raises(Exception, match="taken"):
        await sync_to_async(services.exam_move)(
            principal=world.principals["desk"], exam_id=other.id, starts_at=exam.starts_at
        )
    assert await next_after_ping(page) == "pong"


async def test_another_hospitals_desk_hears_nothing(world: World, opened: list[Page]) -> None:
    here, there = await desk(opened, world), await desk(opened, world, "other_desk")
    await sync_to_async(world.book)()
    await here.wait_for("changed")
    assert await next_after_ping(there) == "pong"  # the next word is the answer: nothing came before it


async def test_who_lost_the_role_meanwhile_is_told_nothing_more(world: World, opened: list[Page]) -> None:
    page = await desk(opened, world)
    await Membership.objects.filter(user=world.users["desk"]).aupdate(role="bedside_physician")
    await sync_to_async(world.book)()
    assert await page.closed_with() == NOT_FOUND


@pytest.mark.parametrize("who", ["bedside", "expert", "admin"])
async def test_who_does_not_work_at_a_desk_is_not_let_in_and_that_is_on_record(
    world: World, opened: list[Page], who: str
) -> None:
    page = await dial(opened, world.principals[who], DESK)
    assert await page.closed_with() == NOT_FOUND
    entry = await sync_to_async(AuditEntry.objects.latest)("seq")
    assert (entry.action, entry.outcome, entry.reason) == ("desk.socket", "refused", "not_permitted")


async def test_without_a_good_ticket_nobody_hears_anything(world: World, opened: list[Page]) -> None:
    page = Page("/ws/desk/?ticket=guess")
    await page.connect()
    assert await page.closed_with() == NOT_AUTHENTICATED
    await asyncio.wait_for(page.disconnect(), 5)

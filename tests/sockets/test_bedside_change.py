"""A change of person at the bedside of a live exam, as the sockets see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from rest_framework.test import APIClient

from hospital.access import selectors, tablets
from hospital.access.principals import Principal
from teleconsult.models import Presence
from tests.factories import World
from tests.tablet import PIN, SoftTablet

from .page import Page, open_page
from .test_exam_sockets import state_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
GONE = 4404


def paired(world: World) -> SoftTablet:
    tablet = SoftTablet()
    tablet.pair(world)
    for who in ("bedside", "bedside2"):
        tablet.opened_by(world.principals[who])
    return tablet


def changed(world: World, tablet: SoftTablet, who: str, exam_id: Any) -> Principal:
    user = world.users[who]
    body = tablet.body("change", user.id, user_id=str(user.id), pin=PIN, exam_id=str(exam_id))
    answer = APIClient(HTTP_HOST="localhost").post(f"/api/v1/tablets/{tablet.id}/change", body, format="json")
    assert answer.status_code == 200, answer.content
    found = selectors.principal_of_token_id(tablet.seated(user.id).id)
    assert found is not None
    return found


async def said(page: Page, kind: str) -> dict[str, Any]:
    return await page.wait_for(kind)


async def test_the_one_before_is_shown_nothing_more_the_expert_is_told_and_the_exam_stays_live(
    world: World,
    opened: list[Page],
) -> None:
    exam = await sync_to_async(world.live)()
    tablet = await sync_to_async(paired)(world)
    first = await sync_to_async(changed)(world, tablet, "bedside", exam.id)
    console = await open_page(opened, world.principals["expert"], exam.id, "console")
    before = await open_page(opened, first, exam.id, "bedside")
    await said(console, "welcome")
    await said(before, "welcome")
    was = await state_of(exam)

    second = await sync_to_async(changed)(world, tablet, "bedside2", exam.id)
    told = await said(console, "bedside_changed")
    assert (told["from"], told["to"]) == ("李建国", "徐芳")
    assert await before.closed_with() == GONE

    after = await open_page(opened, second, exam.id, "bedside")
    welcome = await said(after, "welcome")
    assert welcome["exam"]["bedside_physician"]["name"] == "徐芳"
    assert json.dumps(welcome["exam"]["hand_overs"], ensure_ascii=False).count("徐芳") == 1
    presence = await Presence.objects.aget(exam=exam, role="bedside")
    assert presence.user_id == world.users["bedside2"].id
    assert await state_of(exam) == was


async def test_a_withdrawn_tablets_socket_closes(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.live)()
    tablet = await sync_to_async(paired)(world)
    person = await sync_to_async(changed)(world, tablet, "bedside", exam.id)
    page = await open_page(opened, person, exam.id, "bedside")
    await said(page, "welcome")
    await sync_to_async(tablets.tablet_revoke)(principal=world.principals["desk"], tablet_id=tablet.id)
    assert await page.closed_with() == GONE

"""Who was let in to an exam's socket and who was not, in the log."""

from __future__ import annotations

import uuid

import pytest
from asgiref.sync import sync_to_async

from hospital.audit.models import AuditEntry
from tests.factories import World

from .page import Page, open_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def entry() -> AuditEntry:
    return await sync_to_async(
        lambda: AuditEntry.objects.filter(action="exam.console_socket").latest("seq")
    )()


async def test_what_a_joined_page_is_shown_is_a_read(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.ready)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.wait_for("welcome")
    found = await entry()
    assert (found.outcome, found.actor_id, found.object_id) == ("read", world.users["expert"].id, exam.id)
    assert found.patient_ids == [world.patient.id]


async def test_a_stranger_and_a_wrong_ticket_are_refused_on_record(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.ready)()
    page = await open_page(opened, world.principals["other_expert"], exam.id, "console")
    assert await page.closed_with() == 4404
    found = await entry()
    assert (found.outcome, found.actor_id, found.reason) == (
        "refused",
        world.users["other_expert"].id,
        "not_found",
    )
    nobody = Page(f"/ws/exams/{uuid.uuid4()}/console/?ticket=wrong")
    await nobody.connect()
    opened.append(nobody)
    assert await nobody.closed_with() == 4401
    found = await entry()
    assert (found.actor_kind, found.outcome, found.reason) == ("nobody", "refused", "ticket_invalid")

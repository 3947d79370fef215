"""Each socket and each of its messages, by each role of two hospitals: let in where the row says, else nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from hospital.access.models import AccessToken, Membership, PatientAccount, Role, User
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_token_id
from hospital.access.services import ticket_issue, token_issue
from hospital.access.table import ACTIONS, DELEGATE, PATIENT, PEER, ROBOT, allowed
from hospital.common.clock import now
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND, JsonSocket
from tests.access.house import contents, socket_classes
from tests.factories import World
from tests.sockets.page import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def of_kind(kind: Literal["patient", "robot", "peer"]) -> Principal:
    return Principal(kind=kind, id=uuid4(), name="", memberships=(), token_id=None)


def member(world: World, role: str, place: str) -> Principal:
    user = User.objects.create(
        username=f"{place}-{role}", name="路人", password="!", totp_secret="JBSWY3DPEHPK3PXP"
    )
    Membership.objects.create(user=user, institution=world.places[place], role=role)
    row = AccessToken.objects.create(
        digest=user.id.bytes * 2, user=user, expires_at=now() + timedelta(days=365)
    )
    found = principal_of_token_id(row.id)
    assert found is not None
    return found


async def answer_to(socket: type[JsonSocket], principal: Principal, kind: str) -> str | None:
    """The code with which one message without fields is refused, for an exam that does not exist."""
    refused: list[str] = []
    end: Any = socket()
    end.principal, end.exam_id, end.robot_id, end.peer_id, end.connection_id = (
        principal, uuid4(), uuid4(), uuid4().hex, uuid4().hex,
    )  # fmt: skip
    end.channel_layer = get_channel_layer()

    async def refuse(code: str, **fields: Any) -> None:
        refused.append(code)

    async def tell(kind: str, /, **fields: Any) -> None:
        pass

    end.refuse, end.tell = refuse, tell
    await end.on_message({"type": kind})
    return refused[0] if refused else None


@pytest.mark.parametrize("socket", socket_classes(), ids=lambda found: found.__name__)
async def test_a_message_is_heard_from_the_roles_of_its_row_and_from_nobody_else(
    world: World, socket: type[JsonSocket]
) -> None:
    who = [await sync_to_async(member)(world, role, "home") for role in Role.values]
    who += [of_kind("patient"), of_kind("robot"), of_kind("peer")]
    assert {PATIENT, DELEGATE, ROBOT, PEER}  # every kind of principal is among them
    before = await sync_to_async(contents)()
    heard = 0
    for principal in who:
        for kind in socket.hears():
            permitted = allowed(principal, f"{socket.door}.{kind}")
            code = await answer_to(socket, principal, kind)
            assert (code == "not_permitted") is not permitted, (principal.kind, principal.roles, kind, code)
            heard += permitted
    assert heard == sum(len(ACTIONS[f"{socket.door}.{kind}"]) for kind in socket.hears())
    assert await sync_to_async(contents)() == before


@pytest.mark.parametrize("place", ["home", "other"])
async def test_nobody_without_a_part_joins_and_absent_exams_close_alike(world: World, place: str) -> None:
    """Every staff role of the exam's own and of another hospital, and a patient: a code, no word, no change."""
    exam = await sync_to_async(world.book)()
    people = [await sync_to_async(member)(world, role, place) for role in Role.values]
    before = await sync_to_async(contents)()
    for principal in people:
        for role in ("console", "bedside"):
            codes = []
            for exam_id in (exam.id, uuid4()):
                ticket, _ = await sync_to_async(ticket_issue)(principal=principal)
                page = Page(f"/ws/exams/{exam_id}/{role}/?ticket={ticket}")
                await page.connect()
                frame = await page.receive_output(5)
                assert frame["type"] == "websocket.close", frame
                codes.append(frame["code"])
                await page.disconnect()
            assert codes == [NOT_FOUND, NOT_FOUND], (principal.roles, role)
    assert await sync_to_async(contents)() == before


async def test_a_patients_token_opens_no_socket_of_the_staff(world: World) -> None:
    exam = await sync_to_async(world.book)()
    account = await sync_to_async(world.account)()
    row = await sync_to_async(PatientAccount.objects.get)(id=account.id)
    token, _ = await sync_to_async(token_issue)(life=now() - now().replace(microsecond=0), account=row)
    for url in (f"/ws/exams/{exam.id}/console/?ticket={token}", "/ws/robot/"):
        page = Page(url, headers=[(b"authorization", f"Robot {token}".encode())])
        await page.connect()
        assert await page.closed_with() == NOT_AUTHENTICATED
        await page.disconnect()


@pytest.mark.parametrize("lost", ["role", "account"])
async def test_an_open_page_ends_when_its_person_loses_the_role(world: World, lost: str) -> None:
    """Withdrawn rights act on an open socket too: it closes, and control ends with it."""
    exam = await sync_to_async(world.live)()
    ticket, _ = await sync_to_async(ticket_issue)(principal=world.principals["expert"])
    page = Page(f"/ws/exams/{exam.id}/console/?ticket={ticket}")
    await page.connect()
    await page.wait_for("welcome")
    user = world.users["expert"]
    if lost == "role":
        await Membership.objects.filter(user=user).aupdate(role="assistant")
    else:
        await User.objects.filter(id=user.id).aupdate(is_active=False)
    assert await page.closed_with() == NOT_FOUND
    await page.disconnect()
    await exam.arefresh_from_db()
    assert exam.state == "paused"

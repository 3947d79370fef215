"""A question prebuilt for a form of caller reaches, for each caller of it, what the permission table says of this one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import QuerySet

from devices.fleet.models import Robot
from hospital.access.models import Role
from hospital.access.principals import NOBODY, SYSTEM, Principal, Seat
from hospital.access.reach import reached
from hospital.access.scopes import within
from hospital.access.table import ACTIONS, BREAK_GLASS
from hospital.common.prebuilt import Value
from hospital.people import break_glass
from hospital.people.models import Patient
from teleconsult.models import Exam
from tests.access.test_scopes import KINDS, OTHERWISE
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
MODELS: dict[str, type[Any]] = {"exam": Exam, "patient": Patient, "robot": Robot}


def _rows(principal: Principal, action: str, kind: str, *, moment: Value) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[kind].objects.filter(within(principal, action, kind, moment=moment))
    return rows.order_by("id").distinct()


@pytest.fixture
def world() -> World:
    found = make_world()
    found.book()
    return found


def asked_about() -> list[tuple[str, str]]:
    """(action, kind) of every row of the table that is about exams, patients or robots."""
    kinds = {action: next((KINDS[one] for one in KINDS if action.startswith(one)), "") for action in ACTIONS}
    found = [(action, kind) for action, kind in kinds.items() if kind in MODELS and action not in OTHERWISE]
    return [*found, ("exam.book", "patient"), ("exam.book", "robot")]


def callers(world: World, role: str) -> list[Principal]:
    """Two of one form, of whom one has a part in something here; on a tablet and off it."""
    staff = role in Role.values or role == BREAK_GLASS
    kind: Any = "staff" if staff else "patient" if role == "delegate" else role
    account = world.account()
    mine = {"patient": account.id, "robot": world.robot.id}.get(kind, world.users["bedside"].id)
    mine = world.users["expert"].id if role == Role.REMOTE_PHYSICIAN.value else mine
    found = []
    for who, place in ((mine, "home"), (world.patient.id, "other")):
        held = ((world.places[place].id, role), (world.places["expert"].id, role)) if staff else ()
        seat = Seat(
            tablet_id=world.room.id,
            institution_id=world.places[place].id,
            room_id=world.room.id,
            bedside_only=True,
        )
        for where in (None, seat) if staff else (None,):
            found.append(Principal(kind=kind, id=who, name="", memberships=held, token_id=None, seat=where))
    return found


def test_every_action_reaches_the_same_rows_prebuilt_or_not(world: World) -> None:
    asked, met = reached(_rows), 0
    for action, kind in asked_about():
        for role in ACTIONS[action]:
            for who in callers(world, role):
                plain = list(_rows(who, action, kind, moment=None))
                assert asked(who, action, kind) == plain, (action, kind, who)
                met += len(plain)
    assert met > 50  # not the same emptiness everywhere


def test_nobody_and_the_system_are_forms_of_their_own(world: World) -> None:
    asked = reached(_rows)
    assert asked(SYSTEM, "exam.read", "exam") == list(Exam.objects.all())
    assert asked(NOBODY, "exam.read", "exam") == []


def test_an_opened_record_is_read_by_who_opened_it_and_not_by_the_next_of_the_same_form(world: World) -> None:
    asked, role = reached(_rows), Role.NURSE.value
    first, second = (
        Principal(
            kind="staff", id=user.id, name="", memberships=((world.places["other"].id, role),), token_id=None
        )
        for user in list(world.users.values())[:2]
    )
    assert asked(first, "exam.read", "exam") == []
    break_glass.BreakGlass.objects.create(
        patient=world.patient,
        user_id=first.id,
        institution_id=world.places["other"].id,
        reason="昏迷，需要既往资料",
        ends_at=break_glass.now() + break_glass.OPEN_FOR,
    )
    assert len(asked(first, "exam.read", "exam")) == 1
    assert asked(second, "exam.read", "exam") == []


def test_another_institutions_key_is_asked_for_as_it_stands(world: World) -> None:
    """Its scope reads the key itself, so it is built each time."""
    asked = reached(_rows)
    key = Principal(kind="peer", id=world.patient.id, name="", memberships=(), token_id=None)
    assert asked(key, "exam.read", "exam") == []
    assert not asked.prebuilt.shapes

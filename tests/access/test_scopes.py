"""The table's scopes: misspelt names raise, and every row reaches exactly the rows of its scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hospital.access.models import Membership, Role, User
from hospital.access.principals import NOBODY, SYSTEM, Principal
from hospital.access.scopes import scope_register, within
from hospital.access.selectors import principal_of_user
from hospital.access.table import (
    ACTIONS,
    BREAK_GLASS,
    NONE,
    UnknownAction,
    UnknownScope,
    allowed,
    places,
    row_of,
    table_checked,
)
from hospital.common.clock import now, today
from hospital.common.errors import NotFound
from hospital.people.models import Agreement
from teleconsult import selectors
from teleconsult.models import Exam, ExamTransition
from teleconsult.scopes import CARE_GRACE
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
# Which table's rows an action is about, by the beginning of its name.
KINDS = {"exam.": "exam", "report.": "exam", "image.": "exam", "measurement.": "exam", "view.": "exam", "console_socket.": "exam",
         "bedside_socket.": "exam", "patient.": "patient", "me.accesses": "patient", "me.exams": "exam",
         "break_glass.review": "break_glass", "robot.upload": "exam", "robot.list": "robot",
         "robot.pair_code": "robot", "page.desk": "exam", "page.bedside": "exam", "page.my_day": "exam",
         "page.exam_console": "exam", "page.exam_bedside": "exam", "page.report": "exam"}  # fmt: skip
OTHERWISE = ("exam.book",)  # about patients and robots, tested below


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.mark.parametrize("asks", [allowed, places, lambda who, action: within(who, action, "exam")])
def test_a_misspelt_action_raises_for_everybody(asks: Any) -> None:
    for who in (SYSTEM, NOBODY):
        with pytest.raises(UnknownAction):
            asks(who, "exam.raed")


@pytest.mark.parametrize("row", [{"scheduler": "institutoin"}, {"shceduler": "institution"}])
def test_a_misspelt_role_or_scope_raises_when_the_table_is_read(row: dict[str, str]) -> None:
    with pytest.raises(UnknownScope):
        table_checked({"exam.read": row})


def test_a_scope_that_says_nothing_about_these_rows_raises(world: World) -> None:
    with pytest.raises(UnknownScope):
        within(world.principals["desk"], "exam.read", "robots")
    with pytest.raises(UnknownScope):
        scope_register("exam", "owned", lambda asked: within(SYSTEM, "exam.read", "exam"))


def test_every_scope_of_every_row_has_a_meaning(world: World) -> None:
    """Asked with each role of each row: a row whose scope nobody resolves would raise here."""
    for action, row in ACTIONS.items():
        kind = next((KINDS[start] for start in KINDS if action.startswith(start)), None)
        if kind is None or set(row.values()) == {NONE} or action in OTHERWISE:
            continue
        for role in row:
            staff = role in Role.values or role == BREAK_GLASS
            memberships = ((world.places["home"].id, role),) if staff else ()
            who = Principal(
                kind="staff" if staff else "patient" if role == "delegate" else role,  # type: ignore[arg-type]
                id=world.patient.id,
                name="",
                memberships=memberships,
                token_id=None,
            )
            within(who, action, kind)


def test_who_has_no_row_reaches_nothing_and_the_system_everything(world: World) -> None:
    exam = world.book()
    assert list(Exam.objects.filter(within(SYSTEM, "exam.start", "exam"))) == [exam]
    for who in (NOBODY, world.principals["admin"], world.account()):
        assert not Exam.objects.filter(within(who, "exam.start", "exam")).exists()


def test_a_role_reaches_only_as_far_as_its_own_scope(world: World) -> None:
    """A scheduler elsewhere who is also this exam's expert does not become a desk of this hospital."""
    exam = world.book()
    user = world.users["expert"]
    Membership.objects.create(user=user, institution=world.places["other"], role="scheduler")
    both = principal_of_user(user)
    assert selectors.reaches(both, "exam.read", exam.id)
    assert selectors.reaches(both, "exam.start", exam.id)
    assert not selectors.reaches(both, "exam.move", exam.id)


def test_an_administrators_robots_are_those_where_the_role_is_held(world: World) -> None:
    """Another role at the robot's hospital does not lend it to an administrator of a third one."""
    from devices.fleet.selectors import robot_within

    user = User.objects.create(username="two", name="两处", password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places["other"], role="system_admin")
    Membership.objects.create(user=user, institution=world.places["home"], role="nurse")
    with pytest.raises(NotFound):
        robot_within(principal_of_user(user), "robot.pair_code", world.robot.id)
    assert robot_within(world.principals["admin"], "robot.pair_code", world.robot.id) == world.robot


def sees(world: World, exam: Exam) -> bool:
    return selectors.reaches(world.principals["expert"], "exam.read", exam.id)


def test_the_care_relation_ends_a_grace_after_the_exam_is_over(world: World) -> None:
    exam = world.ended()
    ExamTransition.objects.create(
        exam=exam, command="report", before="ended", after="reported", by_id=exam.id, by_kind="staff",
        at=now() - CARE_GRACE + timedelta(hours=1),
    )  # fmt: skip
    assert sees(world, exam)
    ExamTransition.objects.filter(after="reported").update(at=now() - CARE_GRACE - timedelta(seconds=1))
    assert not sees(world, exam)
    assert selectors.reaches(world.principals["desk"], "exam.read", exam.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_to": today()},
        {"valid_from": today() + timedelta(days=5)},
        {"services": ["remote_consultation"]},
        {"signed_by_invited_at": None},
    ],
)
def test_without_an_agreement_for_its_day_an_exam_shows_the_expert_nothing(
    world: World, changes: dict[str, Any]
) -> None:
    exam = world.book(starts_at=world.tomorrow(24 * 60))
    assert sees(world, exam)
    Agreement.objects.update(
        **changes | ({"valid_to": today() + timedelta(days=9)} if "valid_from" in changes else {})
    )
    assert not sees(world, exam)


def test_an_agreement_ended_before_the_exam_ends_the_relation_and_one_ended_after_it_does_not(
    world: World,
) -> None:
    exam = world.book()
    Agreement.objects.update(ended_at=exam.starts_at + timedelta(minutes=5))
    assert sees(world, exam)
    Agreement.objects.update(ended_at=exam.starts_at - timedelta(minutes=5))
    assert not sees(world, exam)


@pytest.mark.parametrize("deed", ["patient.consent", "exam.consent"])
def test_whoever_takes_a_consent_can_read_its_text_out(deed: str) -> None:
    assert set(row_of(deed)) - {"patient", "delegate"} <= set(row_of("consent_text.read"))

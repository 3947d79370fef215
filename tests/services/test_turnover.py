"""Between two exams: who did what with what; without it the next exam on that robot does not become ready."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from devices.fleet.models import Robot
from hospital.access import selectors as access
from hospital.access.models import AccessToken, Membership, User
from hospital.access.principals import Principal
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Conflict, DomainError, Invalid, NotFound
from hospital.scheduling.models import Resource
from teleconsult import board, preflight, selectors, services, turnover
from teleconsult.board_views import board_json
from teleconsult.models import Exam, Turnover, TurnoverTick
from teleconsult.representations import exam_json
from teleconsult.turnover_rules import CODES, ITEMS
from teleconsult.turnover_views import turnover_json
from tests.factories import World, make_world
from tests.services.test_queue import patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def nurse(world: World) -> Principal:
    user = User.objects.create(username="nurse", name="何敏", password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places["home"], role="nurse")
    row = AccessToken.objects.create(
        digest=user.id.bytes * 2, user=user, expires_at=now() + timedelta(hours=1)
    )
    return access.principal_of_user(user, row.id)


def refused(code: str, error: type[DomainError] = Conflict) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(error, check=lambda found: found.code == code)


def prepared(world: World, **changes: Any) -> Exam:
    """Everything is done for another patient's exam but the turnover before it."""
    exam = world.book(starts_at=world.tomorrow(60), patient_id=patient(world, 0).id, **changes)
    services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    world.robot_online()
    for who in ("bedside", "expert"):
        world.identify(exam, who)
    world.checklist(exam)
    world.consent(exam)
    world.self_test_passed(exam)
    for role in ("console", "bedside"):
        world.present(exam, role)
    world.link_good(exam)
    return exam


def ready(world: World, exam: Exam) -> Exam:
    return services.exam_ready(principal=world.principals["bedside"], exam_id=exam.id)


def sign(by: Principal, row: Turnover, item: str) -> Turnover:
    means = "quat_wipe" if item == "probe_disinfected" else ""
    return services.turnover_sign(principal=by, turnover_id=row.id, item=item, means=means)


def test_the_first_patient_of_a_robot_waits_for_nothing(world: World) -> None:
    assert ready(world, prepared(world)).state == "ready"


def test_the_next_exam_is_not_ready_until_each_item_is_signed(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    exam = prepared(world)
    for number, item in enumerate(CODES):
        with refused("turnover_open") as caught:
            ready(world, exam)
        named = caught.value.data["turnover"]
        assert [one["code"] for one in named] == list(CODES[number:])
        assert named[0]["name"] and named[0]["name_en"]
        sign(nurse, row, item)
    assert ready(world, exam).state == "ready"
    assert {tick.by.name for tick in row.ticks.all()} == {"何敏"}


def test_an_emergency_waits_for_a_clean_probe_too(world: World) -> None:
    world.ended()
    exam = prepared(world)
    Exam.objects.filter(id=exam.id).update(priority="stat")
    with refused("turnover_open"):
        ready(world, exam)


def test_an_exam_that_never_touched_a_patient_leaves_nothing_to_do(world: World) -> None:
    before = world.ready()
    services.exam_abort(
        principal=world.principals["bedside"], exam_id=before.id, code="other", reason="患者离开"
    )
    assert not Turnover.objects.exists()
    assert ready(world, prepared(world)).state == "ready"


def test_an_aborted_exam_leaves_as_much_to_do_as_one_that_ended(world: World) -> None:
    before = world.live()
    services.exam_abort(
        principal=world.principals["bedside"], exam_id=before.id, code="pain", reason="患者疼痛"
    )
    with refused("turnover_open"):
        ready(world, prepared(world))


@pytest.mark.parametrize("command", ["end", "abort"])
def test_an_exam_that_began_before_turnovers_were_known_owes_one_when_it_is_over(
    world: World, nurse: Principal, command: str
) -> None:
    before, physician = world.live(), world.principals["bedside"]
    Turnover.objects.all().delete()  # as an older version left it
    if command == "end":
        services.exam_end(principal=world.principals["expert"], exam_id=before.id)
    else:
        services.exam_abort(principal=physician, exam_id=before.id, code="pain", reason="患者疼痛")
    exam, row = prepared(world), Turnover.objects.get(exam=before)
    assert row.begun_at == before.started_at
    with refused("turnover_open"):
        ready(world, exam)
    for item in CODES:
        sign(nurse, row, item)
    assert ready(world, exam).state == "ready"


def test_a_new_exam_on_another_robot_in_the_same_room_owes_only_the_couch(world: World) -> None:
    before = world.ended()
    machine = Resource.objects.create(kind="robot", institution=world.places["home"], name="机器人二")
    other = Robot.objects.create(
        resource=machine, institution=world.places["home"], name="机器人二",
        calibration_due_on=world.robot.calibration_due_on, maintenance_due_on=world.robot.maintenance_due_on,
    )  # fmt: skip
    exam = world.book(starts_at=world.tomorrow(60), robot_id=other.id, patient_id=patient(world, 0).id)
    owed = turnover.owed_before(selectors.exam_get(world.principals["desk"], exam.id))
    assert [(row.turnover.exam_id, [item.code for item in row.items]) for row in owed] == [
        (before.id, ["paper_changed"])
    ]


def test_a_new_exam_on_the_same_robot_in_another_room_owes_all_but_the_couch(world: World) -> None:
    world.ended()
    exam = world.book(starts_at=world.tomorrow(60), room_id=world.room2.id, patient_id=patient(world, 0).id)
    owed = turnover.owed_before(exam)
    assert {item.code for row in owed for item in row.items} == set(CODES) - {"paper_changed"}


def test_nothing_is_signed_while_the_patient_is_scanned(world: World, nurse: Principal) -> None:
    row = world.live().turnover
    with refused("turnover_not_due"):
        sign(nurse, row, "paper_changed")
    assert not TurnoverTick.objects.exists()


def test_a_probe_is_signed_with_what_it_was_disinfected_and_nothing_else_is(
    world: World, nurse: Principal
) -> None:
    row = world.ended().turnover
    for item, means in (
        ("probe_disinfected", ""),
        ("probe_disinfected", "water"),
        ("arm_wiped", "quat_wipe"),
    ):
        with refused("turnover_means", Invalid):
            services.turnover_sign(principal=nurse, turnover_id=row.id, item=item, means=means)
    done = services.turnover_sign(
        principal=nurse, turnover_id=row.id, item="probe_disinfected", means="peroxide_wipe"
    )
    shown = next(one for one in turnover_json(done)["items"] if one["code"] == "probe_disinfected")
    assert shown["done"] and shown["ticks"][0]["means"]["name_en"] == "Hydrogen peroxide wipe"


def test_what_was_signed_wrongly_is_taken_back_by_a_further_row(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    for item in CODES:
        sign(nurse, row, item)
    exam = ready(world, prepared(world))
    desk = world.principals["desk"]
    services.turnover_take_back(principal=desk, turnover_id=row.id, item="arm_wiped", reason="看错了房间")
    assert [(tick.step, tick.done) for tick in row.ticks.filter(item="arm_wiped").order_by("step")] == [
        (1, True),
        (2, False),
    ]
    with refused("turnover_open"):
        services.exam_start(principal=world.principals["expert"], exam_id=exam.id)
    sign(desk, row, "arm_wiped")
    assert "turnover_open" not in {
        gate.code for gate in selectors.gates(selectors.exam_get(desk, exam.id)) if not gate.ok
    }
    log = AuditEntry.objects.filter(object_kind="turnover").order_by("seq").values_list("action", flat=True)
    assert list(log)[-2:] == ["turnover.take_back", "turnover.sign"]


def test_a_taking_back_says_why_and_needs_something_to_take_back(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    with refused("turnover_not_signed"):
        services.turnover_take_back(principal=nurse, turnover_id=row.id, item="arm_wiped", reason="x")
    sign(nurse, row, "arm_wiped")
    with refused("reason_required", Invalid):
        services.turnover_take_back(principal=nurse, turnover_id=row.id, item="arm_wiped", reason="  ")


def test_the_database_keeps_a_signature_as_it_was(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    sign(nurse, row, "arm_wiped")
    with pytest.raises(DatabaseError, match="further row"), transaction.atomic():
        TurnoverTick.objects.update(by=world.users["desk"])


def test_what_has_been_begun_is_not_stopped_by_a_later_correction(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    for item in CODES:
        sign(nurse, row, item)
    exam = ready(world, prepared(world))
    services.lease_take(principal=world.principals["expert"], exam_id=exam.id)
    services.exam_start(principal=world.principals["expert"], exam_id=exam.id)
    services.turnover_take_back(principal=nurse, turnover_id=row.id, item="arm_wiped", reason="看错了")
    services.exam_pause(principal=world.principals["bedside"], exam_id=exam.id, reason="")
    assert services.exam_resume(principal=world.principals["expert"], exam_id=exam.id).state == "live"


def test_another_hospital_neither_sees_nor_signs(world: World) -> None:
    row = world.ended().turnover
    other = world.principals["other_desk"]
    assert turnover.standing(other) == []
    with pytest.raises(NotFound):
        sign(other, row, "arm_wiped")


def test_the_board_names_the_robot_whose_turnover_is_open_and_preflight_alarms(
    world: World, nurse: Principal
) -> None:
    before = world.ended()
    desk = world.principals["desk"]
    exam = world.book(starts_at=world.tomorrow(60), patient_id=patient(world, 0).id)
    assert preflight.facts(exam).turnover_open
    shown = board_json(board.look(desk), desk)["turnovers"]
    assert [(row["robot"]["id"], row["open"]) for row in shown] == [(str(world.robot.id), list(CODES))]
    assert str(before.id) not in str(shown)
    for item in CODES:
        sign(nurse, before.turnover, item)
    assert not preflight.facts(exam).turnover_open
    assert [row["open"] for row in board_json(board.look(desk), desk)["turnovers"]] == [[]]


def test_an_exam_that_waits_shows_what_it_waits_for(world: World, nurse: Principal) -> None:
    row = world.ended().turnover
    sign(nurse, row, "gel_refilled")
    exam = world.book(starts_at=world.tomorrow(60), patient_id=patient(world, 0).id)
    shown = exam_json(exam, world.principals["bedside"])["turnover"]
    assert [one["id"] for one in shown] == [str(row.id)]
    assert shown[0]["open"] == [item.code for item in ITEMS if item.code != "gel_refilled"]

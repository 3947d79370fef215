from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from devices.fleet.models import ControlLease, Robot
from hospital.access.models import Institution
from hospital.audit.models import AuditEntry
from hospital.common.clock import now, today
from hospital.common.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from hospital.people.models import Agreement, Consent, Practitioner, Privilege, Registration
from hospital.scheduling.models import Appointment, Reservation
from teleconsult import live, selectors, services
from teleconsult.models import Exam, ExamTransition, LinkQuality, Presence
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def refused(code: str, error: type[DomainError] = Conflict) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(error, check=lambda found: found.code == code)


def test_a_booking_reserves_two_people_the_robot_and_the_room_for_one_time(world: World) -> None:
    exam = world.book()
    rows = Reservation.objects.filter(appointment=exam.appointment, status="booked")
    assert {row.resource.kind for row in rows} == {"person", "robot", "room"}
    assert rows.count() == 4
    assert {(row.period.lower, row.period.upper) for row in rows} == {(exam.starts_at, exam.ends_at)}


def test_everything_that_is_taken_is_named_and_nothing_is_written(world: World) -> None:
    world.book()
    with pytest.raises(Conflict) as caught:
        world.book(room_id=world.room2.id, starts_at=world.tomorrow(10))
    assert caught.value.code == "taken"
    assert sorted(row["kind"] for row in caught.value.data["taken"]) == ["person", "person", "robot"]
    assert Exam.objects.count() == Appointment.objects.count() == 1


def test_back_to_back_is_not_a_conflict(world: World) -> None:
    world.book()
    assert world.book(starts_at=world.tomorrow(20)).state == "booked"


def test_an_exam_without_an_agreement_on_its_day_cannot_be_booked(world: World) -> None:
    Agreement.objects.update(valid_to=today())
    with refused("agreement_missing"):
        world.book(starts_at=now() + timedelta(days=3))
    assert not Exam.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"remote_physician_id": "bedside"}, "same_person"),
        ({"remote_physician_id": "bedside2"}, "wrong_role"),
        ({"bedside_physician_id": "expert2"}, "wrong_role"),
        ({"exam_type": "heart"}, "unknown_exam_type"),
        ({"starts_at": now() - timedelta(hours=1)}, "in_the_past"),
    ],
)
def test_a_booking_that_cannot_be_right_has_its_own_answer(
    world: World, changes: dict[str, Any], code: str
) -> None:
    named = {key: world.users[value].id if value in world.users else value for key, value in changes.items()}
    with refused(code, Invalid):
        world.book(**named)


def test_a_room_of_another_hospital_is_refused(world: World) -> None:
    world.room.institution = world.places["other"]
    world.room.save()
    with refused("unknown_resource", Invalid):
        world.book()


def test_a_desk_of_another_hospital_finds_neither_patient_nor_robot(world: World) -> None:
    with pytest.raises(NotFound):
        services.exam_book(principal=world.principals["other_desk"], **world.booking())


def test_a_refused_move_keeps_the_old_time(world: World) -> None:
    first, second = world.book(), world.book(starts_at=world.tomorrow(60))
    with refused("taken"):
        services.exam_move(principal=world.principals["desk"], exam_id=second.id, starts_at=first.starts_at)
    second.refresh_from_db()
    assert second.starts_at == world.tomorrow(60)
    kept = Reservation.objects.filter(appointment=second.appointment, status="booked")
    assert {row.period.lower for row in kept} == {second.starts_at}
    assert kept.count() == 4


def test_a_move_frees_the_old_time_and_keeps_the_length(world: World) -> None:
    exam = world.book()
    moved = services.exam_move(
        principal=world.principals["desk"], exam_id=exam.id, starts_at=world.tomorrow(5)
    )
    assert moved.ends_at - moved.starts_at == timedelta(minutes=20)
    assert world.book(starts_at=world.tomorrow(25)).state == "booked"


def test_a_cancelled_exam_frees_its_time_at_once_and_keeps_the_reason(world: World) -> None:
    exam = world.book()
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="病人要求")
    exam.refresh_from_db()
    assert (exam.state, exam.end_reason) == ("cancelled", "病人要求")
    assert world.book().state == "booked"


def test_a_cancellation_without_a_reason_is_refused(world: World) -> None:
    exam = world.book()
    with refused("reason_required", Invalid):
        services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="  ")


def test_nobody_is_a_no_show_before_their_time(world: World) -> None:
    exam = world.book()
    with refused("not_due_yet"):
        services.exam_no_show(principal=world.principals["desk"], exam_id=exam.id)
    exam.refresh_from_db()
    assert exam.state == "booked"


def test_a_no_show_frees_the_robot(world: World) -> None:
    exam = world.book()
    Exam.objects.filter(id=exam.id).update(starts_at=now())
    services.exam_no_show(principal=world.principals["desk"], exam_id=exam.id)
    assert not Reservation.objects.filter(status="booked").exists()


def test_only_the_exams_own_bedside_physician_makes_it_ready(world: World) -> None:
    exam = world.book()
    services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    with pytest.raises((Forbidden, NotFound)):
        services.exam_ready(principal=world.principals["bedside2"], exam_id=exam.id)


def test_ready_names_the_first_missing_item_and_all_of_them(world: World) -> None:
    exam = world.book()
    services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    with pytest.raises(Conflict) as caught:
        services.exam_ready(principal=world.principals["bedside"], exam_id=exam.id)
    assert caught.value.code == "identifiers_bedside_missing"
    assert caught.value.data["missing"] == [
        "identifiers_bedside_missing",
        "checklist_missing",
        "consent_missing",
        "robot_offline",
        "self_test_missing",
    ]


def _undo(world: World, exam: Exam, code: str) -> None:
    """Take one thing away from an exam that could start."""
    acts: dict[str, Callable[[], object]] = {
        "agreement_missing": lambda: Agreement.objects.update(ended_at=now()),
        "licence_invalid": lambda: Practitioner.objects.update(standing="suspended"),
        "practice_too_short": lambda: Practitioner.objects.update(practice_started_on=today()),
        "scope_not_covering": lambda: Practitioner.objects.update(scope="internal_medicine"),
        "registration_missing": lambda: Registration.objects.update(ended_at=now()),
        "filing_missing": lambda: Institution.objects.filter(short_name="expert").update(
            region_code="310104"
        ),
        "privilege_missing": lambda: Privilege.objects.update(revoked_at=now()),
        "identifiers_bedside_missing": lambda: exam.identifier_checks.filter(end="bedside").delete(),
        "identifiers_remote_missing": lambda: exam.identifier_checks.filter(end="remote").delete(),
        "checklist_missing": lambda: exam.checklist.delete(),
        "checklist_not_agreed": lambda: type(exam.checklist).objects.update(concerns=["pain"]),
        "consent_missing": lambda: Consent.objects.update(withdrawn_at=now()),
        "robot_overdue": lambda: Robot.objects.update(maintenance_due_on=today()),
        "robot_offline": lambda: Robot.objects.update(last_seen_at=now() - timedelta(seconds=6)),
        "self_test_missing": lambda: world.robot.self_tests.update(passed=False),
        "bedside_absent": lambda: Presence.objects.filter(role="bedside").update(
            last_seen_at=now() - timedelta(seconds=7)
        ),
        "link_poor": lambda: LinkQuality.objects.update(good=False),
        "lease_missing": lambda: ControlLease.objects.update(expires_at=now()),
    }
    acts[code]()


GATES = [
    "agreement_missing",
    "licence_invalid",
    "practice_too_short",
    "scope_not_covering",
    "registration_missing",
    "filing_missing",
    "privilege_missing",
    "identifiers_bedside_missing",
    "identifiers_remote_missing",
    "checklist_missing",
    "checklist_not_agreed",
    "consent_missing",
    "robot_overdue",
    "robot_offline",
    "self_test_missing",
    "bedside_absent",
    "link_poor",
    "lease_missing",
]


@pytest.mark.parametrize("code", GATES)
def test_each_thing_taken_away_alone_refuses_the_start_with_its_own_code(world: World, code: str) -> None:
    exam = world.ready()
    services.lease_take(principal=world.principals["expert"], exam_id=exam.id)
    _undo(world, exam, code)
    with pytest.raises(Conflict) as caught:
        services.exam_start(principal=world.principals["expert"], exam_id=exam.id)
    assert (caught.value.code, caught.value.data["missing"]) == (code, [code])
    exam.refresh_from_db()
    assert exam.state == "ready"


def test_with_everything_in_place_the_exam_goes_live_and_its_steps_are_kept(world: World) -> None:
    exam = world.live()
    assert exam.state == "live"
    steps = list(ExamTransition.objects.filter(exam=exam).order_by("at").values_list("command", flat=True))
    assert steps == ["check_in", "ready", "start"]
    assert AuditEntry.objects.filter(action="exam.start", object_id=exam.id).count() == 1


def test_the_end_releases_the_lease_and_the_rest_of_the_time(world: World) -> None:
    exam = world.ended()
    assert exam.state == "ended"
    assert not ControlLease.objects.filter(released_at=None).exists()
    assert not Reservation.objects.filter(status="booked").exists()


def test_a_withdrawn_consent_pauses_a_live_exam_and_ends_the_lease(world: World) -> None:
    exam = world.live()
    services.exam_consent_withdraw(principal=world.principals["bedside"], exam_id=exam.id, reason="不愿意")
    exam.refresh_from_db()
    assert exam.state == "paused"
    assert not ControlLease.objects.filter(released_at=None).exists()
    with refused("consent_missing"):
        services.exam_resume(principal=world.principals["expert"], exam_id=exam.id)


@pytest.mark.parametrize("who", ["expert", "bedside"])
def test_both_ends_may_abort_and_must_say_why(world: World, who: str) -> None:
    exam = world.live()
    with refused("reason_required", Invalid):
        services.exam_abort(principal=world.principals[who], exam_id=exam.id, code="pain", reason=" ")
    services.exam_abort(principal=world.principals[who], exam_id=exam.id, code="pain", reason="疼痛")
    exam.refresh_from_db()
    assert (exam.state, exam.end_code) == ("aborted", "pain")


def test_new_checklist_answers_ask_for_both_agreements_again(world: World) -> None:
    exam = world.book()
    services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    world.checklist(exam, pain=True)
    for who in ("bedside", "expert"):
        services.checklist_agree(principal=world.principals[who], exam_id=exam.id)
    agreed = selectors.facts(selectors.exam_get(world.principals["expert"], exam.id), [])
    assert agreed.concerns == ("pain",)
    assert agreed.concerns_agreed
    world.checklist(exam, pain=True, gel_allergy=True)
    assert not selectors.facts(selectors.exam_get(world.principals["expert"], exam.id), []).concerns_agreed


def test_a_console_that_drops_loses_control_and_pauses_the_exam(world: World) -> None:
    exam = world.live()
    live.socket_closed(exam_id=exam.id, role="console", peer_id="console-peer")
    exam.refresh_from_db()
    assert exam.state == "paused"
    assert ControlLease.objects.get().release_code == "console_lost"


def test_a_bedside_socket_may_blink_but_not_stay_away(world: World) -> None:
    exam = world.live()
    live.socket_closed(exam_id=exam.id, role="bedside", peer_id="bedside-peer")
    exam.refresh_from_db()
    assert exam.state == "live"
    Presence.objects.filter(role="bedside").update(last_seen_at=now() - timedelta(seconds=7))
    live.sweep()
    exam.refresh_from_db()
    assert exam.state == "paused"


def test_an_older_page_that_closes_late_changes_nothing(world: World) -> None:
    exam = world.live()
    live.socket_closed(exam_id=exam.id, role="console", peer_id="an-older-peer")
    exam.refresh_from_db()
    assert exam.state == "live"


def test_strangers_get_the_same_answer_as_for_an_exam_that_does_not_exist(world: World) -> None:
    exam = world.book()
    for who in ("other_desk", "other_expert", "expert2", "bedside2", "admin"):
        with pytest.raises(NotFound):
            selectors.exam_get(world.principals[who], exam.id)


@pytest.mark.parametrize(
    ("state", "age_days", "seen"),
    [("reported", 29, True), ("reported", 31, False), ("cancelled", 31, False), ("ended", 400, True)],
)
def test_the_expert_of_another_hospital_sees_a_patient_until_the_exam_is_long_over(
    world: World, state: str, age_days: int, seen: bool
) -> None:
    exam = world.book()
    Exam.objects.filter(id=exam.id).update(state=state)
    ExamTransition.objects.create(
        exam=exam, command="x", before="x", after=state, by_id=exam.id, by_kind="system"
    )
    ExamTransition.objects.update(at=now() - timedelta(days=age_days))
    mine = selectors.exams(world.principals["expert"])
    assert mine.filter(id=exam.id).exists() is seen
    assert selectors.exams(world.principals["desk"]).filter(id=exam.id).exists()
    assert selectors.exams(world.principals["bedside"]).filter(id=exam.id).exists()

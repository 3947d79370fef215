"""The requests inbox: asked, booked in one step, declined, withdrawn; and emergencies that take a planned time."""

from __future__ import annotations

from typing import Any

import pytest

from hospital.access.models import AccessToken
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from hospital.common.work import work_drain
from hospital.messages import quiet
from hospital.messages import selectors as messages
from hospital.scheduling.models import Reservation
from teleconsult import selectors_requests as selectors
from teleconsult import services
from teleconsult.models import Exam, ExamRequest
from teleconsult.telling import when
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(quiet, "quiet_until", lambda at: None)  # whatever the hour of the test
    return make_world()


def refused(code: str, error: type[DomainError] = Conflict) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(error, check=lambda found: found.code == code)


def asked(world: World, *, who: str = "bedside", **changes: Any) -> ExamRequest:
    whole: dict[str, Any] = {
        "patient_id": world.patient.id, "exam_type": "abdomen", "institution_id": world.places["home"].id,
        "clinical_question": "胆囊结石？", "history": "两年前体检", "priority": "routine",
    }  # fmt: skip
    return services.request_add(principal=world.principals[who], **whole | changes)


def team(world: World, **changes: Any) -> dict[str, Any]:
    booking = world.booking(**changes)
    return {
        name: value for name, value in booking.items() if name.endswith("_id") and name != "patient_id"
    } | {"starts_at": booking["starts_at"]}


def book(world: World, row: ExamRequest, **changes: Any) -> Exam:
    return services.request_book(
        principal=world.principals["desk"], request_id=row.id, **team(world, **changes)
    )


def test_a_request_becomes_a_booking_in_one_step_and_points_to_it(world: World) -> None:
    row = asked(world, priority="urgent")
    exam = book(world, row)
    row.refresh_from_db()
    assert (row.state, row.exam_id) == ("booked", exam.id)
    assert (exam.clinical_question, exam.history, exam.priority) == ("胆囊结石？", "两年前体检", "urgent")


def test_a_request_is_booked_once(world: World) -> None:
    row = asked(world)
    book(world, row)
    with refused("request_closed"):
        book(world, row, starts_at=world.tomorrow(120))
    assert Exam.objects.count() == 1


def test_when_the_time_is_taken_the_request_stays_in_the_inbox(world: World) -> None:
    world.book()
    row = asked(world)
    with refused("taken"):
        book(world, row)
    row.refresh_from_db()
    assert (row.state, row.exam_id) == ("asked", None)


def test_the_inbox_is_served_by_priority_and_then_by_the_time_asked(world: World) -> None:
    rows = [asked(world, priority=one) for one in ("routine", "urgent", "stat", "routine")]
    inbox = selectors.inbox(world.principals["desk"])
    assert [row.id for row in inbox] == [rows[2].id, rows[1].id, rows[0].id, rows[3].id]


def test_a_declined_request_says_why_and_is_closed(world: World) -> None:
    row, desk = asked(world), world.principals["desk"]
    with refused("reason_required", Invalid):
        services.request_decline(principal=desk, request_id=row.id, reason=" ")
    services.request_decline(principal=desk, request_id=row.id, reason="重复申请")
    with refused("request_closed"):
        services.request_withdraw(principal=desk, request_id=row.id, reason="x")


def notices(world: World, who: str = "bedside") -> list[str]:
    rows = messages.notices_of(world.users[who].id)
    return [row.text for row in reversed(rows) if "申请" in row.text]


def test_who_asked_hears_that_it_is_booked_or_declined_and_why(world: World) -> None:
    booked, declined = asked(world), asked(world)
    exam = book(world, booked)
    services.request_decline(
        principal=world.principals["desk"], request_id=declined.id, reason="请先做腹部平片"
    )
    yes, no = notices(world)
    assert exam.accession in yes and when(booked.asked_at) in yes
    assert "请先做腹部平片" in no and when(declined.asked_at) in no
    assert world.patient.name not in yes + no and notices(world, "desk") == []


def test_who_decides_on_their_own_request_is_told_nothing(world: World) -> None:
    row = asked(world, who="desk")
    services.request_decline(principal=world.principals["desk"], request_id=row.id, reason="重复")
    assert notices(world, "desk") == []


def test_who_asked_withdraws_and_a_colleague_at_the_bedside_does_not_see_it(world: World) -> None:
    row = asked(world)
    with pytest.raises(NotFound):
        services.request_withdraw(principal=world.principals["bedside2"], request_id=row.id, reason="x")
    assert not selectors.inbox(world.principals["bedside2"]).exists()
    done = services.request_withdraw(principal=world.principals["bedside"], request_id=row.id, reason="好转")
    assert done.state == "withdrawn"


def test_another_hospitals_desk_reaches_neither_the_request_nor_the_patient(world: World) -> None:
    row = asked(world)
    with pytest.raises(NotFound):
        services.request_book(principal=world.principals["other_desk"], request_id=row.id, **team(world))
    with pytest.raises(NotFound):
        asked(world, who="other_desk")
    with pytest.raises(NotFound):
        asked(world, who="other_desk", institution_id=world.places["other"].id)


def displace(world: World, **changes: Any) -> Exam:
    given = world.booking(clinical_question="急腹症") | {"reason": "急诊，疑似破裂"} | changes
    return services.exam_displace(principal=world.principals["desk"], **given)


def test_an_emergency_takes_the_time_of_a_planned_exam_which_goes_to_the_front(world: World) -> None:
    planned = world.book()
    done = displace(world)
    planned.refresh_from_db()
    assert (planned.state, planned.end_code) == ("cancelled", "displaced")
    assert (done.state, done.priority) == ("booked", "stat")
    row = ExamRequest.objects.get(waiting__front=True)
    assert (row.state, row.clinical_question) == ("waiting", "胆囊结石？")
    assert AuditEntry.objects.filter(action="exam.displace", reason="急诊，疑似破裂").exists()
    work_drain()
    texts = [message.text for message in messages.mailbox(to="13900000001")]
    assert any("急诊" in text and "候补" in text for text in texts)
    assert not any("急腹症" in text for text in texts)


def test_who_has_arrived_is_never_displaced_and_nothing_is_written(world: World) -> None:
    planned = world.book()
    services.exam_check_in(principal=world.principals["desk"], exam_id=planned.id)
    with refused("cannot_displace"):
        displace(world)
    planned.refresh_from_db()
    assert planned.state == "checked_in"
    assert Exam.objects.count() == 1
    assert not ExamRequest.objects.exists()


def test_an_emergency_never_displaces_another(world: World) -> None:
    displace(world)
    with refused("cannot_displace"):
        displace(world)
    assert Exam.objects.filter(state="booked").count() == 1


def test_of_two_exams_in_the_way_one_that_stays_keeps_both(world: World) -> None:
    """Two half-overlapping exams; the second has arrived."""
    first, second = world.book(), world.book(starts_at=world.tomorrow(20))
    services.exam_check_in(principal=world.principals["desk"], exam_id=second.id)
    with refused("cannot_displace"):
        displace(world, starts_at=world.tomorrow(10))
    first.refresh_from_db()
    assert first.state == "booked"
    assert Reservation.objects.filter(appointment=first.appointment, status="booked").count() == 4


def test_displacing_needs_a_reason_a_fresh_proof_and_the_schedulers_role(world: World) -> None:
    world.book()
    with refused("reason_required", Invalid):
        displace(world, reason=" ")
    AccessToken.objects.filter(user=world.users["desk"]).update(proven_at=None)
    with refused("step_up_required", Forbidden):
        displace(world)
    assert Exam.objects.get().state == "booked"


def test_a_time_that_somebody_only_thinks_about_gives_way(world: World) -> None:
    given = world.booking()
    for name in ("patient_id", "clinical_question", "history"):
        del given[name]
    hold_id, _ = services.exam_hold(principal=world.principals["desk"], **given)
    assert displace(world).state == "booked"
    assert not Reservation.objects.filter(hold_id=hold_id, status="hold").exists()
    assert now() < world.tomorrow()

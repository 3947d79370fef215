"""Moving and cancelling, by the desk and by the patient, with the same rules; and who is told."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hospital.access.principals import Principal
from hospital.common.clock import SHANGHAI
from hospital.common.errors import Conflict, DomainError, NotFound
from hospital.common.ids import uuid7
from hospital.common.work import work_drain
from hospital.messages import quiet
from hospital.messages import selectors as messages
from hospital.messages.models import Message
from hospital.people import delegates
from hospital.people.models import Delegation
from hospital.scheduling.models import Reservation
from teleconsult import services
from teleconsult.choosing import team_chosen
from teleconsult.models import ExamTransition
from tests.factories import World, make_world
from tests.factories.days import working_day

pytestmark = pytest.mark.django_db
PHONE = "13900000001"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(quiet, "quiet_until", lambda at: None)  # whatever the hour of the test
    return make_world()


def refused(code: str, error: type[DomainError] = Conflict) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(error, check=lambda found: found.code == code)


def at(hour: int, *, days: int = 7) -> datetime:
    """An hour of a coming Monday in Shanghai: people are found on working days."""
    day = working_day(0, days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


def texts(to: str) -> list[str]:
    work_drain()
    return [row.text for row in messages.mailbox(to=to)]


def test_two_schedulers_who_move_one_exam_from_the_same_board_do_not_undo_each_other(world: World) -> None:
    exam, desk = world.book(), world.principals["desk"]
    seen = exam.starts_at
    services.exam_move(principal=desk, exam_id=exam.id, starts_at=world.tomorrow(60), expected_starts_at=seen)
    with pytest.raises(Conflict) as late:
        services.exam_move(
            principal=desk, exam_id=exam.id, starts_at=world.tomorrow(120), expected_starts_at=seen
        )
    assert late.value.code == "changed_meanwhile"
    assert late.value.data["starts_at"] == world.tomorrow(60).isoformat()
    exam.refresh_from_db()
    assert exam.starts_at == world.tomorrow(60)


def test_a_move_from_a_board_that_shows_other_people_or_another_room_is_refused(world: World) -> None:
    exam, desk = world.book(), world.principals["desk"]
    seen = exam.booked_with
    assert len(seen) == 4
    room = world.room2
    services.exam_move(principal=desk, exam_id=exam.id, starts_at=exam.starts_at, room_id=room.id)
    with refused("changed_meanwhile"):
        services.exam_move(
            principal=desk, exam_id=exam.id, starts_at=world.tomorrow(60), expected_starts_at=exam.starts_at,
            expected_team=seen,
        )  # fmt: skip
    exam.refresh_from_db()
    moved = services.exam_move(
        principal=desk, exam_id=exam.id, starts_at=world.tomorrow(60), expected_team=exam.booked_with
    )
    assert (moved.starts_at, moved.room_id) == (world.tomorrow(60), room.id)


def hold(world: World, minutes: int, *, who: str = "desk") -> UUID:
    fields = world.booking(starts_at=world.tomorrow(minutes))
    for name in ("patient_id", "clinical_question", "history"):
        del fields[name]
    return services.exam_hold(principal=world.principals[who], **fields)[0]


def test_an_exam_moves_into_a_hold_of_the_same_desk(world: World) -> None:
    exam, hold_id = world.book(), hold(world, 60)
    with refused("taken"):
        services.exam_move(principal=world.principals["desk"], exam_id=exam.id, starts_at=world.tomorrow(60))
    services.exam_move(
        principal=world.principals["desk"], exam_id=exam.id, starts_at=world.tomorrow(60), hold_id=hold_id
    )
    assert not Reservation.objects.filter(status="hold").exists()
    assert world.book().state == "booked"  # the old time is free


def test_a_hold_that_is_over_keeps_the_exam_where_it_was(world: World) -> None:
    exam = world.book()
    with refused("hold_over"):
        services.exam_move(
            principal=world.principals["desk"], exam_id=exam.id, starts_at=world.tomorrow(60), hold_id=uuid7()
        )
    kept = Reservation.objects.filter(appointment=exam.appointment, status="booked")
    assert {row.period.lower for row in kept} == {exam.starts_at}


def test_patient_and_team_hear_of_a_move_and_of_a_cancellation(world: World) -> None:
    exam, desk = world.book(), world.principals["desk"]
    services.exam_move(
        principal=desk, exam_id=exam.id, starts_at=world.tomorrow(60),
        remote_physician_id=world.users["expert2"].id,
    )  # fmt: skip
    new = world.tomorrow(60).astimezone(SHANGHAI).strftime("%H:%M")
    assert new in texts(PHONE)[0]
    for name in ("expert", "expert2", "bedside"):
        assert new in messages_in_pages(world, name)[0]
    services.exam_cancel(principal=desk, exam_id=exam.id, reason="病人要求")
    assert "已取消" in texts(PHONE)[0]
    assert "已取消" in messages_in_pages(world, "expert2")[0]
    assert "胆囊" not in "".join(texts(PHONE))


def messages_in_pages(world: World, name: str) -> list[str]:
    return [row.text for row in messages.notices_of(world.users[name].id)]


def test_a_move_to_where_the_exam_is_writes_nothing_and_tells_nobody(world: World) -> None:
    exam, desk = world.book(), world.principals["desk"]
    told = Message.objects.count()
    same = services.exam_move(
        principal=desk, exam_id=exam.id, starts_at=exam.starts_at.astimezone(UTC), room_id=exam.room_id
    )
    assert (same.starts_at, same.state) == (exam.starts_at, "booked")
    assert (Message.objects.count(), ExamTransition.objects.filter(exam=exam).count()) == (told, 0)
    services.exam_move(principal=desk, exam_id=exam.id, starts_at=world.tomorrow(60))
    assert Message.objects.count() > told and ExamTransition.objects.filter(exam=exam).count() == 1


def test_a_patient_finds_another_time_and_moves_with_the_team_that_was_booked(world: World) -> None:
    exam, me = world.book(starts_at=at(9)), world.account()
    found = services.own_times(me, exam.id, page=1, starts_from=at(14), days=1).results
    chosen = datetime.fromisoformat(found[0]["starts_at"])
    moved = services.own_move(
        principal=me, exam_id=exam.id, starts_at=chosen, expected_starts_at=exam.starts_at
    )
    assert (moved.starts_at, moved.state) == (at(14), "booked")
    assert moved.remote_physician_id == exam.remote_physician_id
    assert moved.bedside_physician_id == exam.bedside_physician_id


def test_when_the_booked_physician_is_busy_a_patients_move_takes_another(world: World) -> None:
    world.book(starts_at=at(14), room_id=world.room2.id, bedside_physician_id=world.users["bedside2"].id)
    exam = world.book(starts_at=at(9))
    with refused("taken"):  # one robot: nobody else helps
        services.own_move(principal=world.account(), exam_id=exam.id, starts_at=at(14))
    moved = services.own_move(principal=world.account(), exam_id=exam.id, starts_at=at(15))
    assert moved.starts_at == at(15)


def test_the_team_keeps_who_was_booked_and_never_uses_one_person_twice() -> None:
    people = ("remote_physician", "bedside_physician")
    free = {"remote_physician": ["a", "b"], "bedside_physician": ["b", "c"], "room": ["r", "s"]}
    kept = {"remote_physician": "b", "bedside_physician": "b", "room": "s"}
    assert team_chosen(free, kept=kept, people=people) == {
        "remote_physician": "b", "bedside_physician": "c", "room": "s",
    }  # fmt: skip
    assert (
        team_chosen({"remote_physician": ["a"], "bedside_physician": ["a"]}, kept={}, people=people) is None
    )


def test_a_patient_cancels_and_the_time_is_free_at_once(world: World) -> None:
    exam = world.book()
    services.exam_cancel(principal=world.account(), exam_id=exam.id, reason="有事")
    exam.refresh_from_db()
    assert (exam.state, exam.end_reason) == ("cancelled", "有事")
    assert world.book().state == "booked"


def test_what_the_desk_may_not_do_any_more_the_patient_may_not_either(world: World) -> None:
    exam = world.live()
    for principal in (world.principals["desk"], world.account()):
        with refused("illegal_transition"):
            services.exam_cancel(principal=principal, exam_id=exam.id, reason="有事")


def delegate(world: World, *scopes: str) -> Principal:
    delegates.delegation_grant(
        principal=world.principals["desk"], patient=world.patient, name="沈梅", relation="女儿",
        phone="13900000077", scopes=list(scopes), days=30, paper="P-1",
    )  # fmt: skip
    me = world.account("13900000077", linked=False)
    Delegation.objects.update(proven_at=world.tomorrow())
    return me


def test_a_delegate_moves_and_cancels_only_with_the_scope_to_book(world: World) -> None:
    exam = world.book(starts_at=at(9))
    reader = delegate(world, "read")
    with pytest.raises(NotFound):
        services.exam_cancel(principal=reader, exam_id=exam.id, reason="有事")
    with pytest.raises(NotFound):
        services.own_move(principal=reader, exam_id=exam.id, starts_at=at(10))
    Delegation.objects.update(scopes=["book"])
    booker = reader
    assert services.own_move(principal=booker, exam_id=exam.id, starts_at=at(10)).starts_at == at(10)
    assert services.exam_cancel(principal=booker, exam_id=exam.id, reason="有事").state == "cancelled"


def test_another_account_reaches_nothing(world: World) -> None:
    exam, stranger = world.book(), world.account("13900000055", linked=False)
    with pytest.raises(NotFound):
        services.exam_cancel(principal=stranger, exam_id=exam.id, reason="有事")

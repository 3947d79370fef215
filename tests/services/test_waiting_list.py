"""The waiting list: who is offered what, when, once; and what a worker's death changes: nothing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from hospital.common.clock import SHANGHAI, now, today
from hospital.common.errors import Conflict, DomainError, Invalid, NotFound
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages import quiet
from hospital.messages import selectors as messages
from hospital.scheduling import services_calendars, services_weeks
from hospital.scheduling.events import TimeFreed
from hospital.scheduling.models import ExamWindow, Reservation, Resource, WeeklyHours
from teleconsult import rules_waiting, services
from teleconsult.models import Exam, ExamRequest, SlotOffer
from teleconsult.services import waiting
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


def at(hour: int, minute: int = 0) -> datetime:
    """A time of a coming Monday in Shanghai."""
    day = working_day(0, days=7)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def full(world: World, *, all_day: bool = False) -> list[Exam]:
    """That Monday morning from 8 to 10 is full; nobody waits yet. With `all_day` it is examined at no other time."""
    if all_day:
        ExamWindow.objects.create(exam_type_id="abdomen", opens_minute=8 * 60, closes_minute=10 * 60)
    return [world.book(starts_at=at(8) + timedelta(minutes=20 * n)) for n in range(6)]


def waits(world: World, *, priority: str = "routine", **wish: Any) -> ExamRequest:
    """Somebody who can come between 8 and 10 of that Monday: the morning ends at 10 for the test's rooms."""
    row = services.request_add(
        principal=world.principals["desk"], patient_id=world.patient.id, exam_type="abdomen",
        institution_id=world.places["home"].id, clinical_question="胆囊结石？", priority=priority,
    )  # fmt: skip
    with patch.object(waiting, "serve_later"):  # who is served first is what a test says
        return services.waiting_add(
            principal=world.principals["desk"], request_id=row.id, earliest=at(8).date(), latest=at(8).date(),
            **wish,
        )  # fmt: skip


def cancel(world: World, exam: Exam) -> None:
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="病人要求")
    work_drain()


def offers(state: str = "open") -> list[SlotOffer]:
    return list(SlotOffer.objects.filter(state=state).order_by("made_at"))


def link() -> str:
    """The secret in the newest message."""
    work_drain()
    text = next(row.text for row in messages.mailbox(to=PHONE) if "#" in row.text)
    found = re.search(r"/console/offer/#(\S+)", text)
    assert found is not None
    return found[1]


def test_a_cancelled_time_is_held_and_offered_to_who_waits(world: World) -> None:
    exams, row = full(world), waits(world)
    cancel(world, exams[2])
    (offer,) = offers()
    assert (offer.request_id, offer.starts_at) == (row.id, exams[2].starts_at)
    assert Reservation.objects.filter(hold_id=offer.hold_id, status="hold").count() == 4
    with refused("taken"):
        world.book(starts_at=offer.starts_at)


@pytest.mark.parametrize("first", ["urgent", "earlier"])
def test_the_next_is_by_priority_and_then_by_the_time_asked(world: World, first: str) -> None:
    exams, one = full(world), waits(world)
    other = waits(world, priority="urgent" if first == "urgent" else "routine")
    cancel(world, exams[0])
    assert [offer.request_id for offer in offers()] == [other.id if first == "urgent" else one.id]


def test_who_cannot_come_then_is_passed_over(world: World) -> None:
    exams = full(world)
    waits(world, parts_of_day=["afternoon"], priority="stat")
    fits = waits(world, parts_of_day=["morning"])
    cancel(world, exams[1])
    assert [offer.request_id for offer in offers()] == [fits.id]


def test_the_link_books_the_time_once(world: World) -> None:
    exams, row = full(world), waits(world)
    cancel(world, exams[2])
    token = link()
    exam = services.offer_accept_by_link(token=token)
    row.refresh_from_db()
    assert (row.state, row.exam_id, exam.starts_at) == ("booked", exam.id, exams[2].starts_at)
    with refused("offer_over"):
        services.offer_accept_by_link(token=token)
    with pytest.raises(NotFound):
        services.offer_accept_by_link(token="x" * 32)


def test_who_declines_keeps_the_place_and_the_time_goes_to_the_next(world: World) -> None:
    exams, first, second = full(world, all_day=True), waits(world), waits(world)
    cancel(world, exams[2])
    services.offer_refuse_by_link(token=link())
    work_drain()
    assert [offer.request_id for offer in offers()] == [second.id]
    first.refresh_from_db()
    assert first.state == "waiting"
    cancel(world, exams[4])
    assert {offer.request_id for offer in offers()} == {first.id, second.id}


def test_what_became_free_while_another_time_was_on_offer_is_offered_after_it(world: World) -> None:
    exams, row = full(world, all_day=True), waits(world)
    cancel(world, exams[2])
    cancel(world, exams[4])  # the only one who waits has a time on offer
    services.offer_refuse_by_link(token=link())
    work_drain()
    (second,) = offers()
    assert (second.request_id, second.starts_at) == (row.id, exams[4].starts_at)
    cancel(world, exams[0])
    expire(second)
    work_drain()
    work_drain()
    assert [offer.starts_at for offer in offers()] == [exams[0].starts_at]


def expire(offer: SlotOffer) -> None:
    """As if the hours had gone by."""
    past = now() - timedelta(seconds=1)
    SlotOffer.objects.filter(id=offer.id).update(expires_at=past)
    Reservation.objects.filter(hold_id=offer.hold_id).update(expires_at=past)
    Work.objects.filter(kind=waiting.EXPIRE, key=str(offer.id)).update(due_at=past)


def test_an_offer_nobody_answers_goes_to_the_next_and_can_no_longer_be_accepted(world: World) -> None:
    exams, first, second = full(world, all_day=True), waits(world), waits(world)
    cancel(world, exams[2])
    token = link()
    expire(offers()[0])
    with refused("offer_over"):
        services.offer_accept_by_link(token=token)
    work_drain()
    assert [offer.request_id for offer in offers()] == [second.id]
    assert [offer.request_id for offer in offers("expired")] == [first.id]


def test_at_the_desk_and_by_the_account_an_offer_is_accepted_like_by_the_link(world: World) -> None:
    exams = full(world)
    waits(world)
    cancel(world, exams[0])
    with pytest.raises(NotFound):
        services.offer_accept(principal=world.principals["other_desk"], offer_id=offers()[0].id)
    stranger = world.account("13900000055", linked=False)
    with pytest.raises(NotFound):
        services.offer_accept(principal=stranger, offer_id=offers()[0].id, action="me.book")
    exam = services.offer_accept(principal=world.account(), offer_id=offers()[0].id, action="me.book")
    assert exam.starts_at == exams[0].starts_at
    waits(world)
    cancel(world, exams[1])
    exam = services.offer_accept(principal=world.principals["desk"], offer_id=offers()[0].id)
    assert exam.starts_at == exams[1].starts_at


def test_booking_a_request_otherwise_gives_its_offer_back(world: World) -> None:
    exams, row = full(world), waits(world)
    cancel(world, exams[0])
    team = {
        name: value
        for name, value in world.booking().items()
        if name.endswith("_id") and name != "patient_id"
    }
    services.request_book(principal=world.principals["desk"], request_id=row.id, starts_at=at(14), **team)
    assert [offer.state for offer in SlotOffer.objects.all()] == ["revoked"]
    assert world.book(starts_at=exams[0].starts_at).state == "booked"


def test_a_worker_that_dies_after_making_an_offer_leaves_none_and_the_next_makes_it_once(
    world: World,
) -> None:
    """The handler and the mark that its row is finished are one transaction."""
    exams = full(world)
    waits(world)
    services.exam_cancel(principal=world.principals["desk"], exam_id=exams[2].id, reason="病人要求")
    told = waiting._told

    def dies(*given: Any) -> None:
        told(*given)
        raise RuntimeError("killed")

    with patch.object(waiting, "_told", dies):
        work_drain()
    assert not SlotOffer.objects.exists()
    assert not Reservation.objects.filter(status="hold").exists()
    assert not any("#" in row.text for row in messages.mailbox(to=PHONE))
    Work.objects.filter(kind=waiting.SERVE, finished_at=None).update(due_at=now(), taken_until=None)
    work_drain()
    assert len(offers()) == 1


def test_serving_twice_offers_once(world: World) -> None:
    exams = full(world)
    waits(world)
    cancel(world, exams[2])
    for _ in range(2):
        services.waiting_serve(starts_at=exams[2].starts_at, ends_at=exams[2].ends_at)
    services.offer_expire(offer_id=offers()[0].id)
    services.offer_expire(offer_id=SlotOffer.objects.get().id)
    assert SlotOffer.objects.count() == 1


def keeper(world: World) -> dict[str, Any]:
    """The desk, and the calendar of its bedside physician."""
    return {
        "principal": world.principals["desk"],
        "resource_id": Resource.objects.get(user=world.users["bedside"]).id,
    }


def test_leave_that_is_withdrawn_is_offered_to_who_waits(world: World) -> None:
    leave, _ = services_calendars.exception_add(
        **keeper(world), starts_at=at(0), ends_at=at(23), open=False, reason="leave", note=""
    )
    row = waits(world, person_id=world.users["bedside"].id)
    waiting.waiting_serve(starts_at=at(0), ends_at=at(23))
    assert offers() == []
    services_calendars.exception_withdraw(**keeper(world), exception_id=leave.id)
    work_drain()
    assert [offer.request_id for offer in offers()] == [row.id]


def test_hours_that_are_opened_beside_the_week_are_offered(world: World) -> None:
    for weekday in range(7):
        WeeklyHours.objects.create(
            institution=world.places["home"], weekday=weekday, opens_minute=0, closes_minute=1
        )
    row = waits(world)
    for resource in Resource.objects.filter(institution=world.places["home"]):
        services_calendars.exception_add(
            principal=world.principals["desk"], resource_id=resource.id, starts_at=at(9), ends_at=at(10),
            open=True, reason="extra", note="",
        )  # fmt: skip
    work_drain()
    (offer,) = offers()
    assert (offer.request_id, offer.starts_at) == (row.id, at(9))


def week(opens: int, closes: int, **more: Any) -> list[dict[str, Any]]:
    return [{"weekday": n, "opens_minute": opens * 60, "closes_minute": closes * 60} | more for n in range(7)]


def house_hours(world: World, rows: list[dict[str, Any]]) -> None:
    services_weeks.institution_hours_set(
        principal=world.principals["desk"], institution_id=world.places["home"].id, rows=rows
    )


def test_a_new_week_is_offered_to_who_waits(world: World) -> None:
    house_hours(world, week(0, 1))
    work_drain()
    row = waits(world)
    house_hours(world, week(9, 10))
    work_drain()
    (offer,) = offers()
    assert (offer.request_id, offer.starts_at) == (row.id, at(9))


def test_a_persons_own_new_week_is_offered_too(world: World) -> None:
    services_weeks.resource_hours_set(**keeper(world), rows=week(0, 1))
    work_drain()
    row = waits(world, person_id=world.users["bedside"].id)
    services_weeks.resource_hours_set(**keeper(world), rows=week(9, 10))
    work_drain()
    assert [(offer.request_id, offer.starts_at) for offer in offers()] == [(row.id, at(9))]


def test_hours_for_a_whole_year_are_told_once_and_no_further_than_times_are_looked_for(world: World) -> None:
    house_hours(world, week(0, 1))
    told: list[TimeFreed] = []
    with patch("hospital.scheduling.services.emit", told.append):
        house_hours(world, week(8, 18, valid_to=today() + timedelta(days=365)))
        house_hours(world, week(8, 12))
    (event,) = told
    assert event.starts_at >= now() - timedelta(days=1)
    assert event.ends_at <= now() + timedelta(days=rules_waiting.WAIT_DAYS_MAX)
    assert event.ends_at > now() + timedelta(days=rules_waiting.WAIT_DAYS_MAX - 3)


def test_shorter_buffers_are_offered(world: World) -> None:
    kept: dict[str, Any] = {"languages": [], "exam_types": [], "by_release": False}
    world.book(starts_at=at(7, 30))
    services_calendars.resource_keep(**keeper(world), before_minutes=240, after_minutes=0, **kept)
    work_drain()
    ExamWindow.objects.create(exam_type_id="abdomen", opens_minute=8 * 60, closes_minute=10 * 60)
    row = waits(world, person_id=world.users["bedside"].id)
    waiting.waiting_serve(starts_at=at(0), ends_at=at(23))
    assert offers() == []
    services_calendars.resource_keep(**keeper(world), before_minutes=0, after_minutes=0, **kept)
    work_drain()
    assert [offer.request_id for offer in offers()] == [row.id]


def test_a_released_time_that_returns_or_is_taken_back_is_offered_at_its_own_hospital(world: World) -> None:
    """What is due is looked at half an hour after half an hour, as far as it has returned."""
    soon = now() + timedelta(hours=23, minutes=50)
    told: list[TimeFreed] = []
    released = services_calendars.released_add(
        **keeper(world),
        starts_at=soon,
        ends_at=soon + timedelta(hours=1),
        partner_id=world.places["expert"].id,
    )
    with patch("hospital.scheduling.services.emit", told.append):
        services_calendars.release_returned(released_id=released.id)
        assert [event.starts_at for event in told] == [soon]
        assert timedelta(minutes=10) <= told[0].ends_at - soon < timedelta(minutes=12)
        again = Work.objects.filter(kind="scheduling.release_returns", due_at__gt=now()).get()
        assert timedelta(minutes=29) < again.due_at - now() <= timedelta(minutes=30)
        services_calendars.released_withdraw(**keeper(world), released_id=released.id)
        assert (told[1].starts_at, told[1].ends_at) == (soon, soon + timedelta(hours=1))
        services_calendars.release_returned(released_id=released.id)
        assert len(told) == 2


def test_who_waits_behind_many_whom_the_time_does_not_fit_is_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SERVED_MAX", 2)
    exams = full(world)
    for _ in range(5):
        waits(world, parts_of_day=["afternoon"], priority="stat")
    last = waits(world, parts_of_day=["morning"])
    cancel(world, exams[1])
    work_drain()
    assert [offer.request_id for offer in offers()] == [last.id]
    turns = Work.objects.filter(kind=waiting.SERVE)
    assert (turns.count(), turns.filter(finished_at=None).count()) == (4, 0)  # two, two, two, and nobody more


def test_a_hold_that_is_given_back_is_offered(world: World) -> None:
    full(world)
    world_exam = Exam.objects.order_by("starts_at")[0]
    services.exam_cancel(principal=world.principals["desk"], exam_id=world_exam.id, reason="x")
    work_drain()
    fields = world.booking(starts_at=world_exam.starts_at)
    for name in ("patient_id", "clinical_question", "history"):
        del fields[name]
    hold_id, _ = services.exam_hold(principal=world.principals["desk"], **fields)
    row = waits(world)
    services.exam_hold_release(principal=world.principals["desk"], hold_id=hold_id)
    work_drain()
    assert [offer.request_id for offer in offers()] == [row.id]


def test_who_gave_way_to_an_emergency_is_offered_the_next_free_time_at_once(world: World) -> None:
    planned = world.book(starts_at=at(9))
    services.exam_displace(
        principal=world.principals["desk"], reason="急诊", **world.booking(starts_at=at(9))
    )
    work_drain()
    (offer,) = offers()
    assert offer.request.waiting.front
    assert offer.request.patient_id == planned.patient_id
    assert offer.starts_at > now() + rules_waiting.NOTICE


def test_days_that_are_not_in_order_are_refused(world: World) -> None:
    row = waits(world)
    with refused("bad_days", Invalid):
        services.waiting_add(
            principal=world.principals["desk"], request_id=row.id, earliest=today(),
            latest=today() - timedelta(days=1),
        )  # fmt: skip


def test_the_time_to_answer_begins_in_the_morning_and_ends_before_the_exam() -> None:
    night = datetime(2027, 3, 1, 23, 0, tzinfo=SHANGHAI)
    morning = datetime(2027, 3, 2, 7, 30, tzinfo=SHANGHAI)
    assert rules_waiting.offer_ends(night, morning + timedelta(days=2)) == morning + timedelta(hours=2)
    assert rules_waiting.offer_ends(night, morning + timedelta(hours=2)) == morning + timedelta(hours=1)
    assert rules_waiting.offer_ends(night, morning + timedelta(hours=1)) is None
    early = datetime(2027, 3, 2, 3, 0, tzinfo=SHANGHAI)
    assert rules_waiting.awake_from(early) == morning
    noon = datetime(2027, 3, 2, 12, 0, tzinfo=SHANGHAI)
    assert rules_waiting.awake_from(noon) == noon

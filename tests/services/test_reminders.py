"""What patients and staff are told of an exam, and what happens to it later: from the database, from the exam as it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from hospital.access.models import User
from hospital.common.clock import SHANGHAI, now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages import quiet
from hospital.messages.models import Message
from hospital.people.models import Delegation, Patient
from hospital.people.wishes import wishes_set
from hospital.scheduling.models import ExamReminder, ExamType
from teleconsult import exam_work, later, services, telling
from teleconsult.models import Exam
from teleconsult.services import booking
from tests.access.house_rows import member
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
FASTING = "检查前一晚20:00后禁食。"


@pytest.fixture(autouse=True)
def by_day(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMBEDDED, settings.MESSAGES_PROVIDER = True, "mailbox"
    monkeypatch.setattr(quiet, "quiet_until", lambda at: None)


@pytest.fixture
def night(by_day: None, monkeypatch: pytest.MonkeyPatch) -> datetime:
    morning = now() + timedelta(hours=9)
    monkeypatch.setattr(quiet, "quiet_until", lambda at: morning)
    return morning


@pytest.fixture
def world() -> World:
    world = make_world()
    ExamType.objects.update(preparation_zh=FASTING, preparation_en="Nothing to eat after 20:00.")
    for days in (3, 1):
        ExamReminder.objects.create(exam_type_id="abdomen", days_before=days, minute=18 * 60 + 30)
    return world


def next_week(world: World) -> datetime:
    return world.tomorrow(60 * 24 * 6)


def due(kind: str, **payload: str) -> None:
    """Let the clock reach this work and no other."""
    waiting = Work.objects.filter(finished_at=None)
    waiting.exclude(kind="message").update(due_at=now() + timedelta(days=100))
    which = {f"payload__{name}": value for name, value in payload.items()}
    assert waiting.filter(kind=kind, **which).update(due_at=now(), taken_until=None)
    work_drain()


def first_reminder_due() -> None:
    due(later.REMIND, at=Work.objects.filter(kind=later.REMIND).order_by("due_at")[0].payload["at"])


def told(*templates: str) -> list[Message]:
    return list(Message.objects.filter(template__in=templates).order_by("created_at"))


def clock_text(moment: datetime) -> tuple[str, str]:
    local = moment.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日", local.strftime("%H:%M")


def test_a_booking_tells_the_patient_when_in_shanghai_where_and_how_to_prepare(world: World) -> None:
    exam = world.book(starts_at=next_week(world))
    work_drain()
    (message,) = told("exam_booked")
    assert (message.status, message.to) == ("sent", world.patient.phone)
    for part in (*clock_text(exam.starts_at), world.room.name, exam.accession, FASTING):
        assert part in message.text
    for secret in (world.patient.name, exam.exam_type.name_zh, exam.clinical_question):
        assert secret not in message.text


def test_each_reminder_of_the_exams_type_goes_out_once(world: World) -> None:
    exam = world.book(starts_at=next_week(world))
    later.watch(exam)
    rows = Work.objects.filter(kind=later.REMIND).order_by("due_at")
    first = exam.starts_at.astimezone(SHANGHAI).date() - timedelta(days=3)
    assert rows[0].due_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") == f"{first:%m-%d} 18:30"
    assert rows.count() == 2
    for row in list(rows):
        due(later.REMIND, at=row.payload["at"])
    messages = told("exam_reminder")
    assert [message.status for message in messages] == ["sent", "sent"]
    assert all(FASTING in message.text for message in messages)
    work_drain()
    assert len(told("exam_reminder")) == 2


def test_a_reminder_that_waited_too_long_leaves_the_word_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = world.book(starts_at=next_week(world))
    monkeypatch.setattr(exam_work, "now", lambda: exam.starts_at - timedelta(hours=1))
    due(later.REMIND)
    assert len(told("exam_reminder")) == 1


def test_a_moved_exam_reminds_of_its_new_time_alone(world: World) -> None:
    exam = world.book(starts_at=next_week(world))
    work_drain()
    moved = services.exam_move(
        principal=world.principals["desk"],
        exam_id=exam.id,
        starts_at=exam.starts_at + timedelta(days=2, hours=1),
    )
    due(later.REMIND, starts_at=exam.starts_at.isoformat())
    assert told("exam_reminder") == []
    due(later.REMIND, starts_at=moved.starts_at.isoformat())
    reminders = told("exam_reminder")
    assert len(reminders) == 2
    assert all(part in row.text for row in reminders for part in clock_text(moved.starts_at))
    (news,) = told("exam_moved")
    assert all(part in news.text for part in clock_text(moved.starts_at))


def test_a_reminder_on_its_way_speaks_of_the_exam_as_it_is_when_it_leaves(
    world: World, settings: Any
) -> None:
    """The carrier was away; meanwhile the room was renamed and the patient's number corrected."""
    world.book(starts_at=next_week(world))
    work_drain()
    settings.MESSAGES_PROVIDER = ""
    first_reminder_due()
    Patient.objects.update(phone="13900000055")
    type(world.room).objects.filter(id=world.room.id).update(name="三楼 8 室")
    settings.MESSAGES_PROVIDER = "mailbox"
    due("message")
    (message,) = told("exam_reminder")
    assert (message.to, message.status) == ("13900000055", "sent")
    assert "三楼 8 室" in message.text


def test_a_cancelled_exam_reminds_nobody_even_of_what_was_on_its_way(world: World, settings: Any) -> None:
    exam = world.book(starts_at=next_week(world))
    settings.MESSAGES_PROVIDER = ""
    due(later.REMIND)
    settings.MESSAGES_PROVIDER = "mailbox"
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="医生有事")
    due("message")
    assert {(message.status, message.reason) for message in told("exam_reminder", "exam_booked")} == {
        ("dropped", "newer_word")
    }
    (news,) = told("exam_cancelled")
    assert (news.status, "医生有事" in news.text) == ("sent", False)


def test_a_reminder_that_was_queued_before_a_cancellation_the_drop_did_not_see_says_nothing(
    world: World, settings: Any
) -> None:
    """As a message being sent in that very moment: the exam is asked again."""
    exam = world.book(starts_at=next_week(world))
    work_drain()
    settings.MESSAGES_PROVIDER = ""
    first_reminder_due()
    Exam.objects.filter(id=exam.id).update(state="cancelled")
    settings.MESSAGES_PROVIDER = "mailbox"
    due("message")
    assert {(row.status, row.reason) for row in told("exam_reminder")} == {("dropped", "not_so_any_more")}


def wish(world: World, **changes: Any) -> None:
    asked = {"language": "zh", "channel": "sms", "refused": []} | changes
    wishes_set(
        principal=world.principals["desk"], action="patient.messages", patient_id=world.patient.id, **asked
    )


def test_who_refuses_reminders_gets_none_and_hears_of_a_cancellation_all_the_same(world: World) -> None:
    wish(world, refused=["reminder", "booked"])
    exam = world.book(starts_at=next_week(world))
    due(later.REMIND)
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="x")
    work_drain()
    assert {row.status for row in told("exam_reminder", "exam_booked")} == {"dropped"}
    assert [row.status for row in told("exam_cancelled")] == ["sent"]


def daughter(world: World, **changes: Any) -> Delegation:
    fields = {"scopes": ["read"], "proven_at": now(), "expires_at": now() + timedelta(days=90)} | changes
    return Delegation.objects.create(
        patient=world.patient, name="沈梅", relation="女儿", phone="13900000077", phone_index=b"0" * 32,
        granted_by_kind="patient", granted_by_id=world.patient.id, **fields,
    )  # fmt: skip


def test_a_daughter_who_may_see_the_exams_is_reminded_too_without_a_name(world: World) -> None:
    daughter(world)
    world.book(starts_at=next_week(world))
    first_reminder_due()
    (own,), (message,) = told("exam_reminder"), told("exam_reminder_family")
    assert [(row.to, row.status) for row in (own, message)] == [
        (world.patient.phone, "sent"),
        ("13900000077", "sent"),
    ]
    assert FASTING in message.text
    assert world.patient.name not in message.text


@pytest.mark.parametrize(
    "changes",
    [{"scopes": ["copy"]}, {"proven_at": None}, {"revoked_at": now()}, {"expires_at": None}],
    ids=["may not see exams", "never proven", "revoked", "over"],
)
def test_who_may_not_see_the_exams_is_not_reminded(world: World, changes: dict[str, Any]) -> None:
    if "expires_at" in changes:
        changes = {"granted_at": now() - timedelta(days=9), "expires_at": now() - timedelta(days=1)}
    daughter(world, **changes)
    world.book(starts_at=next_week(world))
    first_reminder_due()
    assert told("exam_reminder_family") == []


@pytest.mark.parametrize("kind", ["family", "reminder"])
def test_the_elder_says_whether_the_family_is_reminded(world: World, kind: str) -> None:
    daughter(world)
    wish(world, refused=[kind])
    world.book(starts_at=next_week(world))
    first_reminder_due()
    assert {row.reason for row in told("exam_reminder_family")} == {"refused_by_patient"}
    assert [row.status for row in told("exam_reminder")] == ["sent" if kind == "family" else "dropped"]


def test_a_delegation_that_ended_while_the_reminder_waited_gets_none(world: World, settings: Any) -> None:
    row = daughter(world)
    world.book(starts_at=next_week(world))
    work_drain()
    settings.MESSAGES_PROVIDER = "nobody"
    first_reminder_due()
    Delegation.objects.filter(id=row.id).update(revoked_at=now())
    settings.MESSAGES_PROVIDER = "mailbox"
    due("message")
    assert [(row.status, row.reason) for row in told("exam_reminder_family")] == [
        ("dropped", "delegation_over")
    ]


def test_who_reads_english_or_wants_a_call_is_told_so(world: World) -> None:
    wish(world, language="en", channel="voice")
    exam = world.book(starts_at=next_week(world))
    work_drain()
    (message,) = told("exam_booked_en")
    assert (message.channel, message.status) == ("voice", "sent")
    assert "Nothing to eat after 20:00." in message.text
    assert telling.day_of(exam.starts_at, "en") in message.text


def change_in(world: World, hours: int, change: Callable[[Exam], object]) -> Message:
    exam = world.book(starts_at=now() + timedelta(hours=hours))
    change(exam)
    work_drain()
    return told("exam_cancelled", "exam_moved")[-1]


def test_the_night_holds_back_a_cancellation_next_week_but_not_one_of_this_night(
    world: World, night: datetime
) -> None:
    desk = world.principals["desk"]

    def cancel(exam: Exam) -> None:
        services.exam_cancel(principal=desk, exam_id=exam.id, reason="x")

    def move(exam: Exam) -> None:
        services.exam_move(principal=desk, exam_id=exam.id, starts_at=exam.starts_at + timedelta(days=9))

    far = change_in(world, 24 * 6, cancel)
    assert (far.status, far.not_before) == ("queued", night)
    assert change_in(world, 11, cancel).status == "sent"
    assert change_in(world, 10, move).status == "sent", "the old time is near: who is not told comes in vain"


def test_who_did_not_come_gives_the_place_back_and_who_is_here_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = world.book()
    here = world.book(starts_at=world.tomorrow(120))
    services.exam_check_in(principal=world.principals["desk"], exam_id=here.id)
    row = Work.objects.get(kind=later.NO_SHOW, payload__exam_id=str(gone.id))
    assert row.due_at == gone.starts_at + later.NO_SHOW_AFTER
    monkeypatch.setattr(booking, "now", lambda: row.due_at)
    due(later.NO_SHOW)
    monkeypatch.undo()
    states = dict(Exam.objects.values_list("id", "state"))
    assert (states[gone.id], states[here.id]) == ("no_show", "checked_in")
    assert world.book(patient_id=world.patient.id).state == "booked", "the time is free again"


def test_a_moved_exam_is_no_no_show_at_its_old_time(world: World) -> None:
    exam = world.book()
    services.exam_move(
        principal=world.principals["desk"], exam_id=exam.id, starts_at=exam.starts_at + timedelta(hours=3)
    )
    due(later.NO_SHOW, starts_at=exam.starts_at.isoformat())
    assert Exam.objects.get().state == "booked"


def readers(template: str) -> set[str]:
    return {User.objects.get(id=row.to).username for row in told(template)}


def test_the_desk_is_told_of_an_exam_that_does_not_start_and_not_of_one_that_did(world: World) -> None:
    world.live()
    due(later.LATE)
    assert told("exam_late") == []
    exam = world.book(starts_at=world.tomorrow(180))
    due(later.LATE)
    assert readers("exam_late") == {"desk"}
    assert world.patient.name not in told("exam_late")[0].text
    assert exam.accession in told("exam_late")[0].text


def test_an_unsigned_report_is_told_to_its_physician_then_to_quality_control(world: World) -> None:
    member(world, "quality_control", "expert")
    world.ended()
    due(later.UNSIGNED, who="physician")
    assert readers("report_unsigned") == {"expert"}
    Message.objects.all().delete()
    due(later.UNSIGNED, who="head")
    assert readers("report_unsigned") == {"expert", "expert-quality_control"}


def test_a_signed_report_reminds_nobody(world: World) -> None:
    exam = world.ended()
    Exam.objects.filter(id=exam.id).update(state="reported")
    due(later.UNSIGNED)
    assert told("report_unsigned") == []


def test_exams_booked_before_the_upgrade_are_watched_too_and_only_once(world: World) -> None:
    world.book(starts_at=next_week(world))
    kept = set(Work.objects.exclude(kind="message").values_list("kind", "key"))
    Work.objects.all().delete()
    for _ in range(2):
        later.watch_all()
        assert set(Work.objects.values_list("kind", "key")) == kept
        assert Work.objects.count() == len(kept)


def test_a_worker_that_dies_in_the_middle_of_a_reminder_neither_loses_nor_doubles_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.book(starts_at=next_week(world))
    work_drain()
    one = Work.objects.filter(kind=later.REMIND).order_by("due_at")[0].payload["at"]
    with monkeypatch.context() as dying:
        speak = telling.patient_told

        def speak_and_die(exam: Exam, template: str) -> None:
            speak(exam, template)
            raise SystemExit

        dying.setattr(telling, "patient_told", speak_and_die)
        with pytest.raises(SystemExit):
            due(later.REMIND, at=one)
    assert told("exam_reminder") == []
    row = Work.objects.get(kind=later.REMIND, payload__at=one)
    assert (row.finished_at, row.attempts) == (None, 1)
    due(later.REMIND, at=one)
    work_drain()
    assert [message.status for message in told("exam_reminder")] == ["sent"]

"""What must happen to an exam later, as rows of due work. A row knows the time it was written for and asks again.

Asking twice is asking once, so the sweep asks for every exam to come: those booked before an upgrade, and those whose
type got other reminder times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.work import works_add
from hospital.scheduling.exam_times import reminder_moments
from hospital.scheduling.models import ExamReminder

from . import preflight
from .models import Exam
from .states import Command, State

REMIND, NO_SHOW, LATE, UNSIGNED = "exam.remind", "exam.no_show", "exam.late", "exam.unsigned"
LATE_AFTER = timedelta(minutes=10)  # design value
NO_SHOW_AFTER = timedelta(minutes=30)  # design value; never before the booked time is over
UNSIGNED_AFTER = {"physician": timedelta(hours=4), "head": timedelta(hours=24)}  # design values
PREFLIGHT = "exam.preflight"
WATCH_AHEAD = timedelta(days=62)  # the furthest reminder is 30 days before


def moments_of(exam: Exam) -> list[tuple[int, int]]:
    """The type's reminders: (days before, minute of the Shanghai day)."""
    return _reminders(exam_type=exam.exam_type_id)


@prebuilt
def _reminders(*, exam_type: Value) -> QuerySet[ExamReminder, tuple[int, int]]:
    return ExamReminder.objects.filter(exam_type_id=exam_type).values_list("days_before", "minute")


def watch(exam: Exam) -> None:
    """Everything that is due for this exam at the time it has now; moments that are over are left out."""
    start = exam.starts_at.isoformat()
    moments = reminder_moments(exam.starts_at, moments_of(exam))
    reminders = [
        _work(REMIND, exam, moment, f"{start}:{moment.isoformat()}", at=moment.isoformat())
        for moment in moments
        if moment > now()
    ]
    before = _work(PREFLIGHT, exam, preflight.due_at(exam.starts_at), start)
    late = _work(LATE, exam, exam.starts_at + LATE_AFTER, start)
    gone = _work(NO_SHOW, exam, max(exam.starts_at + NO_SHOW_AFTER, exam.ends_at), start)
    works_add([*reminders, before, late, gone])


def _work(kind: str, exam: Exam, due_at: datetime, key: str, **more: str) -> Work:
    payload = {"exam_id": str(exam.id), "starts_at": exam.starts_at.isoformat(), **more}
    return Work(kind=kind, key=f"{exam.id}:{key}", payload=payload, due_at=due_at)


def watch_report(exam: Exam) -> None:
    works_add([_work(UNSIGNED, exam, now() + after, who, who=who) for who, after in UNSIGNED_AFTER.items()])


def stepped(exam: Exam, command: Command) -> None:
    """What is due after one step of the exam."""
    if command is Command.MOVE:
        watch(exam)
    elif command is Command.END:
        watch_report(exam)


def watch_all() -> None:
    """Every exam to come."""
    soon = Exam.objects.select_related("exam_type").filter(
        state=State.BOOKED, starts_at__gt=now(), starts_at__lt=now() + WATCH_AHEAD
    )
    for exam in soon.iterator():
        watch(exam)

"""What was promised, held against the database: a sentence for all that is lost and for all that is double."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from hospital.audit.models import AuditEntry
from hospital.common.clock import now, shanghai_day
from hospital.messages.models import Message
from hospital.scheduling.exam_times import reminder_moments
from hospital.scheduling.models import Reservation
from teleconsult import later
from teleconsult.models import Exam, ExamRequest, SlotOffer, WaitingEntry
from teleconsult.services.waiting import waiting_serve
from tests.bench.booking import OVERLAPS

RESERVED = 4  # two people, robot, room


class Findings:
    """Sentences by kind."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.doubled: list[str] = []

    def same(self, what: str, found: int, expected: int) -> None:
        """As many as there should be."""
        if found < expected:
            self.lost.append(f"{what}: {found} of {expected}")
        elif found > expected:
            self.doubled.append(f"{what}: {found} instead of {expected}")


def _scalar(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _exams(told: Findings, promised: dict[str, Any]) -> None:
    """Each is there as it was answered, with its four calendars; nothing is there that nobody was told of."""
    rows = {str(exam.id): exam for exam in Exam.objects.filter(exam_type_id="bench")}
    told.doubled += [f"exam {ident} that no answer speaks of" for ident in rows.keys() - promised.keys()]
    kept = Counter(
        Reservation.objects.filter(status="booked", appointment__exam__exam_type_id="bench").values_list(
            "appointment_id", flat=True
        )
    )
    for ident, promise in promised.items():
        exam = rows.get(ident)
        if exam is None:
            told.lost.append(f"exam {ident}")
            continue
        if exam.starts_at != datetime.fromisoformat(promise["starts_at"]) or exam.state != promise["state"]:
            told.lost.append(f"exam {ident}: {promise} but {exam.state} {exam.starts_at.isoformat()}")
        expected = 0 if promise["state"] == "cancelled" else RESERVED
        told.same(f"calendars of exam {ident}", kept[exam.appointment_id], expected)
    told.doubled += ["two reservations of one time"] * _scalar(OVERLAPS)


def _requests(told: Findings, promised: dict[str, Any]) -> None:
    """Each stands where it was answered; who waits has a place, and an open offer has its time."""
    rows = {str(row.id): row for row in ExamRequest.objects.filter(exam_type_id="bench")}
    told.doubled += [f"request {ident} that no answer speaks of" for ident in rows.keys() - promised.keys()]
    waiting = {str(ident) for ident in WaitingEntry.objects.values_list("request_id", flat=True)}
    for ident, promise in promised.items():
        row = rows.get(ident)
        found = None if row is None else {"state": row.state, "exam": row.exam_id and str(row.exam_id)}
        if found != promise:
            told.lost.append(f"request {ident}: {promise} but {found}")
        elif promise["state"] == "waiting" and ident not in waiting:
            told.lost.append(f"the place of request {ident}")
    for offer in SlotOffer.objects.filter(state="open", expires_at__gt=now()):
        held = Reservation.objects.filter(hold_id=offer.hold_id, status="hold", expires_at__gt=now()).count()
        told.same(f"calendars of offer {offer.id}", held, RESERVED)


def _offers(told: Findings, full: str) -> None:
    """Nobody waits for what is free: looking once more finds nothing to offer. Undone afterwards."""
    first, last = shanghai_day(datetime.fromisoformat(full).date())
    with transaction.atomic():
        told.lost += ["a free time that nobody who waits was offered"] * waiting_serve(
            starts_at=first, ends_at=last
        )
        transaction.set_rollback(True)


def _messages(told: Findings, promised: dict[str, Any]) -> None:
    """One for each reason, queued once, taken once."""
    rows = Message.objects.filter(about_kind="exam", about_id__in=list(promised))
    counted = Counter(
        (str(about), template.removesuffix("_en"))
        for about, template in rows.values_list("about_id", "template")
    )
    for ident, promise in promised.items():
        told.same(f"exam_booked of {ident}", counted[ident, "exam_booked"], int(not promise["made_before"]))
        told.same(f"exam_moved of {ident}", counted[ident, "exam_moved"], promise["moves"])
        told.same(
            f"exam_cancelled of {ident}",
            counted[ident, "exam_cancelled"],
            int(promise["state"] == "cancelled"),
        )
    moves = sum(promise["moves"] for promise in promised.values())
    cancelled = sum(promise["state"] == "cancelled" for promise in promised.values())
    notices = Counter(Message.objects.filter(channel="in_app").values_list("template", flat=True))
    told.same("notices of moves to two people", notices["exam_moved_staff"], 2 * moves)
    told.same("notices of cancellations to two people", notices["exam_cancelled_staff"], 2 * cancelled)
    told.same(
        "messages of offers",
        Message.objects.filter(template="waiting_offer").count(),
        SlotOffer.objects.count(),
    )
    _reminders(told, promised, counted)


def _reminders(told: Findings, promised: dict[str, Any], counted: Counter[tuple[str, str]]) -> None:
    """At least one to who was booked before a moment that is over; never more than such moments."""
    for exam in Exam.objects.filter(exam_type_id="bench").select_related("exam_type"):
        promise = promised.get(str(exam.id))
        if promise is None or promise["made_before"] or promise["moves"] or promise["state"] != "booked":
            continue
        due = [
            one
            for one in reminder_moments(exam.starts_at, later.moments_of(exam))
            if exam.created_at < one <= now()
        ]
        found = counted[str(exam.id), "exam_reminder"]
        told.same(f"reminders of exam {exam.id}", found, min(max(found, 1), len(due)) if due else 0)


def _on_record(told: Findings, promised: dict[str, Any]) -> None:
    """Each deed stands in the log once."""
    rows = AuditEntry.objects.filter(object_id__in=list(promised), outcome="done")
    counted = Counter((str(ident), action) for ident, action in rows.values_list("object_id", "action"))
    for ident, promise in promised.items():
        told.same(f"log of booking {ident}", counted[ident, "exam.book"], int(not promise["made_before"]))
        told.same(f"log of moving {ident}", counted[ident, "exam.move"], promise["moves"])
        told.same(
            f"log of cancelling {ident}", counted[ident, "exam.cancel"], int(promise["state"] == "cancelled")
        )


def after(answered: dict[str, Any]) -> dict[str, list[str]]:
    """`answered` is `{exams: {id: promise}, requests: {id: {state, exam}}, full}`."""
    told = Findings()
    _exams(told, answered["exams"])
    _requests(told, answered["requests"])
    _offers(told, answered["full"])
    _messages(told, answered["exams"])
    _on_record(told, answered["exams"])
    return {"lost": told.lost, "doubled": told.doubled}

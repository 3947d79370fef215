"""What an exam keeps of a patient, when the patient was last here, and what must be finished first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from hospital.common.clock import now
from hospital.common.retention import NETWORK, PATIENT, PROCESS, RECORD, UNSEEN, Part, Words, cutoff
from hospital.keeping.classes import rows
from hospital.people.retention import Visits
from hospital.records import retention as records
from hospital.scheduling import services as scheduling_services

from .models import CalendarFeed, Exam, ExamRequest, LinkQuality, Presence
from .states import PREPARING, SCANNING, State

REPORT_WITHIN = timedelta(days=30)  # design value: a report nobody wrote by then holds up no request
RUNNING = [str(state) for state in PREPARING | SCANNING]
_BOOKING = Q(checked_in_at=None)
_OVER_AT = Coalesce("ended_at", "started_at", "checked_in_at")


_SEEN = Exam.objects.filter(checked_in_at__isnull=False)  # somebody was really here


def _last(patient_id: UUID) -> datetime | None:
    found: datetime | None = _SEEN.filter(patient_id=patient_id).aggregate(at=Max(_OVER_AT))["at"]
    return found


def _seen_since(moment: datetime | None) -> QuerySet[Exam, UUID]:
    rows = _SEEN if moment is None else _SEEN.filter(GreaterThanOrEqual(_OVER_AT, moment))
    return rows.values_list("patient_id", flat=True)


def _open(patient_id: UUID) -> str:
    """Something runs, or a booking that its own clock still keeps: the record waits for it."""
    own = Exam.objects.filter(patient_id=patient_id)
    if own.filter(state__in=RUNNING).exists():
        return "exam_running"
    return "booking_kept" if own.filter(_BOOKING, starts_at__gte=cutoff(UNSEEN, now())).exists() else ""


def still_running(patient_id: UUID) -> str:
    """What an erasure request waits for: an exam in the house, or a report that is still to be signed.

    Locks the patient's exams: nobody checks in between this look and the restriction.
    """
    own = Exam.objects.select_for_update(of=("self",)).filter(patient_id=patient_id).order_by("id")
    found = list(own.values_list("state", "ended_at"))
    if any(state in RUNNING for state, _ in found):
        return "exam_running"
    young = now() - REPORT_WITHIN
    unsigned = any(state == State.ENDED and ended_at and ended_at > young for state, ended_at in found)
    return "report_open" if unsigned else ""


VISITS = Visits(last=_last, seen_since=_seen_since, open=_open)


def _exams(patient_id: UUID) -> QuerySet[Exam]:
    return Exam.objects.filter(patient_id=patient_id)


def _bookings(patient_id: UUID, before: datetime | None) -> QuerySet[Exam]:
    """Cancelled, missed or forgotten: nobody came, so it is no part of an outpatient record."""
    rows = _exams(patient_id).filter(_BOOKING)
    return rows if before is None else rows.filter(starts_at__lt=before)


def _exams_erase(rows: QuerySet[Exam]) -> int:
    found = list(rows.values_list("id", "appointment_id"))
    Exam.objects.filter(id__in=[exam for exam, _ in found]).delete()
    scheduling_services.appointments_erase(appointment_ids=[appointment for _, appointment in found])
    return len(found)


def _ids(rows: QuerySet[Exam]) -> list[UUID]:
    return list(rows.values_list("id", flat=True))


def _links(patient_id: UUID, before: datetime | None) -> QuerySet[LinkQuality]:
    rows = LinkQuality.objects.filter(exam__patient_id=patient_id)
    return rows if before is None else rows.filter(at__lt=before)


def _presences(patient_id: UUID, before: datetime | None) -> QuerySet[Presence]:
    rows = Presence.objects.filter(exam__patient_id=patient_id)
    return rows if before is None else rows.filter(last_seen_at__lt=before)


def _process_count(patient_id: UUID, before: datetime | None) -> int:
    return _links(patient_id, before).count() + _presences(patient_id, before).count()


def _process_erase(patient_id: UUID, before: datetime | None) -> int:
    return _links(patient_id, before).delete()[0] + _presences(patient_id, before).delete()[0]


def _process_candidates(before: datetime) -> QuerySet[LinkQuality, UUID]:
    return LinkQuality.objects.filter(at__lt=before).values_list("exam__patient_id", flat=True).distinct()


def _asked(patient_id: UUID, before: datetime | None) -> QuerySet[ExamRequest]:
    """Asked for, and nobody came."""
    rows = ExamRequest.objects.filter(Q(exam=None) | Q(exam__checked_in_at=None), patient_id=patient_id)
    return rows if before is None else rows.filter(asked_at__lt=before)


def _done(patient_id: UUID) -> QuerySet[ExamRequest]:
    return ExamRequest.objects.filter(patient_id=patient_id, exam__checked_in_at__isnull=False)


def _requests_erase(rows: QuerySet[ExamRequest]) -> int:
    count = rows.count()
    rows.delete()
    return count


def _record(what: str, words: Words, order: int) -> Part:
    """A part that hospital.records keeps by exam."""

    def by_exam(do: Callable[..., int], patient_id: UUID, before: datetime | None) -> int:
        return do(what, _ids(_exams(patient_id)))

    return Part(
        name=f"records.{what}",
        words=words,
        subject=PATIENT,
        clock=RECORD,
        order=order,
        count=partial(by_exam, records.count),
        erase=partial(by_exam, records.erase),
        ids=lambda patient_id, before: _ids(_exams(patient_id)),
    )


PARTS = (
    _record("missing_view", ("未采集切面的说明", "reasons for missing views"), 95),
    _record("measurement", ("测量", "measurements"), 94),
    _record("report", ("检查报告（各版本）", "reports, all versions"), 93),
    _record("frozen", ("冻结帧", "frozen frames"), 92),
    _record("image", ("影像", "pictures"), 91),
    Part(
        name="teleconsult.process",
        words=("检查过程的连接记录", "traces of the session: link and presence"),
        subject=PATIENT,
        clock=PROCESS,
        own_clock=True,
        order=90,
        count=_process_count,
        erase=_process_erase,
        newest=lambda patient_id: _links(patient_id, None).aggregate(at=Max("at"))["at"],
        candidates=_process_candidates,
    ),
    Part(
        name="teleconsult.request",
        words=("检查申请", "requests for exams"),
        subject=PATIENT,
        clock=RECORD,
        order=83,
        count=lambda patient_id, before: _done(patient_id).count(),
        erase=lambda patient_id, before: _requests_erase(_done(patient_id)),
    ),
    Part(
        name="teleconsult.request_unseen",
        words=("未就诊的检查申请", "requests nobody came for"),
        subject=PATIENT,
        clock=UNSEEN,
        own_clock=True,
        on_request=True,
        order=82,
        count=lambda patient_id, before: _asked(patient_id, before).count(),
        erase=lambda patient_id, before: _requests_erase(_asked(patient_id, before)),
        newest=lambda patient_id: _asked(patient_id, None).aggregate(at=Max("asked_at"))["at"],
        candidates=lambda before: (
            ExamRequest.objects.filter(asked_at__lt=before).values_list("patient_id", flat=True).distinct()
        ),
    ),
    Part(
        name="teleconsult.booking",
        words=("未就诊的预约", "bookings nobody came to"),
        subject=PATIENT,
        clock=UNSEEN,
        own_clock=True,
        on_request=True,
        order=81,
        count=lambda patient_id, before: _bookings(patient_id, before).count(),
        erase=lambda patient_id, before: _exams_erase(_bookings(patient_id, before)),
        newest=lambda patient_id: _bookings(patient_id, None).aggregate(at=Max("starts_at"))["at"],
        ids=lambda patient_id, before: _ids(_bookings(patient_id, before)),
        candidates=lambda before: (
            Exam.objects.filter(_BOOKING, starts_at__lt=before)
            .values_list("patient_id", flat=True)
            .distinct()
        ),
    ),
    Part(
        name="teleconsult.exam",
        words=("检查记录", "exams"),
        subject=PATIENT,
        clock=RECORD,
        order=80,
        count=lambda patient_id, before: _exams(patient_id).exclude(_BOOKING).count(),
        erase=lambda patient_id, before: _exams_erase(_exams(patient_id).exclude(_BOOKING)),
        ids=lambda patient_id, before: _ids(_exams(patient_id)),
    ),
)
FEEDS = rows(
    "teleconsult.feed",
    ("已停用的日历订阅地址", "calendar addresses that were revoked"),
    NETWORK,
    lambda before: CalendarFeed.objects.filter(revoked_at__lt=before),
)

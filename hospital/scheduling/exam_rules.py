"""An exam type's rules held against one booking: a stable code and what a person needs to choose another time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from hospital.common.errors import Conflict, Invalid
from hospital.common.prebuilt import Value, prebuilt

from . import exam_times
from .exam_times import Order, Procedure
from .models import ExamType, ExamWindow, OrderRule, Resource
from .selectors import busy_periods, qualified, taken


def windows_of(kind: ExamType) -> list[tuple[int, int]]:
    return _windows(code=kind.code)


def orders_of(kind: ExamType) -> list[Order]:
    return [Order(*rule) for rule in _orders(code=kind.code)]


@prebuilt
def _windows(*, code: Value) -> QuerySet[ExamWindow, tuple[int, int]]:
    return ExamWindow.objects.filter(exam_type_id=code).values_list("opens_minute", "closes_minute")


@prebuilt
def _orders(*, code: Value) -> QuerySet[OrderRule, tuple[str, str, int]]:
    return OrderRule.objects.filter(exam_type_id=code).values_list("procedure", "kind", "days")


def clock(minute: int) -> str:
    """A minute of the day as people write it, 24:00 included."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def refuse_unfit(
    kind: ExamType,
    *,
    starts_at: datetime,
    ends_at: datetime,
    resource_ids: Sequence[UUID],
    assistant: bool,
    procedures: Iterable[Procedure],
    time_asked: bool = True,
) -> None:
    """Invalid `assistant_needed`, `not_qualified`; Conflict `outside_exam_hours`, `must_come_before`,
    `too_soon_after`. `time_asked` False for what keeps its time: rules that came later do not move it."""
    if kind.assistant and not assistant:
        raise Invalid("assistant_needed", field="assistant_id")
    _refuse_unqualified(kind, resource_ids)
    if not time_asked:
        return
    windows = windows_of(kind)
    if not exam_times.in_windows(starts_at, ends_at, windows):
        hours = [{"from": clock(opens), "to": clock(closes)} for opens, closes in sorted(windows)]
        raise Conflict("outside_exam_hours", hours=hours)
    _refuse_order(kind, starts_at, procedures)


def _refuse_unqualified(kind: ExamType, resource_ids: Sequence[UUID]) -> None:
    unable = _unable(code=kind.code, ids=tuple(resource_ids))
    names = [{"resource_id": str(row.id), "name": row.name, "name_en": row.name_en} for row in unable]
    if names:
        raise Invalid("not_qualified", resources=names)


@prebuilt
def _unable(*, code: Value, ids: Value) -> QuerySet[Resource]:
    able = Resource.objects.filter(qualified(code), id__in=ids).values("id")
    return Resource.objects.filter(id__in=ids).exclude(id__in=able).order_by("kind", "id")


def _refuse_order(kind: ExamType, starts_at: datetime, procedures: Iterable[Procedure]) -> None:
    known = list(procedures)
    if not known:
        return
    for order in orders_of(kind):
        for procedure in known:
            code = exam_times.order_problem(starts_at, order, procedure)
            if code is not None:
                raise Conflict(
                    code,
                    procedure=procedure.code,
                    procedure_at=procedure.at.isoformat(),
                    free_from=exam_times.order_free_from(order, procedure).isoformat(),
                )


def probes_at(probe_type: str, place_id: UUID, code: str) -> QuerySet[Resource]:
    """The probes of a type in one institution that may be used for the exam type."""
    rows = Resource.objects.filter(qualified(code), kind="probe", probe_type=probe_type, active=True)
    return rows.filter(institution_id=place_id).distinct().order_by("name", "id")


def probe_for(kind: ExamType, *, place_id: UUID, starts_at: datetime, ends_at: datetime) -> Resource | None:
    """The probe that a booking takes: a free one, else the first, so that the refusal names it; None when the type
    needs none. Invalid `no_such_probe`."""
    if not kind.probe:
        return None
    rows = list(probes_at(kind.probe, place_id, kind.code))
    if not rows:
        raise Invalid("no_such_probe", probe=kind.probe)
    periods = busy_periods(rows, starts_at, ends_at)
    in_use = {row["resource_id"] for row in taken(periods)}
    return next((row for row in rows if str(row.id) not in in_use), rows[0])

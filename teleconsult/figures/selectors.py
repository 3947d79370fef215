"""The rows behind the figures, within what the caller may see: exams their institution asked for or performed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Min, Q

from devices.fleet.models import RobotEvent
from hospital.access.models import Institution, User
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import NotFound
from hospital.records.models import Report
from hospital.scheduling import availability
from hospital.scheduling.hours import open_on
from hospital.scheduling.models import Reservation, Resource
from hospital.scheduling.states import BOOKED

from ..models import Exam, ExamRequest, LinkQuality
from . import counts
from .counts import Case

ACTION = "figures.read"
KINDS = ("robot", "room")  # whose use is shown
STOP = "stop"  # kind of a robot's event
_COLUMNS = (
    "id",
    "requesting_institution_id",
    "remote_physician_id",
    "state",
    "end_code",
    "created_at",
    "starts_at",
    "checked_in_at",
    "started_at",
    "ended_at",
)


def _mine(principal: Principal, institution_id: UUID | None) -> list[UUID]:
    """Where the caller reads figures; of these the one asked for. NotFound for one that is not theirs."""
    mine = sorted(places(principal, ACTION))
    if institution_id is None:
        return mine
    if institution_id not in mine:
        raise NotFound()
    return [institution_id]


def _exams(mine: Sequence[UUID], start: datetime, end: datetime) -> list[dict[str, Any]]:
    """No patient is read: what remains of erased and restricted records is counted like the rest."""
    rows = Exam.objects.filter(
        Q(requesting_institution_id__in=mine) | Q(performing_institution_id__in=mine),
        starts_at__gte=start,
        starts_at__lt=end,
    )
    return list(rows.order_by("starts_at", "id").values(*_COLUMNS))


def _asked_at(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When a clinician asked for it, of exams that were booked from a request."""
    rows = ExamRequest.objects.filter(exam_id__in=ids).values_list("exam_id", "asked_at")
    return {exam_id: at for exam_id, at in rows if exam_id is not None}


def _signed_at(ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """The first signature of each exam's report."""
    rows = Report.objects.filter(exam_id__in=ids, signed_at__isnull=False).values("exam_id")
    return {row["exam_id"]: row["first"] for row in rows.annotate(first=Min("signed_at"))}


def _stops(ids: Sequence[UUID]) -> Counter[UUID]:
    rows = RobotEvent.objects.filter(exam_id__in=ids, kind=STOP).values_list("exam_id", flat=True)
    return Counter(ident for ident in rows if ident is not None)


def _links(ids: Sequence[UUID]) -> dict[UUID, list[tuple[float, bool]]]:
    found: dict[UUID, list[tuple[float, bool]]] = defaultdict(list)
    for exam_id, rtt, good in LinkQuality.objects.filter(exam_id__in=ids).values_list(
        "exam_id", "rtt_p50_ms", "good"
    ):
        found[exam_id].append((rtt, good))
    return found


def cases(mine: Sequence[UUID], start: datetime, end: datetime) -> list[Case]:
    """Every exam whose time lies in [start, end), asked for or performed by these institutions."""
    rows = _exams(mine, start, end)
    ids = [row["id"] for row in rows]
    asked, signed, stops, links = _asked_at(ids), _signed_at(ids), _stops(ids), _links(ids)
    return [
        Case(
            institution_id=row["requesting_institution_id"],
            operator_id=row["remote_physician_id"],
            state=row["state"],
            cause=row["end_code"],
            asked_at=asked.get(row["id"], row["created_at"]),
            starts_at=row["starts_at"],
            checked_in_at=row["checked_in_at"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            signed_at=signed.get(row["id"]),
            stops=stops[row["id"]],
            rtt_ms=median(rtt for rtt, _ in links[row["id"]]) if row["id"] in links else None,
            poor_links=sum(not good for _, good in links.get(row["id"], [])),
        )
        for row in rows
    ]


def _booked_min(ids: Sequence[UUID], start: datetime, end: datetime) -> dict[UUID, float]:
    """Minutes that each calendar was booked in [start, end), with what it needs before and after."""
    found: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    rows = Reservation.objects.filter(resource_id__in=ids, status=BOOKED, period__overlap=(start, end))
    for ident, period in rows.values_list("resource_id", "period"):
        span = availability.seconds(max(period.lower, start), min(period.upper, end))
        found[ident].append(span)
    return {ident: counts.covered_min(spans) for ident, spans in found.items()}


def _open_min(resources: Sequence[Resource], month: date) -> dict[UUID, float]:
    """Minutes that each was open in the month; days to come are left out, like what is booked on them."""
    last = min(counts.month_after(month), _tomorrow())
    days = [month + timedelta(days=number) for number in range(max(0, (last - month).days))]
    if not days:
        return {}
    opens = availability.opening(resources, shanghai_day(days[0])[0], shanghai_day(days[-1])[1])
    now_s = int(now().timestamp())
    return {
        ident: counts.covered_min(
            span for day in days for span in open_on(opens[ident], day, place=None, now_s=now_s, offered=True)
        )
        for ident in opens
    }


def _tomorrow() -> date:
    return today() + timedelta(days=1)


def uses(mine: Sequence[UUID], months: Iterable[date]) -> list[dict[str, Any]]:
    """How much of their open time robots and rooms were booked: `{month, resource_id, open_min, booked_min, share}`."""
    resources = list(
        Resource.objects.filter(institution_id__in=mine, kind__in=KINDS).order_by("kind", "name", "id")
    )
    found = []
    for month in months:
        opens = _open_min(resources, month)
        end = min(shanghai_day(counts.month_after(month))[0], shanghai_day(_tomorrow())[0])
        booked = _booked_min([row.id for row in resources], shanghai_day(month)[0], end) if opens else {}
        for row in resources:
            open_min, busy_min = opens.get(row.id, 0.0), booked.get(row.id, 0.0)
            found.append(
                {
                    "month": month.isoformat()[:7],
                    "resource_id": str(row.id),
                    "kind": row.kind,
                    "name": row.name,
                    "name_en": row.name_en,
                    "open_min": round(open_min),
                    "booked_min": round(busy_min),
                    "share": round(busy_min / open_min, 3) if open_min else None,
                }
            )
    return found


def figures(principal: Principal, *, months: Sequence[date], institution_id: UUID | None) -> dict[str, Any]:
    """Everything the page draws and the file holds. NotFound for an institution whose figures are not the caller's."""
    mine = _mine(principal, institution_id)
    start, end = shanghai_day(months[0])[0], shanghai_day(counts.month_after(months[-1]))[0]
    found = cases(mine, start, end)
    return {
        "months": [month.isoformat()[:7] for month in months],
        "institutions": _named(Institution, {*mine, *(case.institution_id for case in found)}),
        "mine": [str(ident) for ident in sorted(places(principal, ACTION))],
        "whole": counts.summary(found),
        "by_month": [
            {
                "month": month.isoformat()[:7],
                **counts.summary([c for c in found if counts.month_of(c.starts_at) == month]),
            }
            for month in months
        ],
        "rows": [
            {"month": month.isoformat()[:7], "institution_id": str(place), **counts.summary(rows)}
            for (month, place), rows in sorted(
                counts.by_month(found).items(), key=lambda row: (row[0][0], str(row[0][1]))
            )
        ],
        "operators": _operators(found),
        "uses": uses(mine, months),
    }


def _operators(found: Sequence[Case]) -> list[dict[str, Any]]:
    rows = counts.by_operator(found)
    names = _named(User, set(rows))
    return [
        {
            "user_id": str(ident),
            "name": names[str(ident)]["name"],
            "scan_min": counts.spread(x for case in of for x in counts.scans_min(case)).json(),
            "report_min": counts.spread(x for case in of for x in counts.reports_min(case)).json(),
        }
        for ident, of in sorted(rows.items(), key=lambda row: (-len(row[1]), str(row[0])))
    ]


def _named(model: Any, ids: set[UUID]) -> dict[str, dict[str, str]]:
    rows = model.objects.filter(id__in=ids)
    return {
        str(row.id): {"name": row.name, "name_en": getattr(row, "name_en", "") or row.name} for row in rows
    }

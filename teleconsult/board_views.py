"""The board as JSON: patients masked, people and things named once in the lines."""

from __future__ import annotations

from typing import Any

from hospital.access.principals import Principal
from hospital.common.clock import today
from hospital.common.error_texts import title
from hospital.people.rules import age_on, masked_name

from .board import Line, Link, Look
from .models import Exam
from .representations import allowed_commands
from .states import PREPARING, SCANNING
from .turnover_views import turnover_json


def line_json(line: Line) -> dict[str, Any]:
    row = line.resource
    return {
        "kind": line.kind,
        "key": str(line.key),
        "name": row.name,
        "name_en": row.name_en,
        "busy": line.busy,
        "closed": line.closed,
        "online": line.online,
        "problem": line.problem,
    }


def _patient(exam: Exam) -> dict[str, Any]:
    patient = exam.patient
    return {
        "id": str(patient.id),
        "name_masked": masked_name(patient.name),
        "sex": patient.sex,
        "age": age_on(patient.birth_date, today()),
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
    }


def _named(row: Any) -> dict[str, str] | None:
    if row is None:
        return None
    return {"id": str(row.id), "name": row.name, "name_en": getattr(row, "name_en", "")}


def _link(exam: Exam, link: Link | None) -> dict[str, Any] | None:
    """Only of an exam that is prepared or runs."""
    if link is None or exam.state not in PREPARING | SCANNING:
        return None
    return {
        "console": link.console,
        "bedside": link.bedside,
        "good": link.good,
        "rtt_p95_ms": link.rtt_p95_ms,
    }


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None


def exam_on_board(
    exam: Exam, principal: Principal, link: Link | None = None, number: int | None = None
) -> dict[str, Any]:
    """One block: no name in full, no clinical word. `number` is the queue's."""
    return {
        "id": str(exam.id),
        "accession": exam.accession,
        "state": exam.state,
        "starts_at": exam.starts_at.isoformat(),
        "ends_at": exam.ends_at.isoformat(),
        "checked_in_at": _iso(exam.checked_in_at),
        "started_at": _iso(exam.started_at),
        "ended_at": _iso(exam.ended_at),
        "exam_type": {
            "code": exam.exam_type_id,
            "name_zh": exam.exam_type.name_zh,
            "name_en": exam.exam_type.name_en,
        },
        "patient": _patient(exam),
        "room": _named(exam.room),
        "robot": _named(exam.robot),
        "remote_physician": _named(exam.remote_physician),
        "bedside_physician": _named(exam.bedside_physician),
        "team": [str(one) for one in exam.booked_with],
        "queue_number": number,
        "link": _link(exam, link),
        "allowed": allowed_commands(principal, exam),
    }


def _alarms(look: Look, language: str) -> list[dict[str, Any]]:
    """What would keep an exam from starting that begins within 15 minutes, by exam."""
    return [
        {
            "exam_id": str(exam_id),
            "problems": [{"code": code, "title": title(code, language)} for code in codes],
        }
        for exam_id, codes in look.alarms.items()
    ]


def board_json(look: Look, principal: Principal, language: str = "zh") -> dict[str, Any]:
    return {
        "day": look.day.isoformat(),
        "days": look.days,
        "lines": [line_json(line) for line in look.lines],
        "results": [
            exam_on_board(exam, principal, look.links.get(exam.id), look.numbers.get(exam.id))
            for exam in look.exams
        ],
        "alarms": _alarms(look, language),
        "turnovers": [turnover_json(row) for row in look.turnovers],
        "next": None,
    }

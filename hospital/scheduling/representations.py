"""Exam types and calendars as JSON."""

from __future__ import annotations

from typing import Any

from hospital.common.clock import SHANGHAI

from .exam_rules import clock
from .models import CalendarException, ExamType, ReleasedTime, Resource, WeeklyHours


def exam_type_json(kind: ExamType) -> dict[str, Any]:
    """With its rules; hours and reminders are of the Shanghai day."""
    return {
        "code": kind.code,
        "name_zh": kind.name_zh,
        "name_en": kind.name_en,
        "minutes": kind.minutes,
        "service": kind.service,
        "preparation_zh": kind.preparation_zh,
        "preparation_en": kind.preparation_en,
        "views": kind.views,
        "assistant": kind.assistant,
        "probe": kind.probe,
        "windows": [
            {"opens": clock(row.opens_minute), "closes": clock(row.closes_minute)}
            for row in sorted(kind.windows.all(), key=lambda row: row.opens_minute)
        ],
        "order_rules": [
            {"procedure": row.procedure, "kind": row.kind, "days": row.days}
            for row in sorted(kind.order_rules.all(), key=lambda row: (row.procedure, row.kind))
        ],
        "reminders": [
            {"days_before": row.days_before, "at": clock(row.minute)}
            for row in sorted(kind.reminders.all(), key=lambda row: (-row.days_before, row.minute))
        ],
    }


def resource_json(row: Resource) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "name": row.name,
        "name_en": row.name_en,
        "user_id": str(row.user_id) if row.user_id else None,
        "institution_id": str(row.institution_id),
        "institution": row.institution.name,
        "before_minutes": row.before_minutes,
        "after_minutes": row.after_minutes,
        "probe_type": row.probe_type,
        "languages": row.languages,
        "exam_types": sorted(kind.code for kind in row.exam_types.all()),
        "by_release": row.by_release,
    }


def hours_json(row: WeeklyHours) -> dict[str, Any]:
    return {
        "weekday": row.weekday,
        "opens": clock(row.opens_minute),
        "closes": clock(row.closes_minute),
        "place_id": str(row.place_id) if row.place_id else None,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
    }


def _period(row: Any) -> dict[str, str]:
    period = row.period
    lower, upper = period if isinstance(period, tuple) else (period.lower, period.upper)
    return {
        "starts_at": lower.astimezone(SHANGHAI).isoformat(),
        "ends_at": upper.astimezone(SHANGHAI).isoformat(),
    }


def exception_json(row: CalendarException) -> dict[str, Any]:
    """`whole_institution`: it closes or opens everything there."""
    return {
        "id": str(row.id),
        **_period(row),
        "open": row.open,
        "reason": row.reason,
        "note": row.note,
        "whole_institution": row.resource_id is None,
    }


def released_json(row: ReleasedTime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        **_period(row),
        "partner_id": str(row.partner_id) if row.partner_id else None,
        "partner": row.partner.name if row.partner else None,
    }

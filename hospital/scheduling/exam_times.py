"""The rules that an exam type can have about its time, on Shanghai's clock: hours, order, reminders. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hospital.common.clock import SHANGHAI, shanghai_day

from .rules import BEFORE


def minute_of_day(moment: datetime) -> float:
    """Minutes since midnight in Shanghai, with the fraction."""
    local = moment.astimezone(SHANGHAI)
    return local.hour * 60 + local.minute + (local.second + local.microsecond / 1e6) / 60


def in_windows(starts_at: datetime, ends_at: datetime, windows: Iterable[tuple[int, int]]) -> bool:
    """Whether the whole exam lies in one window (opens, closes) of its Shanghai day; no windows allow every hour."""
    allowed = list(windows)
    opens = minute_of_day(starts_at)
    closes = opens + (ends_at - starts_at) / timedelta(minutes=1)
    return not allowed or any(first <= opens and closes <= last for first, last in allowed)


@dataclass(frozen=True)
class Procedure:
    """Another procedure of the patient, as the desk was told: its code and when it is."""

    code: str
    at: datetime


@dataclass(frozen=True)
class Order:
    """One order rule: `before` or `days_after` a procedure; `days` counts Shanghai days from the procedure's own."""

    procedure: str
    kind: str
    days: int


def order_problem(starts_at: datetime, order: Order, procedure: Procedure) -> str | None:
    """`must_come_before` or `too_soon_after` when the exam lies after the procedure and less than `days` days on.

    With days 1 the rest of the procedure's own day is closed: before gastroscopy (gas), any time earlier is good.
    """
    if order.procedure != procedure.code or starts_at < procedure.at:
        return None
    if starts_at >= order_free_from(order, procedure):
        return None
    return "must_come_before" if order.kind == BEFORE else "too_soon_after"


def order_free_from(order: Order, procedure: Procedure) -> datetime:
    """Midnight of the first Shanghai day on which the exam is possible again."""
    day = procedure.at.astimezone(SHANGHAI).date() + timedelta(days=order.days)
    return shanghai_day(day)[0]


def reminder_moments(starts_at: datetime, reminders: Iterable[tuple[int, int]]) -> list[datetime]:
    """When a patient is reminded, from rows (days before, minute of the Shanghai day); ascending."""
    day = starts_at.astimezone(SHANGHAI).date()
    return sorted(
        shanghai_day(day - timedelta(days=days))[0] + timedelta(minutes=minute) for days, minute in reminders
    )

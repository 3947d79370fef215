"""How a queue moves, as plain functions: whose turn it is, where a passed number returns, how late it will be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

RETURNS_AFTER = 2  # console.md section 5: a passed number returns after two
TELL_BEYOND = timedelta(minutes=20)  # console.md section 5
LAST_N = 20  # design value: as many exams of a type say how long the next will take
ENOUGH_N = 5  # design value: fewer say nothing, the planned time counts
SLIP = "YDA."  # what a slip's QR code begins with
TAIL = re.compile(r"\A(\d{3}[\dX])\s+(\S.*)\Z")


def turn_after(own: float, waiting: Sequence[float]) -> float:
    """The turn of a number that was passed: between the second and the third of those who wait, never before its own.

    `waiting` in order, without the passed one. With fewer than three it is the last.
    """
    if not waiting:
        return own
    behind = waiting[:RETURNS_AFTER][-1]
    following = waiting[RETURNS_AFTER : RETURNS_AFTER + 1]
    return max(own, (behind + following[0]) / 2 if following else behind + 1)


@dataclass(frozen=True)
class Said:
    """What somebody shows at the desk: a slip's token, a document's number, or a phone's tail and a name."""

    token: str = ""
    document_number: str = ""
    phone_tail: str = ""
    name: str = ""


def said_of(text: str) -> Said | None:
    """What was scanned or typed; None for what is nothing of the three. Full-width characters count as ASCII."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.upper().startswith(SLIP):
        return Said(token=plain[len(SLIP) :])
    tail = TAIL.match(plain.upper())
    if tail:
        return Said(phone_tail=tail[1], name=tail[2])
    if len(plain) >= 6 and re.fullmatch(r"[A-Za-z0-9()/-]+", plain):
        return Said(document_number=plain)
    return None


def expected_minutes(durations: Sequence[float], planned: float) -> float:
    """How long an exam will take: the median of the last ones of its type, never less than half the planned time.

    `durations` in minutes, the newest first. A median: one exam that went wrong says nothing about the next.
    """
    recent = durations[:LAST_N]
    if len(recent) < ENOUGH_N:
        return planned
    return max(median(recent), planned / 2)


@dataclass(frozen=True)
class Planned:
    """One who waits: the time booked, and how long the exam will take."""

    exam_id: UUID
    starts_at: datetime
    minutes: float


def predicted(waiting: Iterable[Planned], free_at: datetime) -> dict[UUID, datetime]:
    """When each will begin, in their order, in a room that is free from `free_at` on; never before the booked time."""
    starts: dict[UUID, datetime] = {}
    for row in waiting:
        starts[row.exam_id] = max(row.starts_at, free_at)
        free_at = starts[row.exam_id] + timedelta(minutes=row.minutes)
    return starts


def too_late(starts_at: datetime, predicted_at: datetime) -> bool:
    """Whether somebody must be told that they wait."""
    return predicted_at - starts_at > TELL_BEYOND

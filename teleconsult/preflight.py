"""Fifteen minutes before each exam: what would keep it from starting, told to the desk and not to who lies there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from devices.fleet import selectors as fleet
from hospital.access import tablets
from hospital.common.clock import SHANGHAI, now
from hospital.people import licences
from hospital.people import selectors as people

from . import turnover
from .models import Exam
from .states import PREPARING, State

BEFORE = timedelta(minutes=15)  # issue: pre-flight before each slot
TABLET_WITHIN = timedelta(
    hours=12
)  # design value: a tablet that nobody used in this shift may be empty or gone
AWAITED = PREPARING | {State.BOOKED}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about one exam's robot, room and physician, now. `self_test`: the robot's newest, "" for none."""

    robot_online: bool
    robot_overdue: bool
    self_test: str
    tablet_paired: bool
    tablet_seen_at: datetime | None
    agreement: bool
    practice_problems: tuple[str, ...]
    turnover_open: bool


def problems(facts: Facts, at: datetime) -> list[str]:
    """Codes, the hardest to put right first. A room without a paired tablet works with another device."""
    unseen = facts.tablet_seen_at is None or at - facts.tablet_seen_at > TABLET_WITHIN
    return [
        *([] if facts.agreement else ["agreement_missing"]),
        *facts.practice_problems,
        *(["robot_overdue"] if facts.robot_overdue else []),
        *([] if facts.robot_online else ["robot_offline"]),
        *(["self_test_failed"] if facts.self_test in ("failed", "timed_out") else []),
        *(["turnover_open"] if facts.turnover_open else []),
        *(["tablet_unseen"] if facts.tablet_paired and unseen else []),
    ]


def facts(exam: Exam) -> Facts:
    on = exam.starts_at.astimezone(SHANGHAI).date()
    test = fleet.newest_self_test(exam.robot_id)
    paired, seen_at = tablets.room_seen(exam.room_id)
    agreement = people.agreement_covering(
        inviting_id=exam.requesting_institution_id,
        invited_id=exam.performing_institution_id,
        service=exam.exam_type.service,
        on=on,
    )
    return Facts(
        robot_online=fleet.is_online(exam.robot),
        robot_overdue=fleet.is_overdue(exam.robot, on),
        self_test=fleet.self_test_state(test) if test else "",
        tablet_paired=paired,
        tablet_seen_at=seen_at,
        agreement=agreement is not None,
        turnover_open=any(turnover.is_due(owed.turnover) for owed in turnover.owed_before(exam)),
        practice_problems=licences.practice_problems(
            user_id=exam.remote_physician_id,
            requesting_id=exam.requesting_institution_id,
            performing_id=exam.performing_institution_id,
            service=exam.exam_type.service,
            on=on,
        ),
    )


def due_at(starts_at: datetime) -> datetime:
    return starts_at - BEFORE


def is_close(exam: Exam, at: datetime) -> bool:
    """It begins within 15 minutes, or should have, and nobody began it."""
    return exam.state in AWAITED and due_at(exam.starts_at) <= at < exam.ends_at


def alarms(exams: Iterable[Exam]) -> dict[UUID, list[str]]:
    """What stands against each exam that is close, read now: an alarm that was put right is gone by itself."""
    at = now()
    found = {exam.id: problems(facts(exam), at) for exam in exams if is_close(exam, at)}
    return {exam_id: codes for exam_id, codes in found.items() if codes}

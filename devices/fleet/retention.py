"""A robot's use file: who held control, self-tests, stops and everything else it told. Kept for its life and 5 years.

Its exams' medical record is the patients' and has its own clock; the robot's row itself stays as a name plate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from hospital.common.retention import DEVICE, ROBOT, Part, Standing, Subject, Words, cutoff

from .models import ControlLease, Robot, RobotEvent, SelfTest


def _lock(robot_id: UUID) -> bool:
    return Robot.objects.select_for_update(of=("self",)).filter(id=robot_id).first() is not None


def _find(text: str) -> list[UUID]:
    """By id or name, in either language; two hospitals may give a robot the same one."""
    try:
        return [UUID(text)]
    except ValueError:
        named = Robot.objects.filter(Q(name=text.strip()) | Q(name_en=text.strip()))
        return list(named.order_by("id").values_list("id", flat=True)) if text.strip() else []


def _institution(robot_id: UUID) -> UUID | None:
    return Robot.objects.filter(id=robot_id).values_list("institution_id", flat=True).first()


def _standing(robot_id: UUID) -> Standing:
    retired = Robot.objects.filter(id=robot_id).values_list("retired_at", flat=True).first()
    return Standing(clock=DEVICE, start=retired)


def _candidates(at: datetime) -> QuerySet[Robot, UUID]:
    return Robot.objects.filter(retired_at__lt=cutoff(DEVICE, at)).values_list("id", flat=True)


def _part(name: str, words: Words, rows: Callable[[UUID], QuerySet[Any]]) -> Part:
    return Part(
        name=name,
        words=words,
        subject=ROBOT,
        clock=DEVICE,
        order=50,
        count=lambda robot_id, before: rows(robot_id).count(),
        erase=lambda robot_id, before: rows(robot_id).delete()[0],
    )


SUBJECT = Subject(
    kind=ROBOT, lock=_lock, find=_find, institution=_institution, standing=_standing, candidates=_candidates
)
PARTS = (
    _part(
        "fleet.lease",
        ("控制权记录", "sessions of control"),
        lambda robot_id: ControlLease.objects.filter(robot_id=robot_id),
    ),
    _part(
        "fleet.self_test",
        ("自检记录", "self-tests"),
        lambda robot_id: SelfTest.objects.filter(robot_id=robot_id),
    ),
    _part(
        "fleet.event",
        ("机器人事件（含急停）", "events, stops among them"),
        lambda robot_id: RobotEvent.objects.filter(robot_id=robot_id),
    ),
)

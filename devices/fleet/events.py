from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hospital.common.events import Event


@dataclass(frozen=True, kw_only=True)
class RobotReported(Event):
    """A robot event was stored for the first time."""

    robot_id: UUID
    exam_id: UUID | None
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RobotChanged(Event):
    """Self-test, presence or status of a robot changed in a way an exam may show."""

    robot_id: UUID
    exam_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class LeaseEnded(Event):
    """A lease was released, expired or taken over."""

    robot_id: UUID
    exam_id: UUID
    epoch: int
    code: str

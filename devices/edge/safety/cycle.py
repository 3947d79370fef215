"""What goes into and comes out of one cycle of the safety core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from devices.drivers.base import ZERO, Pose, Range, Twist


@dataclass(frozen=True, slots=True)
class ArmFacts:
    """What a driver declares."""

    stop_time_ms: float
    watchdog_ms: float
    workspace_mm: tuple[Range, Range, Range]
    site_pose: Callable[[str], Pose | None]


@dataclass(slots=True)
class Output:
    """What to do with the driver in this cycle."""

    twist: Twist = ZERO
    force_set_n: float | None = None
    stop: bool = False  # call stop() instead of servo()
    silent: bool = False  # send nothing (the self-test tries the watchdog)
    calls: list[tuple[str, Any]] = field(default_factory=list)  # ("enable"|"lift"|"hand_guide", argument)

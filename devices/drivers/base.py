"""What a robot arm and an image source must do, and the ways they can fail.

Each failure has another safe action, so each has its own class:

DriverError
├── ArmNotThere   no connection to the arm's controller: nothing can be commanded, its watchdog stops it
├── ArmRefused    the controller answered and said no: do not repeat, show the reason
├── ArmTimeout    no answer or no fresh state in time: stop, treat as a fault
├── ArmLied       an answer that cannot be true (not finite, force of the wrong sign, time going back):
│                 stop, and trust nothing until the bedside clears it
└── SourceError   the image source gave no picture: the picture freezes, motion stops by frame age

Frames: *base* is the robot's base frame in mm; *probe* has its origin at the probe's tip, z along the
beam (positive into tissue), x toward the marker (left of the picture), y along elevation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt


class DriverError(Exception):
    """Root of everything a driver raises on purpose."""


class ArmNotThere(DriverError):
    """The controller cannot be reached. Its own watchdog is all that stops the arm."""


class ArmRefused(DriverError):
    """The controller refused. Repeating the same call will not help."""


class ArmTimeout(DriverError):
    """No answer, or no state newer than DRIVER_STATE_MAX_AGE_MS."""


class ArmLied(DriverError):
    """A state that cannot be true."""


class SourceError(DriverError):
    """No picture."""


@dataclass(frozen=True, slots=True)
class Twist:
    """Velocity of the probe's tip in the probe frame: mm/s and deg/s. Rotations pivot on the tip."""

    vx: float = 0.0
    vy: float = 0.0
    vz: float = 0.0
    wx: float = 0.0
    wy: float = 0.0
    wz: float = 0.0


ZERO = Twist()


@dataclass(frozen=True, slots=True)
class Pose:
    """Tip position in mm and orientation (w, x, y, z; probe to base) in the base frame."""

    position_mm: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ArmState:
    """What the arm reports. ``t_us`` is on this computer's monotonic clock.

    ``force_n`` is the contact force along the beam, positive when the probe presses.
    ``moving`` is false when the tip is slower than 1 mm/s and 0.5 deg/s.
    """

    t_us: int
    joints: tuple[float, float, float, float, float, float, float]
    position_mm: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    twist: Twist
    force_n: float
    contact: bool
    moving: bool
    watchdog_tripped: bool
    patient_button: bool = False


Range = tuple[float, float]


class Arm(ABC):
    """One robot arm. No call may block longer than 1 ms except ``connect`` and ``close``.

    The driver servos twists; force control lives in the safety process. The arm's controller must
    stop by itself when ``servo`` has not come for ``watchdog_ms``, report ``watchdog_tripped``, and
    stay stopped until ``enable``.
    """

    watchdog_ms: ClassVar[float]
    """After this long without ``servo`` the controller stops the arm by itself."""
    stop_time_ms: ClassVar[float]
    """Declared worst time from ``stop`` to rest; the self-test measures it."""
    workspace_mm: ClassVar[tuple[Range, Range, Range]]
    """Where the tip may be, base frame, per axis (low, high)."""
    release_without_power: ClassVar[str]
    """How a person frees the patient with power cut: one sentence for the bedside."""

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        self.runtime_dir = runtime_dir
        self.options = options

    @classmethod
    def controller_command(cls, *, runtime_dir: Path, options: Mapping[str, Any]) -> list[str] | None:
        """Arguments of a process that must run beside the driver (a simulator's box), or None."""
        del runtime_dir, options
        return None

    @abstractmethod
    def connect(self, *, timeout_s: float = 5.0) -> None:
        """Reach the controller. Raises ArmNotThere."""

    @abstractmethod
    def enable(self) -> None:
        """Arm the servo mode and clear a tripped watchdog. Raises ArmRefused, ArmNotThere."""

    @abstractmethod
    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        """Move with ``twist`` (probe frame) for the next cycle; also feeds the watchdog.

        ``force_setpoint_n`` is information for the controller's own limits, None out of contact.
        Raises ArmNotThere, ArmRefused.
        """

    @abstractmethod
    def stop(self) -> None:
        """Come to rest by the controller's shortest ramp. Raises ArmNotThere."""

    @abstractmethod
    def state(self) -> ArmState:
        """Newest state received. Raises ArmTimeout when older than DRIVER_STATE_MAX_AGE_MS, ArmLied."""

    @abstractmethod
    def lift(self, distance_mm: float) -> None:
        """Let the controller itself retract along the probe axis: the way out when servo fails."""

    @abstractmethod
    def hand_guide(self, on: bool) -> None:
        """Let a person push the arm by hand, or take it back at rest."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the controller; repeatable."""

    def site_pose(self, site: str) -> Pose | None:
        """Free-air pose about 20 mm above the skin for a named site ("park" too), None if unknown."""
        del site
        return None

    def patient_told(self, key: str) -> None:
        """Somebody said one of ``devices.wire.ctl.PROMPTS`` to the patient. Moves nothing.

        A real arm has no use for it; a simulated patient breathes as told. Raises ArmNotThere.
        """
        del key


@dataclass(frozen=True, slots=True)
class Region:
    """A further calibrated part of a picture. ``box`` is (x0, y0, x1, y1) in pixels."""

    box: tuple[int, int, int, int]
    mm_per_px_x: float
    mm_per_px_y: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One lossless picture. ``region`` is (x0, y0, x1, y1) in pixels, where the calibration holds.

    ``mechanical_index`` (MI), ``thermal_index`` (TIS, soft tissue) and ``bone_thermal_index`` (TIB) have no
    unit; they are the scanner's own figures. What a source does not know stays None, nothing is guessed.
    ``more_regions`` are calibrated parts beside the first one.
    """

    frame_id: int
    t_us: int
    pixels: npt.NDArray[np.uint8]
    mm_per_px_x: float
    mm_per_px_y: float
    region: tuple[int, int, int, int]
    depth_mm: float
    mechanical_index: float | None = None
    thermal_index: float | None = None
    bone_thermal_index: float | None = None
    frequency_mhz: float | None = None
    focus_mm: float | None = None
    gain_db: float | None = None
    more_regions: tuple[Region, ...] = ()


TGC_SLIDERS = 8


class ImageSource(ABC):
    """One source of B-mode pictures."""

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        self.runtime_dir = runtime_dir
        self.options = options

    @abstractmethod
    def open(self) -> None:
        """Start. Raises SourceError."""

    @abstractmethod
    def frame(self, now: float) -> Frame:
        """The picture at monotonic time ``now`` (s). Raises SourceError."""

    @abstractmethod
    def set(
        self,
        *,
        gain_db: float | None = None,
        depth_mm: float | None = None,
        dynamic_range_db: float | None = None,
        focus_mm: float | None = None,
        tgc_db: Sequence[float] | None = None,
        preset: str | None = None,
    ) -> dict[str, Any]:
        """Change what is given; return what is really set for all of them, and the ``presets`` there are.

        ``tgc_db`` are TGC_SLIDERS values from near to far. A ``preset`` sets all the others first, so that
        values given with it win; an unknown one changes nothing.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop; repeatable."""

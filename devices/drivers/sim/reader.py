"""The probe's true pose, as the simulator's physics has it: what the picture is rendered from."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from devices.drivers.sim.shared import SeqlockReader, SeqlockWriter
from devices.drivers.sim.world import Quaternion, Triple

LAYOUT = struct.Struct("<Q3d4ddB7xdd3d")
"""t_us (monotonic), tip mm, quaternion wxyz, force N, contact, indentation mm, heave mm, organs mm."""


@dataclass(frozen=True, slots=True)
class ProbePose:
    """Where the probe truly is, and the patient's insides.

    ``heave_mm`` is how far the belly's surface stands above its rest (a breath, a cough), ``organs_mm`` how far
    breathing has moved the liver (base frame).
    """

    t_us: int
    position_mm: Triple
    quaternion: Quaternion
    force_n: float
    contact: bool
    indentation_mm: float
    heave_mm: float = 0.0
    organs_mm: Triple = (0.0, 0.0, 0.0)


def probe_path(runtime_dir: Path) -> Path:
    """Where the box publishes and the renderer reads."""
    return runtime_dir / "shm" / "probe"


class ProbeWriter:
    """The box's end."""

    def __init__(self, runtime_dir: Path) -> None:
        self._lock = SeqlockWriter(probe_path(runtime_dir), LAYOUT)

    def write(self, pose: ProbePose) -> None:
        """Publish one pose."""
        self._lock.write(
            pose.t_us,
            *pose.position_mm,
            *pose.quaternion,
            pose.force_n,
            pose.contact,
            pose.indentation_mm,
            pose.heave_mm,
            *pose.organs_mm,
        )

    def close(self) -> None:
        """Unmap; repeatable."""
        self._lock.close()


class ProbeReader:
    """The renderer's end: ``read`` gives None until a box has written."""

    def __init__(self, runtime_dir: Path) -> None:
        self._lock = SeqlockReader(probe_path(runtime_dir), LAYOUT)

    def read(self) -> ProbePose | None:
        """Newest pose, or None."""
        found = self._lock.read()
        if found is None:
            return None
        t_us, x, y, z, qw, qx, qy, qz, force_n, contact, indentation_mm, heave_mm, *organs = LAYOUT.unpack(
            found
        )
        tip, turn, moved = (x, y, z), (qw, qx, qy, qz), (organs[0], organs[1], organs[2])
        return ProbePose(t_us, tip, turn, force_n, bool(contact), indentation_mm, heave_mm, moved)

    def close(self) -> None:
        """Unmap; repeatable."""
        self._lock.close()

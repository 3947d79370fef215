"""Where tissue is that breathing and the probe have moved: from the room back into the anatomy at rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import skin_depth_mm

Points = npt.NDArray[np.float64]

COMPRESSION_REACH_MM = 30.0
"""How fast the probe's pressing fades with depth; design value."""
_WALL_MM = (20.0, 32.0)
"""The belly's wall stays, what lies under it slides."""
_SPINE_MM = (32.0, 62.0)
_SPINE_XZ = (0.0, -140.0)
_FEET_MM = (-175.0, -95.0)
_BACK_MM = (-180.0, -150.0)
_HEAVE_MM = (-150.0, -60.0)


def organ_share(points: Points) -> npt.NDArray[np.float64]:
    """How much of the liver's way each point (..., 3) goes: 1 for upper organs, 0 for wall, spine and pelvis."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    from_spine = np.hypot(x - _SPINE_XZ[0], z - _SPINE_XZ[1])
    return (
        _ramp(skin_depth_mm(points), _WALL_MM)
        * _ramp(from_spine, _SPINE_MM)
        * _ramp(y, _FEET_MM)
        * _ramp(z, _BACK_MM)
    )


def at_rest(points: Points, depth_mm: npt.NDArray[np.float64], beam: Points, pose: ProbePose) -> Points:
    """The anatomy's coordinates of what is now at ``points`` (..., 3), base frame, mm.

    ``depth_mm`` is each point's distance from the probe's face along the beam, ``beam`` the unit vector.
    The belly rises, the organs slide along the body under its wall, and the probe presses skin and fat.
    """
    moved = np.multiply.outer(organ_share(points), np.array(pose.organs_mm))
    moved[..., 2] += pose.heave_mm * _ramp(points[..., 2], _HEAVE_MM)
    if pose.indentation_mm > 0:
        pressed = pose.indentation_mm * np.exp(-np.maximum(depth_mm, 0.0) / COMPRESSION_REACH_MM)
        moved += np.multiply.outer(pressed, beam)
    return np.asarray(points - moved, dtype=np.float64)


def _ramp(value: npt.NDArray[np.float64], ends: tuple[float, float]) -> npt.NDArray[np.float64]:
    share = np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0)
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float64)

"""The simulator's room: frames, the torso's shape, and where the probe starts for each site.

Base frame (also the patient frame): the patient lies supine, x toward the patient's left, y toward the
head, z up, millimetres; the skin is near z = 0 under the start pose of the right upper quadrant.
Probe frame: origin at the tip, z along the beam into tissue, x toward the marker (left of the
picture), y along elevation. Every size here is a design value of an average adult.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Triple = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

TORSO_CENTRE_MM: Triple = (0.0, 0.0, -102.3)
TORSO_SEMI_AXES_MM: Triple = (165.0, 420.0, 110.0)
"""The skin is this ellipsoid; along y it is long, so that the belly is nearly a cylinder."""

PROBE_RADIUS_MM = 60.0
"""Radius of curvature of the convex array."""
PROBE_HALF_ANGLE_DEG = 32.0
HOVER_MM = 20.0
"""How far above the skin a site's free-air pose is."""
WORKSPACE_MM = ((-260.0, 220.0), (-260.0, 260.0), (-130.0, 330.0))


@dataclass(frozen=True, slots=True)
class Site:
    """A place on the skin: where (x, y in mm) and how the marker lies.

    ``marker_deg`` turns the marker about the beam: 0 is a transverse plane (marker to the patient's
    right), 90 a sagittal plane (marker to the head).
    """

    x_mm: float
    y_mm: float
    marker_deg: float = 0.0


SITES: Mapping[str, Site] = MappingProxyType(
    {
        "right_upper_quadrant": Site(-60.0, 0.0),
        "epigastrium": Site(0.0, 20.0),
        "left_upper_quadrant": Site(75.0, 0.0),
        "right_flank": Site(-110.0, -30.0, 90.0),
        "left_flank": Site(110.0, -10.0, 90.0),
        "suprapubic": Site(0.0, -150.0),
    }
)
PARK_POSITION_MM: Triple = (-120.0, -120.0, 220.0)


def skin_z_mm(x_mm: float, y_mm: float) -> float:
    """Height of the undeformed skin above (x, y). Raises ValueError beside the torso."""
    (cx, cy, cz), (ax, ay, az) = TORSO_CENTRE_MM, TORSO_SEMI_AXES_MM
    rest = 1.0 - ((x_mm - cx) / ax) ** 2 - ((y_mm - cy) / ay) ** 2
    if rest < 0:
        raise ValueError(f"({x_mm}, {y_mm}) is beside the torso")
    return cz + az * math.sqrt(rest)


def skin_normal(position_mm: Vector) -> Vector:
    """Outward unit normal of the skin nearest to ``position_mm`` (exact on the surface)."""
    gradient = (position_mm - np.array(TORSO_CENTRE_MM)) / np.array(TORSO_SEMI_AXES_MM) ** 2
    return np.asarray(gradient / np.linalg.norm(gradient), dtype=np.float64)


def skin_depth_mm(points_mm: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Depth of points (..., 3) under the undeformed skin, negative outside (first order near the skin)."""
    scaled = (np.asarray(points_mm, dtype=np.float64) - TORSO_CENTRE_MM) / TORSO_SEMI_AXES_MM
    rho = np.linalg.norm(scaled, axis=-1)
    slope = np.linalg.norm(scaled / TORSO_SEMI_AXES_MM, axis=-1) / np.maximum(rho, 1e-9)
    return np.asarray((1.0 - rho) / np.maximum(slope, 1e-9), dtype=np.float64)


def site_frame(name: str, *, hover_mm: float = HOVER_MM) -> tuple[Vector, Vector] | None:
    """Tip position (3,) and rotation (3, 3; columns = probe axes) hovering over ``name``; None if unknown."""
    if name == "park":
        return np.array(PARK_POSITION_MM), rotation_along(np.array([0.0, 0.0, -1.0]), marker_deg=0.0)
    site = SITES.get(name)
    if site is None:
        return None
    foot = np.array([site.x_mm, site.y_mm, skin_z_mm(site.x_mm, site.y_mm)])
    normal = skin_normal(foot)
    return foot + hover_mm * normal, rotation_along(-normal, marker_deg=site.marker_deg)


def rotation_along(beam: Vector, *, marker_deg: float) -> Vector:
    """Rotation whose z is ``beam`` and whose x is the patient's right, turned by ``marker_deg``."""
    right = np.array([-1.0, 0.0, 0.0])
    across = np.cross(beam, right)
    across /= np.linalg.norm(across)
    flat = np.cross(across, beam)
    turn = math.radians(marker_deg)
    marker = math.cos(turn) * flat + math.sin(turn) * across
    return np.column_stack([marker, np.cross(beam, marker), beam])


def quaternion_of(rotation: Vector) -> Quaternion:
    """Unit quaternion (w, x, y, z), w >= 0, of a rotation matrix (Shepperd's method)."""
    m = rotation
    choices = np.array([m[0, 0] + m[1, 1] + m[2, 2], m[0, 0], m[1, 1], m[2, 2]])
    biggest = int(np.argmax(choices))
    if biggest == 0:
        q = np.array([1 + choices[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    else:
        i = biggest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[j, i] + m[i, j]
        q[1 + k] = m[k, i] + m[i, k]
    q /= np.linalg.norm(q)
    if q[0] < 0:
        q = -q
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])


def rotation_of(quaternion: Quaternion) -> Vector:
    """Rotation matrix of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


WIRE_DISTANCE_MM = 50.0
WIRE_DEPTHS_MM = (55.0, 105.0)
"""Two nylon wires along elevation, on the beam axis of the start pose, depth under the undeformed skin.

They stand for the rigid frame of a test object: tissue moves past them, they never move.
"""
WIRE_HALF_LENGTH_MM = 40.0
WIRE_SITE = "right_upper_quadrant"


def wires() -> list[tuple[Vector, Vector]]:
    """Centre (mm) and unit direction of each wire, in the base frame."""
    frame = site_frame(WIRE_SITE, hover_mm=0.0)
    if frame is None:
        raise LookupError(WIRE_SITE)
    foot, rotation = frame
    return [(foot + depth * rotation[:, 2], rotation[:, 1].copy()) for depth in WIRE_DEPTHS_MM]

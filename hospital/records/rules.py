"""Measuring on a calibrated picture. DICOM PS3.3 C.8.5.5: physical deltas belong to one region.

Points are pixels [x, y] of a frozen lossless frame. Distances in mm, areas in cm2, volumes in ml.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Points = list[list[float]]
MISSING_REASONS = ("gas", "habitus", "refused", "other")
"""Why a standard view could not be had; `other` needs words."""


class NotMeasurable(ValueError):
    """`code`: points_wrong, points_outside, points_two_regions or not_calibrated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Region:
    """A calibrated part of a picture: box (x0, y0, x1, y1) in pixels and what a pixel is in mm."""

    box: tuple[float, float, float, float]
    mm_per_px_x: float
    mm_per_px_y: float

    def holds(self, point: Sequence[float]) -> bool:
        """Whether the point lies inside. NaN compares false, so it lies outside."""
        x0, y0, x1, y1 = self.box
        return x0 <= point[0] <= x1 and y0 <= point[1] <= y1

    def mm(self, start: Sequence[float], end: Sequence[float]) -> tuple[float, float]:
        """The way from start to end in mm, right and down."""
        return (end[0] - start[0]) * self.mm_per_px_x, (end[1] - start[1]) * self.mm_per_px_y

    def distance_mm(self, start: Sequence[float], end: Sequence[float]) -> float:
        """Length in mm."""
        return math.hypot(*self.mm(start, end))


def regions(
    *,
    mm_per_px_x: float | None,
    mm_per_px_y: float | None,
    region: list[float] | None,
    more: Sequence[dict[str, Any]] = (),
) -> list[Region]:
    """Every calibrated region of a frame; none for a picture without calibration."""
    found = []
    if mm_per_px_x and mm_per_px_y and region is not None:
        found.append(Region((region[0], region[1], region[2], region[3]), mm_per_px_x, mm_per_px_y))
    for row in more:
        box = row["box"]
        found.append(Region((box[0], box[1], box[2], box[3]), row["mm_per_px_x"], row["mm_per_px_y"]))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool))


def points_checked(points: Any, count: int) -> Points:
    """`count` pairs of numbers, else NotMeasurable `points_wrong`."""
    pairs = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    if not pairs or len(points) != count or not all(_is_number(v) for point in points for v in point):
        raise NotMeasurable("points_wrong")
    return [list(point) for point in points]


def region_of(points: Points, found: Sequence[Region]) -> Region:
    """The one region that holds all points. Across two regions nothing is measured: a pixel of one is not a pixel
    of the other."""
    if not found:
        raise NotMeasurable("not_calibrated")
    if not all(any(region.holds(point) for region in found) for point in points):
        raise NotMeasurable("points_outside")
    for region in found:
        if all(region.holds(point) for point in points):
            return region
    raise NotMeasurable("points_two_regions")


def distance(points: Points, found: Sequence[Region]) -> dict[str, float]:
    """{distance_mm} between two points."""
    return {"distance_mm": region_of(points, found).distance_mm(points[0], points[1])}


def ellipse(points: Points, found: Sequence[Region]) -> dict[str, float]:
    """{axis1_mm, axis2_mm, circumference_mm, area_cm2} of an ellipse: two ends of one axis, then any point beside it.

    The second half axis is the third point's distance from the first axis. Circumference after Ramanujan (1914),
    second formula: never more than 0.04 % off.
    """
    region = region_of(points, found)
    along_x, along_y = region.mm(points[0], points[1])
    axis1 = math.hypot(along_x, along_y)
    beside_x, beside_y = region.mm(points[0], points[2])
    if axis1 == 0.0:
        raise NotMeasurable("points_wrong")
    half2 = abs(along_x * beside_y - along_y * beside_x) / axis1
    if half2 == 0.0:
        raise NotMeasurable("points_wrong")
    a, b = axis1 / 2.0, half2
    h = ((a - b) / (a + b)) ** 2
    around = math.pi * (a + b) * (1.0 + 3.0 * h / (10.0 + math.sqrt(4.0 - 3.0 * h)))
    return {
        "axis1_mm": axis1,
        "axis2_mm": 2.0 * half2,
        "circumference_mm": around,
        "area_cm2": math.pi * a * b / 100.0,
    }


def volume(axes: Sequence[Points], found: Sequence[Sequence[Region]]) -> dict[str, float]:
    """{axis1_mm, axis2_mm, axis3_mm, volume_ml} of an ellipsoid from three diameters: V = pi/6 a b c.

    Each axis has its own frame: ``found[i]`` are the regions of the frame that axis i was drawn on.
    """
    lengths = [
        region_of(axis, where).distance_mm(axis[0], axis[1]) for axis, where in zip(axes, found, strict=True)
    ]
    if not all(lengths):
        raise NotMeasurable("points_wrong")
    a, b, c = lengths
    return {"axis1_mm": a, "axis2_mm": b, "axis3_mm": c, "volume_ml": math.pi / 6.0 * a * b * c / 1000.0}


POINTS_N = {"distance": 2, "ellipse": 3, "volume": 6}
"""Points of each kind; a volume's are the ends of three axes, one after the other."""
ON_ONE_FRAME: dict[str, Callable[[Points, Sequence[Region]], dict[str, float]]] = {
    "distance": distance,
    "ellipse": ellipse,
}


def measured(kind: str, points: Any, frames: Sequence[Sequence[Region]]) -> dict[str, float]:
    """The values of one measurement, rounded to 0.01. ``frames`` are the regions of its frame, or of a volume's three.

    Raises NotMeasurable; KeyError for an unknown kind.
    """
    checked = points_checked(points, POINTS_N[kind])
    if kind == "volume":
        values = volume([checked[0:2], checked[2:4], checked[4:6]], frames)
    else:
        values = ON_ONE_FRAME[kind](checked, frames[0])
    return {name: round(value, 2) for name, value in values.items()}

"""Measuring on a calibrated picture. DICOM PS3.3 C.8.5.5: physical deltas belong to one region."""

from __future__ import annotations

import math
from typing import Any


class NotMeasurable(ValueError):
    """`code`: points_wrong, points_outside or not_calibrated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool))


def _two_points(points: Any) -> bool:
    return (
        isinstance(points, list)
        and len(points) == 2
        and all(
            isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points
        )
    )


def distance_mm(
    points: list[list[float]],
    *,
    mm_per_px_x: float | None,
    mm_per_px_y: float | None,
    region: list[float] | None,
) -> float:
    """Distance of two points in pixels, in mm; both must lie in the calibrated region [x0, y0, x1, y1]."""
    if not _two_points(points):
        raise NotMeasurable("points_wrong")
    if not mm_per_px_x or not mm_per_px_y or region is None:
        raise NotMeasurable("not_calibrated")
    x0, y0, x1, y1 = region
    # a comparison with NaN is False, so NaN lies outside; huge integers compare without conversion
    if not all(x0 <= x <= x1 and y0 <= y <= y1 for x, y in points):
        raise NotMeasurable("points_outside")
    (ax, ay), (bx, by) = points
    return math.hypot((bx - ax) * mm_per_px_x, (by - ay) * mm_per_px_y)

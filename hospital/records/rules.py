"""Measuring on a calibrated picture. DICOM PS3.3 C.8.5.5: physical deltas belong to one region."""

from __future__ import annotations

import math


class NotMeasurable(ValueError):
    """`code`: points_outside or not_calibrated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def distance_mm(
    points: list[list[float]], *, mm_per_px_x: float | None, mm_per_px_y: float | None, region: list[int] | None
) -> float:
    """Distance of two points in pixels, in mm; both must lie in the calibrated region [x0, y0, x1, y1]."""
    if not mm_per_px_x or not mm_per_px_y or region is None:
        raise NotMeasurable("not_calibrated")
    x0, y0, x1, y1 = region
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y) and x0 <= x <= x1 and y0 <= y <= y1):
            raise NotMeasurable("points_outside")
    (ax, ay), (bx, by) = points
    return math.hypot((bx - ax) * mm_per_px_x, (by - ay) * mm_per_px_y)

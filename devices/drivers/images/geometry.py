"""The picture's geometry: a convex sector in square pixels, and the way from polar samples to pixels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from devices.drivers.sim.world import PROBE_HALF_ANGLE_DEG, PROBE_RADIUS_MM

LINES, SAMPLES = 160, 480
WIDTH_PX, HEIGHT_PX = 640, 480
_UPSAMPLE = 4
_MARGIN_TOP_PX, _MARGIN_BOTTOM_PX, _MARGIN_SIDE_PX = 14, 14, 30
DEPTH_MIN_MM, DEPTH_MAX_MM = 60.0, 240.0


class Geometry:
    """One depth setting. ``mm_per_px`` holds inside ``region`` (x0, y0, x1, y1), both directions."""

    def __init__(self, *, depth_mm: float, width: int = WIDTH_PX, height: int = HEIGHT_PX) -> None:
        self.depth_mm = min(max(depth_mm, DEPTH_MIN_MM), DEPTH_MAX_MM)
        self.width, self.height = width, height
        self.lines, self.samples = LINES, SAMPLES
        half = math.radians(PROBE_HALF_ANGLE_DEG)
        self.angles = np.linspace(-half, half, LINES)
        self.depths = np.linspace(0.0, self.depth_mm, SAMPLES)
        sagitta_mm = PROBE_RADIUS_MM * (1 - math.cos(half))
        wide_mm = 2 * (PROBE_RADIUS_MM + self.depth_mm) * math.sin(half)
        self.mm_per_px = max(
            (self.depth_mm + sagitta_mm) / (height - _MARGIN_TOP_PX - _MARGIN_BOTTOM_PX),
            wide_mm / (width - 2 * _MARGIN_SIDE_PX),
        )
        self.centre_x = (width - 1) / 2
        self.tip_y = _MARGIN_TOP_PX + sagitta_mm / self.mm_per_px
        """Row of depth 0 on the middle line."""
        self._prepare(half)

    @property
    def sector(self) -> npt.NDArray[np.bool_]:
        """Which pixels (height, width) belong to the sector."""
        found = np.zeros(self.height * self.width, dtype=np.bool_)
        found[self._inside] = True
        return found.reshape(self.height, self.width)

    def pixel(self, x_mm: float, z_mm: float) -> tuple[float, float]:
        """Pixel (column, row) of a point of the picture's plane, probe frame (+x is left)."""
        return self.centre_x - x_mm / self.mm_per_px, self.tip_y + z_mm / self.mm_per_px

    def polar_index(self, x_mm: float, z_mm: float) -> tuple[float, float]:
        """(line, sample) of a point of the picture's plane, fractional."""
        angle = math.atan2(-x_mm, z_mm + PROBE_RADIUS_MM)
        reach = math.hypot(x_mm, z_mm + PROBE_RADIUS_MM) - PROBE_RADIUS_MM
        half = float(self.angles[-1])
        return (angle + half) / (2 * half) * (self.lines - 1), reach / self.depth_mm * (self.samples - 1)

    def convert(self, polar: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Grey samples (lines, samples) to the picture (height, width), ruler and marker drawn in."""
        fine = np.empty(((self.lines - 1) * _UPSAMPLE + 1, self.samples), dtype=np.uint8)
        low, high = polar[:-1].astype(np.uint16), polar[1:].astype(np.uint16)
        for step in range(_UPSAMPLE):
            fine[step:-1:_UPSAMPLE] = (low * (_UPSAMPLE - step) + high * step) >> 2
        fine[-1] = polar[-1]
        picture = self._furniture.copy()
        picture.reshape(-1)[self._inside] = fine.reshape(-1).take(self._source)
        return picture

    def mark_focus(self, picture: npt.NDArray[np.uint8], focus_mm: float) -> None:
        """An arrow beside the depth ruler; nothing when the focus lies below the picture.

        Dim: whoever looks for bright points in the picture must not find it first.
        """
        row, edge = round(self.tip_y + focus_mm / self.mm_per_px), self.width - 20
        for step in range(5):
            if focus_mm <= self.depth_mm and step <= row < self.height - step:
                picture[row - step : row + step + 1, edge - 6 + step] = 110

    def _prepare(self, half: float) -> None:
        rows, columns = np.mgrid[0 : self.height, 0 : self.width]
        x_mm = (columns - self.centre_x) * self.mm_per_px
        z_mm = (rows - self.tip_y) * self.mm_per_px + PROBE_RADIUS_MM
        angle = np.arctan2(x_mm, z_mm)
        depth = np.hypot(x_mm, z_mm) - PROBE_RADIUS_MM
        inside = (np.abs(angle) <= half) & (depth >= 0) & (depth <= self.depth_mm)
        fine_lines = (self.lines - 1) * _UPSAMPLE + 1
        line = np.rint((angle + half) / (2 * half) * (fine_lines - 1)).astype(np.intp)
        sample = np.rint(depth / self.depth_mm * (self.samples - 1)).astype(np.intp)
        self._inside = np.flatnonzero(inside)
        self._source = (line * self.samples + sample)[inside].astype(np.intp)
        where_y, where_x = np.nonzero(inside)
        self.region = (
            int(where_x.min()),
            int(where_y.min()),
            int(where_x.max()),
            int(where_y.max()),
        )
        self._furniture = np.zeros((self.height, self.width), dtype=np.uint8)
        self._draw_furniture()

    def _draw_furniture(self) -> None:
        """Depth ruler at the right (1 cm, longer each 5 cm), grey wedge, marker dot at the left."""
        picture = self._furniture
        edge = self.width - 6
        for tick in range(int(self.depth_mm // 10) + 1):
            row = round(self.tip_y + tick * 10.0 / self.mm_per_px)
            if row < self.height:
                picture[row, edge - (12 if tick % 5 == 0 else 6) : edge] = 200
        ramp = np.linspace(255, 0, 180).astype(np.uint8)
        picture[20:200, 6:14] = ramp[:, None]
        x0, y0 = self.pixel(
            PROBE_RADIUS_MM * math.sin(float(self.angles[-1])) + 6.0,
            -PROBE_RADIUS_MM * (1 - math.cos(0.5)),
        )
        rows, columns = np.mgrid[0 : self.height, 0 : self.width]
        ring = np.hypot(columns - x0, rows - y0)
        picture[ring <= 5.0] = 230

"""Image source "phantom": the synthetic abdomen as the simulated probe truly sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.drivers.base import Frame, ImageSource, SourceError
from devices.drivers.images.anatomy import abdomen
from devices.drivers.images.bmode import Look, Renderer
from devices.drivers.images.geometry import Geometry
from devices.drivers.sim.reader import ProbePose, ProbeReader

FRAMES_PER_S = 30
DEPTH_MM = 160.0
GAIN_DB_RANGE = (-30.0, 30.0)
DYNAMIC_RANGE_DB_RANGE = (30.0, 90.0)


def frame_number(now: float) -> int:
    """Frame ids follow the monotonic clock, so that they grow over a restart too."""
    return int(now * FRAMES_PER_S) & 0xFFFFFFFF


class PhantomSource(ImageSource):
    """Reads the probe's pose from shared memory. Options: ``depth_mm``, ``gain_db``, ``dynamic_range_db``."""

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._reader: ProbeReader | None = None
        self._renderer: Renderer | None = None
        self._look = Look()
        self._depth_mm = DEPTH_MM

    def open(self) -> None:
        """Build the abdomen (a few seconds the first time)."""
        self._reader = ProbeReader(self.runtime_dir)
        self._renderer = Renderer(abdomen(), Geometry(depth_mm=self._depth_mm))
        names = ("gain_db", "depth_mm", "dynamic_range_db")
        self.set(**{name: float(self.options[name]) for name in names if name in self.options})

    def frame(self, now: float) -> Frame:
        """Render from the newest pose; a probe nobody has placed yet sees air. Raises SourceError."""
        if self._reader is None:
            raise SourceError("the source is not open")
        return self.render(self._reader.read(), now)

    def render(self, pose: ProbePose | None, now: float) -> Frame:
        """The picture at a given pose. Raises SourceError."""
        if self._renderer is None:
            raise SourceError("the source is not open")
        geometry = self._renderer.geometry
        return Frame(
            frame_id=frame_number(now),
            t_us=time.monotonic_ns() // 1000,
            pixels=self._renderer.render(pose, self._look),
            mm_per_px_x=geometry.mm_per_px,
            mm_per_px_y=geometry.mm_per_px,
            region=geometry.region,
            depth_mm=geometry.depth_mm,
        )

    @property
    def geometry(self) -> Geometry:
        """The current geometry. Raises SourceError."""
        if self._renderer is None:
            raise SourceError("the source is not open")
        return self._renderer.geometry

    def set(
        self,
        *,
        gain_db: float | None = None,
        depth_mm: float | None = None,
        dynamic_range_db: float | None = None,
    ) -> dict[str, float]:
        """Change what is given, within range; what is not finite is ignored. Returns what is set."""
        look = self._look
        self._look = Look(
            gain_db=_within(gain_db, GAIN_DB_RANGE, look.gain_db),
            dynamic_range_db=_within(dynamic_range_db, DYNAMIC_RANGE_DB_RANGE, look.dynamic_range_db),
        )
        if depth_mm is not None and math.isfinite(depth_mm):
            geometry = Geometry(depth_mm=depth_mm)
            self._depth_mm = geometry.depth_mm
            if self._renderer is not None:
                self._renderer.use(geometry)
        return {
            "gain_db": self._look.gain_db,
            "depth_mm": self._depth_mm,
            "dynamic_range_db": self._look.dynamic_range_db,
        }

    def close(self) -> None:
        """Let go of the shared memory; repeatable."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._renderer = None


def _within(value: float | None, bounds: tuple[float, float], old: float) -> float:
    if value is None or not math.isfinite(value):
        return old
    return min(max(value, bounds[0]), bounds[1])

"""The phantom as an image source: a picture of whatever the simulated probe truly touches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.drivers.base import Frame, ImageSource, SourceError
from devices.drivers.images.bmode import Renderer, Settings
from devices.drivers.sim.reader import ProbePose, ProbeReader

DEPTH_MM, GAIN_DB, RANGE_DB = (60.0, 240.0), (-30.0, 30.0), (30.0, 90.0)
POSE_MAX_AGE_US = 500_000  # a box that stopped writing shows air, not an old belly


def clamp(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


class PhantomSource(ImageSource):
    """Slices `phantom` at the pose in shared memory; air while no simulator writes one."""

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._reader = ProbeReader(runtime_dir)
        self._renderer: Renderer | None = None

    def open(self) -> None:
        self._renderer = Renderer(
            width=int(self.options.get("width", 640)),
            height=int(self.options.get("height", 480)),
        )

    def frame(self, now: float) -> Frame:
        """Raises SourceError before `open`. frame_id counts 1/30 s of the monotonic clock."""
        renderer = self._renderer
        if renderer is None:
            raise SourceError("not open")
        sector = renderer.sector
        return Frame(
            frame_id=int(now * 30),
            t_us=int(now * 1e6),
            pixels=renderer.render(self._pose(now)),
            mm_per_px_x=sector.mm_per_px,
            mm_per_px_y=sector.mm_per_px,
            region=sector.region,
            depth_mm=renderer.settings.depth_mm,
        )

    def _pose(self, now: float) -> ProbePose | None:
        pose = self._reader.read()
        if pose is None or now * 1e6 - pose.t_us > POSE_MAX_AGE_US:
            self._reader.close()  # a new box may have replaced the file
            return None
        return pose

    def set(
        self,
        *,
        gain_db: float | None = None,
        depth_mm: float | None = None,
        dynamic_range_db: float | None = None,
    ) -> dict[str, float]:
        if self._renderer is None:
            raise SourceError("not open")
        old = self._renderer.settings
        new = Settings(
            gain_db=old.gain_db if gain_db is None else clamp(gain_db, GAIN_DB),
            depth_mm=old.depth_mm if depth_mm is None else clamp(depth_mm, DEPTH_MM),
            dynamic_range_db=old.dynamic_range_db
            if dynamic_range_db is None
            else clamp(dynamic_range_db, RANGE_DB),
        )
        self._renderer.change(new)
        return {
            "gain_db": new.gain_db,
            "depth_mm": new.depth_mm,
            "dynamic_range_db": new.dynamic_range_db,
        }

    def close(self) -> None:
        self._reader.close()

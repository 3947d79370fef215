"""Image source "phantom": the synthetic abdomen as the simulated probe truly sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devices.drivers.base import Frame, ImageSource, SourceError
from devices.drivers.images.anatomy import abdomen
from devices.drivers.images.bmode import Renderer
from devices.drivers.images.geometry import HEIGHT_PX, WIDTH_PX, Geometry
from devices.drivers.images.presets import Look, changed
from devices.drivers.sim.reader import ProbePose, ProbeReader

FRAMES_PER_S = 30
SIZES = ((640, 480), (800, 600))
_NUMBERS = ("gain_db", "depth_mm", "dynamic_range_db", "focus_mm")


def frame_number(now: float) -> int:
    """Frame ids follow the monotonic clock, so that they grow over a restart too."""
    return int(now * FRAMES_PER_S) & 0xFFFFFFFF


class PhantomSource(ImageSource):
    """Reads the probe's pose from shared memory.

    Options: ``preset``, ``gain_db``, ``depth_mm``, ``dynamic_range_db``, ``focus_mm``; ``width`` and
    ``height`` (640x480 or 800x600).
    """

    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._reader: ProbeReader | None = None
        self._renderer: Renderer | None = None
        self._look = Look()
        self._size = (int(options.get("width", WIDTH_PX)), int(options.get("height", HEIGHT_PX)))

    def open(self) -> None:
        """Build the abdomen (a few seconds the first time). Raises SourceError for a size there is not."""
        if self._size not in SIZES:
            raise SourceError(f"no picture of {self._size[0]}x{self._size[1]}; there are {SIZES}")
        self._reader = ProbeReader(self.runtime_dir)
        numbers: dict[str, Any] = {
            name: float(self.options[name]) for name in _NUMBERS if name in self.options
        }
        preset = str(self.options["preset"]) if "preset" in self.options else None
        self._look = changed(self._look, preset=preset, **numbers)
        self._renderer = Renderer(abdomen(), self._geometry())

    def frame(self, now: float) -> Frame:
        """Render from the newest pose; a probe nobody has placed yet sees air. Raises SourceError."""
        if self._reader is None:
            raise SourceError("the source is not open")
        return self.render(self._reader.read(), now)

    def render(self, pose: ProbePose | None, now: float) -> Frame:
        """The picture at a given pose. Raises SourceError."""
        geometry, look = self.geometry, self._look
        mechanical, thermal = output_indices(look)
        return Frame(
            frame_id=frame_number(now),
            t_us=time.monotonic_ns() // 1000,
            pixels=self.renderer.render(pose, look),
            mm_per_px_x=geometry.mm_per_px,
            mm_per_px_y=geometry.mm_per_px,
            region=geometry.region,
            depth_mm=geometry.depth_mm,
            mechanical_index=mechanical,
            thermal_index=thermal,
            frequency_mhz=look.frequency_mhz,
            focus_mm=look.focus_mm,
            gain_db=look.gain_db,
        )

    @property
    def renderer(self) -> Renderer:
        """What draws. Raises SourceError before ``open``."""
        if self._renderer is None:
            raise SourceError("the source is not open")
        return self._renderer

    @property
    def geometry(self) -> Geometry:
        """The current geometry. Raises SourceError."""
        return self.renderer.geometry

    @property
    def look(self) -> Look:
        """The current setting."""
        return self._look

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
        """Change what is given, within range; what is not finite is ignored. Returns what is set."""
        old = self._look
        self._look = changed(
            old,
            gain_db=gain_db,
            depth_mm=depth_mm,
            dynamic_range_db=dynamic_range_db,
            focus_mm=focus_mm,
            tgc_db=tgc_db,
            preset=preset,
        )
        if self._renderer is not None and self._look.depth_mm != old.depth_mm:
            self._renderer.use(self._geometry())
        return self._look.told()

    def close(self) -> None:
        """Let go of the shared memory; repeatable."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._renderer = None

    def _geometry(self) -> Geometry:
        width, height = self._size
        return Geometry(depth_mm=self._look.depth_mm, width=width, height=height)


FULL_OUTPUT_MPA = 6.0
"""Peak rarefactional pressure in water of a focus near the skin at full output; design value."""
DERATING_DB_MM_MHZ = 0.03
"""0.3 dB/(cm MHz), IEC 62359."""


def output_indices(look: Look) -> tuple[float, float]:
    """Mechanical and soft-tissue thermal index: a model of this phantom's output, not a measurement.

    MI is the derated pressure at the focus over the root of the frequency (IEC 62359), with a pressure that a
    deeper focus, having a smaller opening angle, reaches less. TI is taken in proportion to MI squared times
    frequency, as for a beam of constant width at constant repetition.
    """
    spread = 1.0 / math.sqrt(1.0 + (look.focus_mm / 90.0) ** 2)
    derated = 10.0 ** (-DERATING_DB_MM_MHZ * look.frequency_mhz * look.focus_mm / 20.0)
    mechanical = FULL_OUTPUT_MPA * spread * derated / math.sqrt(look.frequency_mhz)
    thermal = 0.35 * mechanical**2 * look.frequency_mhz
    return round(mechanical, 2), round(thermal, 2)

"""Image source "dicom-loop": a real ultrasound loop from a DICOM file, with the file's own calibration.

Option `path`; without it the loop that pydicom ships (examples_ybr_color.dcm, a real heart, 30 frames). The probe's
pose does not change a recording: this source shows real pictures, it does not follow the hand.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pydicom.data

from devices.drivers.base import Frame, ImageSource, Region, SourceError
from devices.drivers.images.source import frame_number

SHIPPED = Path(pydicom.data.__file__).parent / "test_files" / "examples_ybr_color.dcm"
CENTIMETRES = 3  # (0018,6024), PS3.3 C.8.5.5.1.1
INDICES = {
    "mechanical_index": "MechanicalIndex",
    "thermal_index": "SoftTissueThermalIndex",
    "bone_thermal_index": "BoneThermalIndex",
}
"""Passed on as the file has them: (0018,5022), (0018,5027), (0018,5024)."""


def _number(dataset: pydicom.Dataset, name: str) -> float | None:
    value = dataset.get(name)
    return None if value is None or str(value).strip() == "" else float(value)


def _grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(frames, height, width) luminance of grey or RGB pictures (ITU-R BT.601)."""
    if pixels.ndim == 3:
        return pixels
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114]), dtype=np.uint8)


def _region(row: pydicom.Dataset) -> Region | None:
    """One calibrated region; None when it does not count centimetres both ways (a spectrum, a trace)."""
    both = (row.PhysicalUnitsXDirection, row.PhysicalUnitsYDirection) == (CENTIMETRES, CENTIMETRES)
    across, down = abs(float(row.PhysicalDeltaX)) * 10, abs(float(row.PhysicalDeltaY)) * 10
    if not both or not across or not down:
        return None
    box = tuple(int(row[f"RegionLocation{corner}"].value) for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1"))
    return Region((box[0], box[1], box[2], box[3]), across, down)


class DicomLoopSource(ImageSource):
    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._frames: npt.NDArray[np.uint8] | None = None
        self._gain_db = 0.0
        self._regions: list[Region] = []
        self._frame_s = 1 / 30
        self._indices: dict[str, float | None] = {}

    def open(self) -> None:
        """Read the whole loop. SourceError for files without pictures or without calibration in centimetres."""
        path = Path(str(self.options.get("path") or SHIPPED))
        try:
            dataset = pydicom.dcmread(path)
            frames = _grey(np.atleast_3d(dataset.pixel_array))
            regions = [found for row in dataset.SequenceOfUltrasoundRegions if (found := _region(row))]
        except (
            OSError,
            AttributeError,
            IndexError,
            KeyError,
            pydicom.errors.InvalidDicomError,
            RuntimeError,
        ) as error:
            raise SourceError(f"{path}: {error}") from error
        if not regions:
            raise SourceError(f"{path}: not calibrated in centimetres")
        # A file scaled after recording keeps the regions of the original: bring the pixels back to that size.
        right, bottom = max(part.box[2] for part in regions), max(part.box[3] for part in regions)
        grow = max(1, -(-(right + 1) // frames.shape[2]), -(-(bottom + 1) // frames.shape[1]))
        self._frames = frames.repeat(grow, axis=1).repeat(grow, axis=2)
        self._regions = regions
        self._frame_s = float(dataset.get("FrameTime", 0) or 1000 / 30) / 1000
        self._indices = {field: _number(dataset, name) for field, name in INDICES.items()}

    def frame(self, now: float) -> Frame:
        if self._frames is None:
            raise SourceError("the source is not open")
        pixels = self._frames[int(now / self._frame_s) % len(self._frames)]
        if self._gain_db:
            lifted = pixels.astype(np.float32) + np.float32(self._gain_db * 255 / 60)
            pixels = np.where(pixels > 0, np.clip(lifted, 0, 255), 0).astype(np.uint8)
        first = self._regions[0]
        return Frame(
            frame_id=frame_number(now),
            t_us=time.monotonic_ns() // 1000,
            pixels=pixels,
            mm_per_px_x=first.mm_per_px_x,
            mm_per_px_y=first.mm_per_px_y,
            region=first.box,
            depth_mm=self._depth_mm,
            more_regions=tuple(self._regions[1:]),
            gain_db=self._gain_db,
            mechanical_index=self._indices["mechanical_index"],
            thermal_index=self._indices["thermal_index"],
            bone_thermal_index=self._indices["bone_thermal_index"],
        )

    @property
    def _depth_mm(self) -> float:
        if not self._regions:
            return 0.0
        return (self._regions[0].box[3] - self._regions[0].box[1]) * self._regions[0].mm_per_px_y

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
        """Only the gain of a recording can be changed."""
        if gain_db is not None:
            self._gain_db = min(max(float(gain_db), -30.0), 30.0)
        return {"gain_db": self._gain_db, "depth_mm": self._depth_mm, "dynamic_range_db": 60.0, "presets": []}

    def close(self) -> None:
        self._frames = None

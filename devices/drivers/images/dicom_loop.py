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

from devices.drivers.base import Frame, ImageSource, SourceError
from devices.drivers.images.source import frame_number

SHIPPED = Path(pydicom.data.__file__).parent / "test_files" / "examples_ybr_color.dcm"
CENTIMETRES = 3  # (0018,6024), PS3.3 C.8.5.5.1.1


def _grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(frames, height, width) luminance of grey or RGB pictures (ITU-R BT.601)."""
    if pixels.ndim == 3:
        return pixels
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114]), dtype=np.uint8)


class DicomLoopSource(ImageSource):
    def __init__(self, *, runtime_dir: Path, options: Mapping[str, Any]) -> None:
        super().__init__(runtime_dir=runtime_dir, options=options)
        self._frames: npt.NDArray[np.uint8] | None = None
        self._gain_db = 0.0
        self._mm_per_px, self._region, self._frame_s = 0.0, (0, 0, 0, 0), 1 / 30

    def open(self) -> None:
        """Read the whole loop. SourceError for files without pictures or without calibration in centimetres."""
        path = Path(str(self.options.get("path") or SHIPPED))
        try:
            dataset = pydicom.dcmread(path)
            frames = _grey(np.atleast_3d(dataset.pixel_array))
            region = dataset.SequenceOfUltrasoundRegions[0]
            corners = (
                "RegionLocationMinX0",
                "RegionLocationMinY0",
                "RegionLocationMaxX1",
                "RegionLocationMaxY1",
            )
            box = [int(region[name].value) for name in corners]
            delta_cm = float(region.PhysicalDeltaX)
            units = int(region.PhysicalUnitsXDirection)
        except (
            OSError,
            AttributeError,
            IndexError,
            KeyError,
            pydicom.errors.InvalidDicomError,
            RuntimeError,
        ) as error:
            raise SourceError(f"{path}: {error}") from error
        if units != CENTIMETRES or delta_cm <= 0:
            raise SourceError(f"{path}: not calibrated in centimetres")
        # A file scaled after recording keeps the region of the original: bring the pixels back to that size.
        grow = max(1, -(-(box[2] + 1) // frames.shape[2]), -(-(box[3] + 1) // frames.shape[1]))
        self._frames = frames.repeat(grow, axis=1).repeat(grow, axis=2)
        self._mm_per_px, self._region = delta_cm * 10, (box[0], box[1], box[2], box[3])
        self._frame_s = float(dataset.get("FrameTime", 0) or 1000 / 30) / 1000

    def frame(self, now: float) -> Frame:
        if self._frames is None:
            raise SourceError("the source is not open")
        pixels = self._frames[int(now / self._frame_s) % len(self._frames)]
        if self._gain_db:
            lifted = pixels.astype(np.float32) + np.float32(self._gain_db * 255 / 60)
            pixels = np.where(pixels > 0, np.clip(lifted, 0, 255), 0).astype(np.uint8)
        return Frame(
            frame_id=frame_number(now),
            t_us=time.monotonic_ns() // 1000,
            pixels=pixels,
            mm_per_px_x=self._mm_per_px,
            mm_per_px_y=self._mm_per_px,
            region=self._region,
            depth_mm=(self._region[3] - self._region[1]) * self._mm_per_px,
        )

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
        depth = (self._region[3] - self._region[1]) * self._mm_per_px
        return {"gain_db": self._gain_db, "depth_mm": depth, "dynamic_range_db": 60.0, "presets": []}

    def close(self) -> None:
        self._frames = None

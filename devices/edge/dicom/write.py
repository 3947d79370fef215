"""Stills and loops as bytes."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from devices.drivers.base import Frame
from devices.edge.dicom import tags
from devices.edge.dicom.burnt import marks_of
from devices.edge.dicom.tags import new_uid
from devices.edge.dicom.worklist import Worklist
from devices.edge.marks.body import Lying, Pose
from devices.edge.marks.sheet import Sheet
from devices.edge.marks.typeface import Typeface

__all__ = ["Shot", "Written", "new_uid", "png", "write_loop", "write_still"]
FRAME_TIME_MS = 1000.0 / 30.0
IMPLEMENTATION_UID = UID("2.25.183742919734530167395523940516271841917")
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and where the probe was when it was taken, as safety said; None: nobody said it in time."""

    frame: Frame
    pose: Pose | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One object, ready to be sent. ``region`` is (x0, y0, x1, y1) in pixels of the object.

    ``offset`` is where the lossless frame's first pixel stands in it.
    """

    data: bytes
    sop_uid: str
    kind: Literal["still", "loop"]
    frames: int
    width: int
    height: int
    mm_per_px_x: float
    mm_per_px_y: float
    region: tuple[int, int, int, int]
    offset: tuple[int, int]


def write_still(
    shot: Shot,
    *,
    worklist: Worklist,
    view: str = "",
    annotation: str = "",
    taken_at: datetime | None = None,
    lying: Lying | None = None,
    instance_number: int = 1,
    typeface: Typeface | None = None,
) -> Written:
    """One picture as Ultrasound Image Storage. ``taken_at`` is aware (default: now)."""
    dataset = tags.common(
        shot.frame,
        worklist,
        view=worklist.view(view),
        note=annotation,
        taken_at=taken_at or datetime.now(UTC),
        instance_number=instance_number,
        poses=[shot.pose],
        lying=lying,
    )
    dataset.SOPClassUID = UltrasoundImageStorage
    return _written(dataset, [shot.frame], kind="still", typeface=typeface)


def write_loop(
    shots: Sequence[Shot],
    *,
    worklist: Worklist,
    view: str = "",
    annotation: str = "",
    taken_at: datetime | None = None,
    lying: Lying | None = None,
    frame_time_ms: float = FRAME_TIME_MS,
    instance_number: int = 1,
    typeface: Typeface | None = None,
) -> Written:
    """Pictures of one geometry as Ultrasound Multi-frame Image Storage.

    A calibration holds for all frames, so frames of another geometry than the last one's are left out
    (the physician changed the depth within the loop). Raises ValueError without frames.
    """
    if not shots:
        raise ValueError("a loop needs frames")
    last = shots[-1].frame
    same = [shot for shot in shots if _geometry(shot.frame) == _geometry(last)]
    dataset = tags.common(
        last,
        worklist,
        view=worklist.view(view),
        note=annotation,
        taken_at=taken_at or datetime.now(UTC),
        instance_number=instance_number,
        poses=[shot.pose for shot in same],
        lying=lying,
    )
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.NumberOfFrames = len(same)
    dataset.FrameTime = f"{frame_time_ms:.4f}"
    dataset.FrameIncrementPointer = 0x00181063
    dataset.CineRate = round(1000.0 / frame_time_ms)
    dataset.EffectiveDuration = f"{len(same) * frame_time_ms / 1000.0:.3f}"
    dataset.StartTrim, dataset.StopTrim = 1, len(same)
    dataset.PreferredPlaybackSequencing = 0
    return _written(dataset, [shot.frame for shot in same], kind="loop", typeface=typeface)


def png(pixels: Pixels) -> bytes:
    """A grey picture (height, width) as a lossless PNG."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, format="PNG", compress_level=3)
    return target.getvalue()


@functools.cache
def installed() -> Typeface:
    """The fonts of this box, looked for once."""
    return Typeface.found()


def _geometry(frame: Frame) -> tuple[object, ...]:
    return (frame.pixels.shape, frame.mm_per_px_x, frame.mm_per_px_y, frame.region)


def _even(data: bytes) -> bytes:
    return data if len(data) % 2 == 0 else data + b"\0"


def _burn(dataset: Dataset, pictures: Sequence[Pixels], typeface: Typeface) -> None:
    sheets = Sheet(marks_of(dataset), typeface).compose(pictures)
    dataset.Rows, dataset.Columns = sheets.shape[1:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = _even(sheets.tobytes())


def _written(
    dataset: Dataset, frames: Sequence[Frame], *, kind: Literal["still", "loop"], typeface: Typeface | None
) -> Written:
    _burn(dataset, [frame.pixels for frame in frames], typeface or installed())
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "YDIH_EDGE_2"
    target = io.BytesIO()
    file = FileDataset(target, dataset, file_meta=meta, preamble=b"\0" * 128)
    file.save_as(target, enforce_file_format=True)
    box = dataset.SequenceOfUltrasoundRegions[0]
    frame, place = frames[-1], marks_of(dataset).place
    return Written(
        data=target.getvalue(),
        sop_uid=str(dataset.SOPInstanceUID),
        kind=kind,
        frames=len(frames),
        width=int(dataset.Columns),
        height=int(dataset.Rows),
        mm_per_px_x=frame.mm_per_px_x,
        mm_per_px_y=frame.mm_per_px_y,
        region=(
            int(box.RegionLocationMinX0),
            int(box.RegionLocationMinY0),
            int(box.RegionLocationMaxX1),
            int(box.RegionLocationMaxY1),
        ),
        offset=(place[0], place[1]),
    )

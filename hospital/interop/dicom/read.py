"""What a DICOM file says. Input is untrusted: anything unreadable is Invalid `bad_dicom`, never a crash."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_preamble
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from hospital.common.errors import Invalid

from .names import person_name

FILE_MAX_BYTES = 200 * 2**20  # design value: 3 s of 800x600 uncompressed are about 45 MB
SIDE_MAX_PX = 8192  # design value
PIXELS_MAX = 2**28  # design value: 3 s at 30/s of 1600x1200 are 173 million
CENTIMETRES = 3  # (0018,6024), PS3.3 C.8.5.5.1.15
# Not deflated: its size is known only after it was inflated, so a small file could fill the memory.
SYNTAXES = frozenset(
    {
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        RLELossless,
        JPEGBaseline8Bit,
        JPEGLosslessSV1,
        JPEGLSLossless,
        JPEG2000Lossless,
    }
)
# pydicom's own remarks on odd values quote them, names of patients included, and would end in the log.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True, kw_only=True)
class DicomMeta:
    """What the server checks a file by. `mm_per_px_*` and `region` (x0, y0, x1, y1 px) of its one 2-D region in cm."""

    sop_uid: str
    sop_class: str
    study_uid: str
    patient_id: str
    patient_name: str
    rows: int
    columns: int
    frames: int
    mm_per_px_x: float | None
    mm_per_px_y: float | None
    region: tuple[int, int, int, int] | None


@contextmanager
def refusing() -> Iterator[None]:
    """Everything that goes wrong inside is the file's fault: Invalid `bad_dicom`.

    pydicom raises many kinds of errors on broken files, RecursionError and MemoryError among them.
    """
    try:
        yield
    except Invalid:
        raise
    except Exception as error:
        raise Invalid("bad_dicom") from error


def _check_syntax(data: bytes) -> None:
    """The transfer syntax is read from the first group alone, before the body is trusted."""
    file = io.BytesIO(data)
    read_preamble(file, force=False)
    meta = pydicom.filereader._read_file_meta_info(file)
    if UID(str(meta.TransferSyntaxUID)) not in SYNTAXES:
        raise Invalid("bad_dicom", field="TransferSyntaxUID")


def parse(data: bytes) -> FileDataset:
    """The dataset, pixels not decoded. Invalid `bad_dicom`, `too_large`."""
    if len(data) > FILE_MAX_BYTES:
        raise Invalid("too_large", max_bytes=FILE_MAX_BYTES)
    with refusing():
        _check_syntax(data)
        return pydicom.dcmread(io.BytesIO(data))


def size_of(dataset: Dataset) -> tuple[int, int, int]:
    """(frames, rows, columns), each at least 1 and together small enough to be drawn. ValueError otherwise."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if not (1 <= rows <= SIDE_MAX_PX and 1 <= columns <= SIDE_MAX_PX and frames >= 1):
        raise ValueError("size of the picture")
    if frames * rows * columns > PIXELS_MAX:
        raise ValueError("too many pixels")
    return frames, rows, columns


def _check_pixels(dataset: FileDataset) -> None:
    """A file cut off on its way must be refused now: its sender deletes its own copy once we accept."""
    stored = len(dataset.PixelData)
    packed = UID(str(dataset.file_meta.TransferSyntaxUID)).is_compressed
    if stored == 0 or (not packed and stored < get_expected_length(dataset)):
        raise ValueError("pixels are missing")


def _uid(dataset: Dataset, name: str) -> str:
    value = UID(str(dataset[name].value))
    if not value.is_valid:
        raise ValueError(name)
    return str(value)


def _calibration(dataset: Dataset) -> tuple[float | None, float | None, tuple[int, int, int, int] | None]:
    """Spacing (mm per pixel) and box of the picture's only region in cm; Nones when there is none, or several."""
    regions = list(dataset.get("SequenceOfUltrasoundRegions") or [])
    if len(regions) != 1:
        return None, None, None
    region = regions[0]
    units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
    x, y = (abs(float(region.get(name) or 0)) * 10 for name in ("PhysicalDeltaX", "PhysicalDeltaY"))
    if units != (CENTIMETRES, CENTIMETRES) or not all(math.isfinite(n) and n > 0 for n in (x, y)):
        return None, None, None
    low_x, low_y = int(region.RegionLocationMinX0), int(region.RegionLocationMinY0)
    return x, y, (low_x, low_y, int(region.RegionLocationMaxX1), int(region.RegionLocationMaxY1))


def read_meta(data: bytes) -> DicomMeta:
    """Who, what and how large. Invalid `bad_dicom` for a file without identity or picture, `too_large`."""
    dataset = parse(data)
    with refusing():
        frames, rows, columns = size_of(dataset)
        _check_pixels(dataset)
        mm_per_px_x, mm_per_px_y, region = _calibration(dataset)
        return DicomMeta(
            sop_uid=_uid(dataset, "SOPInstanceUID"),
            sop_class=_uid(dataset, "SOPClassUID"),
            study_uid=_uid(dataset, "StudyInstanceUID"),
            patient_id=str(dataset.get("PatientID") or "").strip(),
            patient_name=person_name(dataset.get("PatientName")),
            rows=rows,
            columns=columns,
            frames=frames,
            mm_per_px_x=mm_per_px_x,
            mm_per_px_y=mm_per_px_y,
            region=region,
        )

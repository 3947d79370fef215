from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from hospital.common.errors import Invalid

MAX_PIXELS = 2**28  # design value: 3 s at 30/s of 1600x1200 are 173 million


@dataclass(frozen=True, kw_only=True)
class DicomMeta:
    """What the server checks a file by."""

    sop_uid: str
    sop_class: str
    study_uid: str
    patient_id: str
    patient_name: str
    rows: int
    columns: int
    frames: int


def parse(data: bytes) -> FileDataset:
    """Invalid `bad_dicom` for anything that is not a readable DICOM file."""
    try:
        return pydicom.dcmread(io.BytesIO(data))
    except Exception as error:
        raise Invalid("bad_dicom") from error


def read_meta(data: bytes) -> DicomMeta:
    dataset = parse(data)
    try:
        return DicomMeta(
            sop_uid=str(dataset.SOPInstanceUID),
            sop_class=str(dataset.SOPClassUID),
            study_uid=str(dataset.StudyInstanceUID),
            patient_id=str(dataset.get("PatientID", "")),
            patient_name=str(dataset.get("PatientName", "")),
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
            frames=int(dataset.get("NumberOfFrames", 1) or 1),
        )
    except Exception as error:
        raise Invalid("bad_dicom") from error


def frames_of(data: bytes) -> tuple[NDArray[np.uint8], float]:
    """(frames, height, width, 3) as RGB and the frame rate (1 for a still)."""
    dataset = parse(data)
    try:
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
        if int(dataset.Rows) * int(dataset.Columns) * frames > MAX_PIXELS:
            raise ValueError("too many pixels")
        pixels = np.asarray(dataset.pixel_array)
        samples = int(dataset.get("SamplesPerPixel", 1))
        if pixels.dtype != np.uint8:
            raise ValueError("only 8-bit pictures")
        if samples == 1:
            pixels = np.repeat(pixels[..., None], 3, axis=-1)
        shaped = pixels.reshape(frames, int(dataset.Rows), int(dataset.Columns), 3)
        frame_ms = float(dataset.get("FrameTime", 0) or 0)
    except Exception as error:
        raise Invalid("bad_dicom") from error
    return shaped, 1000.0 / frame_ms if frame_ms > 0 else 1.0

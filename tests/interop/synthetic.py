"""Small DICOM files made here, so that each byte of them is known."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

SOP_UID, STUDY_UID = "2.25.11", "2.25.22"


def region(**changes: Any) -> Dataset:
    """A calibrated region: 0.04 cm per pixel across, 0.05 down."""
    found = Dataset()
    values = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": 2,
        "RegionLocationMinY0": 3,
        "RegionLocationMaxX1": 30,
        "RegionLocationMaxY1": 20,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.04,
        "PhysicalDeltaY": 0.05,
    }
    for name, value in (values | changes).items():
        setattr(found, name, value)
    return found


def dataset(pixels: npt.NDArray[Any], **changes: Any) -> FileDataset:
    """An ultrasound object of (rows, columns) grey, (frames, rows, columns) grey or (rows, columns, 3) RGB."""
    rgb = pixels.ndim == 3 and pixels.shape[-1] == 3
    loop = pixels.ndim == 3 and not rgb
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage if loop else UltrasoundImageStorage
    meta.MediaStorageSOPInstanceUID = UID(SOP_UID)
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    bits = pixels.dtype.itemsize * 8
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": SOP_UID,
        "StudyInstanceUID": STUDY_UID,
        "PatientID": "P00000001",
        "PatientName": "Wang^XiaoDong=王^小东=",
        "Rows": pixels.shape[1 if loop else 0],
        "Columns": pixels.shape[2 if loop else 1],
        "SamplesPerPixel": 3 if rgb else 1,
        "PhotometricInterpretation": "RGB" if rgb else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "SequenceOfUltrasoundRegions": Sequence([region()]),
        "PixelData": pixels.tobytes() + b"\0" * (pixels.nbytes % 2),
    }
    if rgb:
        values["PlanarConfiguration"] = 0
    if loop:
        values |= {"NumberOfFrames": pixels.shape[0], "FrameTime": "40"}
    for name, value in (values | changes).items():
        if value is not None:
            setattr(made, name, value)
    return made


def written(made: FileDataset) -> bytes:
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def still(**changes: Any) -> bytes:
    return written(dataset(ramp(24, 32), **changes))


def loop(frames: int = 8, rows: int = 24, columns: int = 32, **changes: Any) -> bytes:
    """Frame n is uniformly grey 20 * n."""
    levels = np.arange(frames, dtype=np.uint8)[:, None, None] * 20
    return written(dataset(np.broadcast_to(levels, (frames, rows, columns)).copy(), **changes))


def ramp(rows: int, columns: int) -> npt.NDArray[np.uint8]:
    return (np.arange(rows * columns) % 256).astype(np.uint8).reshape(rows, columns)


def shipped(name: str) -> bytes:
    """A file that comes with pydicom; nothing is downloaded."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str), name
    with open(path, "rb") as file:
        return file.read()

"""DICOM objects from lossless pictures: US Image (still) and US Multi-frame Image (loop).

Uncompressed, Explicit VR Little Endian, one grey byte per pixel; names in UTF-8 (ISO_IR 192). The only
place in the edge that knows DICOM. Rules DCM-04..08, 13 and 17 of the standards page; tags of PS3.3
C.8.5.5 (region calibration), C.7.6.5 (cine), C.7.6.6 (multi-frame).
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from devices.drivers.base import Frame

FRAME_TIME_MS = 1000.0 / 30.0
MANUFACTURER = "Yangtze Delta Internet Hospital"
IMPLEMENTATION_UID = UID("2.25.183742919734530167395523940516271841917")
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_CENTIMETRES = 3  # (0018,6024): physical units, PS3.3 C.8.5.5.1.1


class WorklistIncomplete(ValueError):
    """The worklist item lacks what an object must name; ``args[0]`` is the field."""


@dataclass(frozen=True, slots=True)
class Worklist:
    """Whose picture it is, as the server sent it at *ready* (contract: signalling, ``worklist``)."""

    exam_id: str
    patient_name: str
    patient_name_pinyin: str
    patient_id: str
    issuer: str
    birth_date: str
    sex: str
    study_uid: str
    accession: str
    exam_type: str
    institution: str
    physician: str

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Worklist:
        """Read the message. Raises WorklistIncomplete, also for values DICOM cannot hold (DCM-03)."""
        values = {name: str(message.get(name) or "") for name in cls.__slots__}
        for name in ("exam_id", "patient_id", "study_uid"):
            if not values[name]:
                raise WorklistIncomplete(name)
        for name, most in (
            ("accession", 16),
            ("patient_id", 64),
            ("study_uid", 64),
            ("issuer", 64),
        ):
            if len(values[name]) > most:
                raise WorklistIncomplete(name)
        if not UID(values["study_uid"]).is_valid:
            raise WorklistIncomplete("study_uid")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Written:
    """One object, ready to be sent. ``region`` is (x0, y0, x1, y1) in pixels of the object."""

    data: bytes
    sop_uid: str
    kind: Literal["still", "loop"]
    frames: int
    width: int
    height: int
    mm_per_px_x: float
    mm_per_px_y: float
    region: tuple[int, int, int, int]


def write_still(
    frame: Frame,
    *,
    worklist: Worklist,
    view: str = "",
    annotation: str = "",
    taken_at: datetime | None = None,
    instance_number: int = 1,
) -> Written:
    """One picture as Ultrasound Image Storage. ``taken_at`` is aware (default: now)."""
    dataset = _common(frame, worklist, view, annotation, taken_at, instance_number)
    dataset.SOPClassUID = UltrasoundImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    dataset.PixelData = _even(np.ascontiguousarray(frame.pixels).tobytes())
    return _written(dataset, frame, kind="still", frames=1)


def write_loop(
    frames: Sequence[Frame],
    *,
    worklist: Worklist,
    view: str = "",
    annotation: str = "",
    taken_at: datetime | None = None,
    frame_time_ms: float = FRAME_TIME_MS,
    instance_number: int = 1,
) -> Written:
    """Pictures of one geometry as Ultrasound Multi-frame Image Storage.

    A calibration holds for all frames, so frames of another geometry than the last one's are left out
    (the physician changed the depth within the loop). Raises ValueError without frames.
    """
    if not frames:
        raise ValueError("a loop needs frames")
    last = frames[-1]
    same = [frame for frame in frames if _geometry(frame) == _geometry(last)]
    dataset = _common(last, worklist, view, annotation, taken_at, instance_number)
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    dataset.NumberOfFrames = len(same)
    dataset.FrameTime = f"{frame_time_ms:.4f}"
    dataset.FrameIncrementPointer = 0x00181063
    dataset.CineRate = round(1000.0 / frame_time_ms)
    dataset.EffectiveDuration = f"{len(same) * frame_time_ms / 1000.0:.3f}"
    dataset.StartTrim, dataset.StopTrim = 1, len(same)
    dataset.PreferredPlaybackSequencing = 0
    dataset.PixelData = _even(b"".join(np.ascontiguousarray(frame.pixels).tobytes() for frame in same))
    return _written(dataset, last, kind="loop", frames=len(same))


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A grey picture (height, width) as a lossless PNG."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, format="PNG", compress_level=3)
    return target.getvalue()


def new_uid() -> str:
    """A UID under 2.25 from a random UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def person_name(name: str, pinyin: str) -> str:
    """``Wang^XiaoDong=王^小东`` (PS3.5 annex K): alphabetic and ideographic groups.

    Chinese names come undivided: one family character, two for the known double surnames.
    """
    name = name.strip().replace("=", "").replace("\\", "")
    family = 2 if name[:2] in _DOUBLE_SURNAMES else 1
    chinese = any("\u3400" <= char <= "\u9fff" or char >= "\U00020000" for char in name)
    if not chinese:
        return (pinyin or name).strip().replace("=", "").replace(" ", "^", 1)
    ideographic = f"{name[:family]}^{name[family:]}" if "^" not in name else name
    alphabetic = pinyin.strip().replace("=", "").replace("\\", "").replace(" ", "^", 1)
    return f"{alphabetic}={ideographic}="


_DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "令狐",
    ]
)


def _common(
    frame: Frame,
    worklist: Worklist,
    view: str,
    annotation: str,
    taken_at: datetime | None,
    instance_number: int,
) -> Dataset:
    when = (taken_at or datetime.now(_SHANGHAI)).astimezone(_SHANGHAI)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPInstanceUID = new_uid()
    dataset.TimezoneOffsetFromUTC = "+0800"
    for name in ("Study", "Series", "Content", "Acquisition", "InstanceCreation"):
        setattr(dataset, f"{name}Date", when.strftime("%Y%m%d"))
        setattr(dataset, f"{name}Time", when.strftime("%H%M%S.%f"))
    _patient_and_study(dataset, worklist)
    dataset.SeriesInstanceUID = _series_uid(worklist.study_uid)
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = instance_number
    dataset.Modality = "US"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = "Remote ultrasound robot"
    dataset.SoftwareVersions = "1"
    dataset.Laterality = ""
    dataset.PatientOrientation = ""
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    if view:
        # A view has its name only inside a staged protocol (PS3.3 C.8.5.6): here one stage, one view.
        dataset.StageNumber, dataset.NumberOfStages = 1, 1
        dataset.ViewName, dataset.ViewNumber, dataset.NumberOfViewsInStage = (
            view[:64],
            1,
            1,
        )
    if annotation:
        dataset.ImageComments = annotation[:10240]
    _pixels(dataset, frame)
    dataset.SequenceOfUltrasoundRegions = Items([_region(frame)])
    return dataset


def _patient_and_study(dataset: Dataset, worklist: Worklist) -> None:
    dataset.PatientName = person_name(worklist.patient_name, worklist.patient_name_pinyin)
    dataset.PatientID = worklist.patient_id
    dataset.IssuerOfPatientID = worklist.issuer
    dataset.PatientBirthDate = worklist.birth_date.replace("-", "")[:8]
    dataset.PatientSex = worklist.sex if worklist.sex in ("M", "F", "O") else ""
    dataset.StudyInstanceUID = worklist.study_uid
    dataset.StudyID = worklist.accession
    dataset.AccessionNumber = worklist.accession
    dataset.StudyDescription = worklist.exam_type[:64]
    dataset.InstitutionName = worklist.institution[:64]
    dataset.ReferringPhysicianName = ""
    dataset.OperatorsName = person_name(worklist.physician, "") if worklist.physician else ""


def _pixels(dataset: Dataset, frame: Frame) -> None:
    dataset.Rows, dataset.Columns = frame.pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0


def _region(frame: Frame) -> Dataset:
    """Region calibration: cm per pixel inside the box (DCM-07)."""
    region = Dataset()
    region.RegionSpatialFormat = 1  # 2D
    region.RegionDataType = 1  # tissue
    region.RegionFlags = 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = (
        frame.region[0],
        frame.region[1],
    )
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = (
        frame.region[2],
        frame.region[3],
    )
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = _CENTIMETRES
    region.PhysicalDeltaX = frame.mm_per_px_x / 10.0
    region.PhysicalDeltaY = frame.mm_per_px_y / 10.0
    return region


def _series_uid(study_uid: str) -> str:
    """One series per study on this robot: the same study always gives the same UID."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, study_uid + '/ultrasound').int}"


def _geometry(frame: Frame) -> tuple[object, ...]:
    return (frame.pixels.shape, frame.mm_per_px_x, frame.mm_per_px_y, frame.region)


def _even(data: bytes) -> bytes:
    return data if len(data) % 2 == 0 else data + b"\0"


def _written(dataset: Dataset, frame: Frame, *, kind: Literal["still", "loop"], frames: int) -> Written:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "YDIH_EDGE_1"
    target = io.BytesIO()
    file = FileDataset(target, dataset, file_meta=meta, preamble=b"\0" * 128)
    file.save_as(target, enforce_file_format=True)
    return Written(
        data=target.getvalue(),
        sop_uid=str(dataset.SOPInstanceUID),
        kind=kind,
        frames=frames,
        width=int(dataset.Columns),
        height=int(dataset.Rows),
        mm_per_px_x=frame.mm_per_px_x,
        mm_per_px_y=frame.mm_per_px_y,
        region=frame.region,
    )

"""The tags of a still or loop: who, what, when, how deep, which side, and where the probe was."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from devices.drivers.base import Frame
from devices.edge.dicom.names import person_name
from devices.edge.dicom.worklist import View, Worklist
from devices.edge.marks.body import Lying, Pose, orientation
from devices.edge.marks.sheet import place_of

MANUFACTURER = "Yangtze Delta Internet Hospital"
SHANGHAI = ZoneInfo("Asia/Shanghai")
CODING_SCHEME = "99YDIH"
PRIVATE_GROUP, PRIVATE_CREATOR = 0x0019, "YDIH MARKS 1"
PLACE, POSES, HEAD, LIE, GAIN = 0x01, 0x02, 0x03, 0x04, 0x05
"""Elements of the private block: the picture's place on the sheet (x0, y0, x1, y1), seven numbers a picture for the
probe (tip mm, quaternion; all zero: not known), the head's direction, lying position, gain in dB."""
_CENTIMETRES = 3  # (0018,6024): physical units, PS3.3 C.8.5.5.1.1
_NO_POSE = (0.0,) * 7


def new_uid() -> str:
    """A UID under 2.25 from a random UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def common(
    frame: Frame,
    worklist: Worklist,
    *,
    view: View,
    note: str,
    taken_at: datetime,
    instance_number: int,
    poses: Sequence[Pose | None],
    lying: Lying | None,
) -> Dataset:
    """All tags but the pixels; ``frame`` is the last picture, ``taken_at`` (aware) the first one's time."""
    when = taken_at.astimezone(SHANGHAI)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPInstanceUID = new_uid()
    dataset.TimezoneOffsetFromUTC = "+0800"
    # One study, one series: their times are one for all their pictures (PS3.3 C.7.2.1, C.7.3.1).
    began = (worklist.study_started_at or taken_at).astimezone(SHANGHAI)
    for names, at in ((("Study", "Series"), began), (("Content", "Acquisition", "InstanceCreation"), when)):
        for name in names:
            setattr(dataset, f"{name}Date", at.strftime("%Y%m%d"))
            setattr(dataset, f"{name}Time", at.strftime("%H%M%S.%f"))
    _patient_and_study(dataset, worklist)
    dataset.SeriesInstanceUID = _series_uid(worklist.study_uid)
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = instance_number
    dataset.Modality = "US"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = "Remote ultrasound robot"
    dataset.SoftwareVersions = "1"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    dataset.BurnedInAnnotation = "YES"
    dataset.LossyImageCompression = "00"
    _view(dataset, view)
    if note:
        dataset.ImageComments = note[:10240]
    _settings(dataset, frame)
    _place(dataset, frame)
    _probe(dataset, poses, lying)
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


def _view(dataset: Dataset, view: View) -> None:
    """The side belongs to the image: one series has views of both sides, so Laterality stays out (PS3.3 C.7.3.1)."""
    if view.laterality:
        dataset.ImageLaterality = view.laterality
    else:
        dataset.Laterality = ""
    if not view.code:
        return
    # A view has its name only inside a staged protocol (PS3.3 C.8.5.6): here one stage, one view.
    dataset.StageNumber, dataset.NumberOfStages = 1, 1
    dataset.ViewName, dataset.ViewNumber, dataset.NumberOfViewsInStage = (view.name or view.code)[:16], 1, 1
    code = Dataset()
    if len(view.code) <= 16:
        code.CodeValue = view.code
    else:
        code.LongCodeValue = view.code
    code.CodingSchemeDesignator = CODING_SCHEME
    code.CodeMeaning = (view.name or view.code)[:64]
    dataset.ViewCodeSequence = Items([code])


def _settings(dataset: Dataset, frame: Frame) -> None:
    """What the source knows; what it does not know has no tag."""
    dataset.DepthOfScanField = round(frame.depth_mm)
    if frame.focus_mm is not None:
        dataset.DepthsOfFocus = float(frame.focus_mm)  # mm
    for name, value in (
        ("MechanicalIndex", frame.mechanical_index),
        ("SoftTissueThermalIndex", frame.thermal_index),
        ("BoneThermalIndex", frame.bone_thermal_index),
    ):
        if value is not None:
            setattr(dataset, name, f"{value:.2f}")


def _place(dataset: Dataset, frame: Frame) -> None:
    """Where the picture stands on the sheet, and its regions there."""
    height, width = frame.pixels.shape
    place = place_of(width, height)
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PLACE, "US", list(place))
    if frame.gain_db is not None:
        block.add_new(GAIN, "DS", f"{frame.gain_db:.1f}")
    boxes = [(frame.region, frame.mm_per_px_x, frame.mm_per_px_y)]
    boxes += [(part.box, part.mm_per_px_x, part.mm_per_px_y) for part in frame.more_regions]
    regions = [_region(box, across, down, place) for box, across, down in boxes]
    # Where the depth is 0: on the middle line the deepest point is the box's last row.
    regions[0].ReferencePixelX0 = (frame.region[2] - frame.region[0]) // 2
    regions[0].ReferencePixelY0 = round(
        frame.region[3] - frame.region[1] - frame.depth_mm / frame.mm_per_px_y
    )
    regions[0].ReferencePixelPhysicalValueX = regions[0].ReferencePixelPhysicalValueY = 0.0
    if frame.frequency_mhz is not None:
        regions[0].TransducerFrequency = round(frame.frequency_mhz * 1000)  # kHz
    dataset.SequenceOfUltrasoundRegions = Items(regions)


def _region(
    box: tuple[int, int, int, int], mm_across: float, mm_down: float, place: tuple[int, int, int, int]
) -> Dataset:
    """Region calibration: cm per pixel inside the box (DCM-07)."""
    region = Dataset()
    region.RegionSpatialFormat = 1  # 2D
    region.RegionDataType = 1  # tissue
    region.RegionFlags = 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = box[0] + place[0], box[1] + place[1]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = box[2] + place[0], box[3] + place[1]
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = _CENTIMETRES
    region.PhysicalDeltaX = mm_across / 10.0
    region.PhysicalDeltaY = mm_down / 10.0
    return region


def _probe(dataset: Dataset, poses: Sequence[Pose | None], lying: Lying | None) -> None:
    """The probe at each picture; Patient Orientation of the last one, empty when it can't be known."""
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    numbers = [(*pose.position_mm, *pose.quaternion) if pose is not None else _NO_POSE for pose in poses]
    block.add_new(POSES, "FD", [float(value) for row in numbers for value in row])
    last = poses[-1]
    dataset.PatientOrientation = (
        list(orientation(last, lying)) if last is not None and lying is not None else ""
    )
    if lying is not None:
        block.add_new(HEAD, "CS", lying.head.upper())
        block.add_new(LIE, "CS", lying.lie.upper())


def _series_uid(study_uid: str) -> str:
    """One series per study on this robot: the same study always gives the same UID."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, study_uid + '/ultrasound').int}"

"""What is burnt in, read from the tags: so tags and picture cannot say different things."""

from __future__ import annotations

from typing import Any, get_args

from pydicom.dataset import Dataset

from devices.edge.dicom.tags import GAIN, HEAD, LIE, PLACE, POSES, PRIVATE_CREATOR, PRIVATE_GROUP
from devices.edge.marks.body import Head, Lie, Lying, Pose
from devices.edge.marks.sheet import Marks, Scale

SEX = {"M": ("男", "M"), "F": ("女", "F"), "O": ("其他", "other")}


def marks_of(dataset: Dataset) -> Marks:
    """The marks of an object written here. Raises KeyError for one that was not."""
    zh, latin = _names(dataset)
    sex = SEX.get(str(dataset.PatientSex), ("", ""))
    born = _date(str(dataset.PatientBirthDate))
    focus = dataset.get("DepthsOfFocus")
    return Marks(
        name=zh,
        name_latin=latin,
        person=(f"{sex[0]} {born}".strip(), f"{sex[1]} {born}".strip()),
        identity=f"ID {dataset.PatientID}   No. {dataset.AccessionNumber}",
        institution=str(dataset.InstitutionName or ""),
        when=f"{_date(str(dataset.ContentDate))} {_time(str(dataset.ContentTime))}",
        view=_view(dataset),
        side=str(dataset.get("ImageLaterality") or ""),
        settings=_settings(dataset),
        focus_mm=None if focus is None else float(focus),
        note=str(dataset.get("ImageComments") or ""),
        scale=_scale(dataset),
        lying=_lying(dataset),
        poses=_poses(dataset),
        place=_place(dataset),
    )


def _private(dataset: Dataset, element: int) -> Any:
    """A value of our own block, None when it is not there."""
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)
    return block[element].value if element in block else None


def _names(dataset: Dataset) -> tuple[str, str]:
    """Chinese without the divider, Latin with a blank; both the same for names without characters."""
    name = dataset.PatientName
    latin = str(name.alphabetic).replace("^", " ").strip()
    return str(name.ideographic).replace("^", "").strip() or latin, latin


def _date(value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}" if len(value) >= 8 else ""


def _time(value: str) -> str:
    return f"{value[:2]}:{value[2:4]}:{value[4:6]}"


def _view(dataset: Dataset) -> tuple[str, str]:
    """(name, code): where the name can't be written, its code can."""
    rows = dataset.get("ViewCodeSequence")
    if not rows:
        return "", ""
    return str(rows[0].CodeMeaning), str(rows[0].get("CodeValue") or rows[0].get("LongCodeValue"))


def _settings(dataset: Dataset) -> tuple[str, ...]:
    region, gain = dataset.SequenceOfUltrasoundRegions[0], _private(dataset, GAIN)
    lines = [f"D {float(dataset.DepthOfScanField) / 10:.1f} cm"]
    if gain is not None:
        lines.append(f"Gain {float(gain):g} dB")
    if "DepthsOfFocus" in dataset:
        lines.append(f"F {float(dataset.DepthsOfFocus) / 10:.1f} cm")
    if "TransducerFrequency" in region:
        lines.append(f"{float(region.TransducerFrequency) / 1000:g} MHz")
    for word, name in (
        ("MI", "MechanicalIndex"),
        ("TIS", "SoftTissueThermalIndex"),
        ("TIB", "BoneThermalIndex"),
    ):
        if name in dataset:
            lines.append(f"{word} {float(dataset[name].value):.2f}")
    return tuple(lines)


def _scale(dataset: Dataset) -> Scale:
    region = dataset.SequenceOfUltrasoundRegions[0]
    return Scale(
        zero_row=float(region.RegionLocationMinY0 + region.ReferencePixelY0),
        mm_per_row=float(region.PhysicalDeltaY) * 10.0,
        bottom=int(region.RegionLocationMaxY1),
        left=int(region.RegionLocationMinX0),
    )


def _lying(dataset: Dataset) -> Lying | None:
    head, lie = (str(_private(dataset, element) or "").lower() for element in (HEAD, LIE))
    for known_head in get_args(Head):
        for known_lie in get_args(Lie):
            if (head, lie) == (known_head, known_lie):
                return Lying(known_head, known_lie)
    return None


def _poses(dataset: Dataset) -> tuple[Pose | None, ...]:
    numbers = [float(value) for value in _private(dataset, POSES)]
    rows = [numbers[start : start + 7] for start in range(0, len(numbers), 7)]
    return tuple(
        Pose((row[0], row[1], row[2]), (row[3], row[4], row[5], row[6])) if any(row[3:]) else None
        for row in rows
    )


def _place(dataset: Dataset) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (int(value) for value in _private(dataset, PLACE))
    return x0, y0, x1, y1

"""What is burnt in says what the tags say, covers nothing, and shows a picture that was turned over."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest

from devices.drivers.images.source import PhantomSource
from devices.drivers.sim.world import WIRE_DEPTHS_MM
from devices.edge.dicom import Shot, Worklist, marks_of, write_loop, write_still
from devices.edge.dicom.burnt import SEX
from devices.edge.marks.body import BodyMark, Lying, Pose, orientation
from devices.edge.marks.sheet import Sheet
from devices.edge.marks.typeface import Face, Typeface
from tests.edge.test_dicom import (
    ACROSS,
    FULL,
    LYING,
    MESSAGE,
    TAKEN_AT,
    WORKLIST,
    frame,
    loop,
    read,
    shot,
    still,
)
from tests.edge.test_image_phantom import moved, pose_at

LATIN_ONLY = Typeface((Face(None),))
NOWHERE = "\U000323af"  # last of CJK extension H: in no font of Debian 12


def drawn_again(dataset: pydicom.Dataset) -> np.ndarray:
    """The object's pixels, made from nothing but its tags and the frame cut out of it."""
    marks = marks_of(dataset)
    x0, y0, x1, y1 = marks.place
    pixels = np.asarray(dataset.pixel_array)
    pictures = pixels[None] if pixels.ndim == 2 else pixels
    sheet = Sheet(marks, Typeface.found())
    return sheet.compose([picture[y0:y1, x0:x1] for picture in pictures])


@pytest.mark.parametrize("make", [still, loop, lambda: still(FULL, view="kidney_right_short")])
def test_the_marks_drawn_again_from_the_tags_are_the_marks_that_are_burnt_in(make: object) -> None:
    assert callable(make)
    dataset = read(make())
    assert (drawn_again(dataset) == np.asarray(dataset.pixel_array)).all()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("PatientName", "Li^Na=李^娜="),
        ("PatientID", "P87654321"),
        ("AccessionNumber", "A202611240002"),
        ("ImageLaterality", "L"),
        ("ContentTime", "013001.000000"),
        ("DepthOfScanField", 170),
        ("MechanicalIndex", "0.80"),
        ("SoftTissueThermalIndex", "0.40"),
        ("BoneThermalIndex", "1.20"),
        ("DepthsOfFocus", 70.0),
        ("ImageComments", "胆囊短轴"),
        ("PatientBirthDate", "19500204"),
        ("PatientSex", "F"),
        ("InstitutionName", "别的医院"),
    ],
)
def test_each_of_these_tags_is_burnt_in(tag: str, value: object) -> None:
    dataset = read(still(FULL, view="kidney_right_short"))
    other = copy.deepcopy(dataset)
    setattr(other, tag, value)
    assert (
        drawn_again(other).shape != dataset.pixel_array.shape
        or (drawn_again(other)[0] != dataset.pixel_array).any()
    )


def test_the_words_are_the_tags_words() -> None:
    marks = marks_of(read(still(FULL, view="kidney_right_short")))
    assert (marks.name, marks.name_latin) == ("王小东", "Wang XiaoDong")
    assert marks.person[0] == f"{SEX['M'][0]} 1950-02-03"
    assert marks.identity == "ID P12345678   No. A202611240001"
    assert marks.when == "2026-11-24 01:30:00"
    assert (marks.view, marks.side) == (("右肾短轴", "kidney_right_short"), "R")
    assert marks.settings == ("D 16.0 cm", "Gain -3 dB", "F 8.0 cm", "MI 0.90", "TIS 0.30", "TIB 1.10")
    assert (marks.note, marks.lying, marks.poses) == ("胆囊长轴", LYING, (ACROSS,))


def test_a_loop_shows_the_probe_of_each_picture() -> None:
    away = dataclasses.replace(ACROSS, position_mm=(80.0, -100.0, 0.0))
    dataset = read(write_loop([shot(0), shot(0, pose=away)], worklist=WORKLIST, lying=LYING))
    assert marks_of(dataset).poses == (ACROSS, away)
    first, second = dataset.pixel_array
    assert (first != second).any()


def test_depth_ticks_stand_at_true_rows() -> None:
    written = write_still(
        Shot(dataclasses.replace(frame(), pixels=np.zeros((480, 640), np.uint8))), worklist=WORKLIST
    )
    region = read(written).SequenceOfUltrasoundRegions[0]
    column = read(written).pixel_array[written.offset[1] : written.offset[1] + 480, 650]
    rows = np.flatnonzero(column) + written.offset[1]
    zero = region.RegionLocationMinY0 + region.ReferencePixelY0
    assert rows.tolist() == [round(zero + n * 50 / 0.4) for n in range(4)], "long ticks, each 5 cm"


@pytest.mark.parametrize("name", ["王小东", "诸葛𬭎", "㛃", "𪚥", "𰻝", "吾买尔·艾力", "Zoë"])
def test_names_of_every_extension_are_written(name: str) -> None:
    found = Typeface.found()
    if not found.chinese:
        pytest.skip("fonts-noto-cjk is not installed; deploy/test installs it")
    assert found.best(name, "pinyin") == name


def test_a_name_that_no_font_has_is_written_in_pinyin_and_never_as_boxes() -> None:
    found = Typeface.found()
    assert found.best("王" + NOWHERE, "Wang Mo") == "Wang Mo"
    assert found.best("王" + NOWHERE, "Wang " + NOWHERE) == "Wang [U+323AF]"
    assert LATIN_ONLY.best("王小东", "Wang XiaoDong") == "Wang XiaoDong"
    assert LATIN_ONLY.spelled("胆A") == "[U+80C6]A"


def test_a_box_without_chinese_fonts_still_names_the_patient() -> None:
    written = write_still(shot(), worklist=WORKLIST, view="gallbladder", typeface=LATIN_ONLY, lying=LYING)
    dataset = read(written)
    again = Sheet(marks_of(dataset), LATIN_ONLY).compose([frame().pixels])
    assert (again[0] == dataset.pixel_array).all()
    assert dataset.PatientName.ideographic == "王^小东"


def test_a_long_name_and_a_long_note_are_written_whole() -> None:
    long = {**MESSAGE, "patient_name": "阿卜杜勒" * 8, "patient_name_pinyin": "ABuDuLe" * 6}
    note = "右肾上极见一囊性灶，边界清。" * 14
    written = write_still(shot(), worklist=Worklist.from_message(long), annotation=note, taken_at=TAKEN_AT)
    dataset = read(written)
    sheet = Sheet(marks_of(dataset), Typeface.found())
    assert "".join(sheet.notes) == Typeface.found().spelled(note)
    assert (dataset.pixel_array[:, -4:] == 0).all(), "nothing runs over the edge"


@pytest.mark.parametrize(
    ("x_mm", "y_mm", "lying", "side"),
    [
        (-100.0, 0.0, Lying("left", "supine"), "R"),
        (100.0, 0.0, Lying("left", "supine"), "L"),
        (100.0, 0.0, Lying("right", "supine"), "R"),
    ],
)
def test_the_body_marks_bar_lies_on_the_side_where_the_probe_is(
    x_mm: float, y_mm: float, lying: Lying, side: str
) -> None:
    mark = BodyMark(width=92, height=150)
    bare = np.asarray(mark.draw(None, lying)).astype(int)
    found = np.asarray(mark.draw(dataclasses.replace(ACROSS, position_mm=(x_mm, y_mm, 0.0)), lying)).astype(
        int
    )
    columns = np.nonzero(found - bare)[1]
    assert ("R" if columns.max() < 46 else "L" if columns.min() > 46 else "?") == side


def test_without_the_bedsides_word_there_is_no_bar() -> None:
    mark = BodyMark(width=92, height=150)
    assert mark.draw(ACROSS, None) == mark.draw(None, LYING)


# --- HAZ-08: left and right


@pytest.fixture(scope="module")
def source() -> PhantomSource:
    found = PhantomSource(runtime_dir=Path("/nonexistent"), options={})
    found.open()
    return found


def wire_left_of_the_middle(source: PhantomSource, picture: np.ndarray) -> bool:
    """Where the brightest spot is at the first wire's depth."""
    row = round(source.geometry.tip_y + (WIRE_DEPTHS_MM[0] - 8.0) / source.geometry.mm_per_px)
    band = picture[row - 4 : row + 5].max(axis=0)
    return int(band.argmax()) < int(picture.shape[1]) // 2


def test_what_lies_to_the_markers_side_is_on_the_dots_side_of_the_object(source: PhantomSource) -> None:
    pose = moved(pose_at(), (-20.0, 0.0, 0.0))  # away from the marker: the wire is now on the marker's side
    taken = source.render(pose, 1.0)
    where = Pose(pose.position_mm, pose.quaternion)
    written = write_still(Shot(taken, where), worklist=WORKLIST, lying=LYING)
    pixels = read(written).pixel_array
    x, y = written.offset
    cut = pixels[y : y + 480, x : x + 640]
    assert wire_left_of_the_middle(source, cut)
    assert not wire_left_of_the_middle(source, cut[:, ::-1]), "a flipped picture would be noticed"
    dot = np.flatnonzero(pixels[y - 10 : y - 3, :640].max(axis=0) > 200)
    assert dot.max() < 320, "the marker's dot is at the left"
    assert orientation(where, LYING)[0] == "L", (
        "marker to the patient's right: the picture runs to the left side"
    )


def test_a_flipped_picture_no_longer_equals_the_frame(source: PhantomSource) -> None:
    taken = source.render(pose_at(), 1.0)
    written = write_still(Shot(taken), worklist=WORKLIST)
    x, y = written.offset
    cut = read(written).pixel_array[y : y + 480, x : x + 640]
    assert (cut == taken.pixels).all()
    assert (cut[:, ::-1] != taken.pixels).any()
    assert (cut[::-1] != taken.pixels).any()

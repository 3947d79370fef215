"""Stills and loops as DICOM: names, calibration, times, and no error by dciodvfy."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from devices.drivers.base import Frame, Region
from devices.edge.dicom import (
    Shot,
    Worklist,
    WorklistIncomplete,
    Written,
    new_uid,
    person_name,
    png,
    write_loop,
    write_still,
)
from devices.edge.marks.body import Lying, Pose

MESSAGE = {
    "type": "worklist",
    "exam_id": "01936b4e-0000-7000-8000-000000000001",
    "patient_name": "王小东",
    "patient_name_pinyin": "Wang XiaoDong",
    "patient_id": "P12345678",
    "issuer": "YDIH",
    "birth_date": "1950-02-03",
    "sex": "M",
    "study_uid": "2.25.329800735698586629295641978511506172918",
    "accession": "A202611240001",
    "exam_type": "Abdomen 腹部超声",
    "institution": "上海市青浦区朱家角人民医院",
    "physician": "李医生",
    "study_started_at": "2026-11-23T15:59:00+00:00",
    "views": [
        {"code": "gallbladder", "name_zh": "胆囊长轴", "side": ""},
        {"code": "kidney_right_short", "name_zh": "右肾短轴", "side": "right"},
        {"code": "testis_left", "name_zh": "左睾丸", "side": "left"},
        {"code": "old", "name_zh": "旧切面"},
    ],
}
WORKLIST = Worklist.from_message(MESSAGE)
TAKEN_AT = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)  # 01:30 of the next day in Shanghai


LYING = Lying("left", "supine")
ACROSS = Pose((-60.0, 0.0, -1.0), (0.0, 0.0, 1.0, 0.0))
"""Beam straight down, marker to the patient's right."""


def frame(number: int = 0, *, shape: tuple[int, int] = (480, 640), mm_per_px: float = 0.4) -> Frame:
    pixels = np.random.default_rng(number).integers(0, 255, shape, dtype=np.uint8)
    box = (30, 15, 609, 434) if shape == (480, 640) else (1, 1, shape[1] - 1, shape[0] - 1)
    return Frame(number, 0, pixels, mm_per_px, mm_per_px, box, 160.0)


def shot(number: int = 0, *, mm_per_px: float = 0.4, pose: Pose | None = ACROSS) -> Shot:
    return Shot(frame(number, mm_per_px=mm_per_px), pose)


def still(one: Frame | None = None, *, view: str = "gallbladder") -> Written:
    return write_still(
        Shot(one or frame(), ACROSS),
        worklist=WORKLIST,
        view=view,
        annotation="胆囊长轴",
        taken_at=TAKEN_AT,
        lying=LYING,
    )


def loop() -> Written:
    return write_loop(
        [shot(i) for i in range(6)], worklist=WORKLIST, view="liver", taken_at=TAKEN_AT, lying=LYING
    )


def read(written: Written) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(written.data))


def picture(written: Written) -> np.ndarray:
    """The frame's pixels, cut out where the object says they are; all frames of a loop."""
    x, y = written.offset
    return np.asarray(read(written).pixel_array)[..., y : y + 480, x : x + 640]


FULL = dataclasses.replace(
    frame(), mechanical_index=0.9, thermal_index=0.3, bone_thermal_index=1.1, focus_mm=80.0, gain_db=-3.0
)


@pytest.mark.parametrize(
    "make",
    [
        still,
        loop,
        lambda: still(view="kidney_right_short"),
        lambda: still(view="old"),
        lambda: still(view=""),
        lambda: still(FULL),
        lambda: write_still(Shot(frame()), worklist=WORKLIST),
    ],
)
def test_dciodvfy_finds_no_error(make: Callable[[], Written], tmp_path: Path) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed; deploy/test installs it")
    path = tmp_path / "object.dcm"
    path.write_bytes(make().data)
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert re.search(r"^US(MultiFrame)?Image$", done.stderr, re.MULTILINE), done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_the_frame_is_in_the_object_bit_for_bit() -> None:
    assert (picture(still(frame(7))) == frame(7).pixels).all()
    found = picture(loop())
    assert found.shape == (6, 480, 640)
    assert all((found[n] == frame(n).pixels).all() for n in range(6))


@pytest.mark.parametrize("shape", [(5, 7), (481, 641), (1080, 1440)])
def test_pictures_of_every_size_stay_whole(shape: tuple[int, int]) -> None:
    written = still(frame(1, shape=shape))
    x, y = written.offset
    found = read(written).pixel_array
    assert (found[y : y + shape[0], x : x + shape[1]] == frame(1, shape=shape).pixels).all()
    assert found.shape == (written.height, written.width)


def test_names_are_utf8_in_two_groups() -> None:
    found = read(still())
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert found.PatientName.alphabetic == "Wang^XiaoDong"
    assert found.PatientName.ideographic == "王^小东"


@pytest.mark.parametrize(
    ("name", "pinyin", "expected"),
    [
        ("王小东", "Wang XiaoDong", "Wang^XiaoDong=王^小东="),
        ("欧阳修", "OuYang Xiu", "OuYang^Xiu=欧阳^修="),
        ("𬭎明", "Hong Ming", "Hong^Ming=𬭎^明="),
        ("John Smith", "", "John^Smith"),
        ("王=小\\东", "Wang=X", "WangX=王^小东="),
    ],
)
def test_a_persons_name(name: str, pinyin: str, expected: str) -> None:
    assert person_name(name, pinyin) == expected


def test_patient_study_and_times_follow_the_worklist_in_shanghai_time() -> None:
    found = read(still())
    assert (found.PatientID, found.IssuerOfPatientID) == ("P12345678", "YDIH")
    assert (found.PatientBirthDate, found.PatientSex) == ("19500203", "M")
    assert (found.StudyInstanceUID, found.AccessionNumber) == (MESSAGE["study_uid"], "A202611240001")
    assert (found.ContentDate, found.ContentTime[:4]) == ("20261124", "0130")
    assert (found.StudyDate, found.StudyTime[:4]) == ("20261123", "2359")
    assert (found.SeriesDate, found.SeriesTime) == (found.StudyDate, found.StudyTime)
    assert found.TimezoneOffsetFromUTC == "+0800"
    assert found.ImageComments == "胆囊长轴"
    assert found.BurnedInAnnotation == "YES"


@pytest.mark.parametrize("told", [None, "", "yesterday", "2026-11-23T15:59:00", 7])
def test_without_a_true_start_of_the_study_the_pictures_own_time_stands(told: object) -> None:
    worklist = Worklist.from_message(MESSAGE | {"study_started_at": told})
    found = read(write_still(shot(), worklist=worklist, taken_at=TAKEN_AT))
    assert found.StudyTime == found.ContentTime


@pytest.mark.parametrize(
    ("view", "name", "laterality"),
    [
        ("gallbladder", "胆囊长轴", "U"),
        ("kidney_right_short", "右肾短轴", "R"),
        ("testis_left", "左睾丸", "L"),
        ("old", "旧切面", None),
        ("unheard_of", "unheard_of", None),
    ],
)
def test_a_view_has_its_code_its_name_and_its_side(view: str, name: str, laterality: str | None) -> None:
    found = read(still(view=view))
    code = found.ViewCodeSequence[0]
    assert (code.get("CodeValue") or code.get("LongCodeValue"), code.CodeMeaning) == (view, name)
    assert found.get("ImageLaterality") == laterality
    # Laterality is the series' and must be there, empty, only where the image says no side of its own.
    assert ("Laterality" in found) == (laterality is None)


def test_indices_depth_focus_and_gain_are_the_sources_and_nothing_is_made_up() -> None:
    found = read(still(FULL))
    assert (found.MechanicalIndex, found.SoftTissueThermalIndex, found.BoneThermalIndex) == (0.9, 0.3, 1.1)
    assert (found.DepthOfScanField, found.DepthsOfFocus) == (160, 80.0)
    bare = read(still())
    for name in ("MechanicalIndex", "SoftTissueThermalIndex", "BoneThermalIndex", "DepthsOfFocus"):
        assert name not in bare


def test_patient_orientation_comes_from_the_pose_and_how_the_patient_lies() -> None:
    assert list(read(still()).PatientOrientation) == ["L", "P"]
    for lying, expected in (
        (Lying("right", "supine"), ["R", "P"]),
        (Lying("left", "left_lateral"), ["A", "L"]),
        (Lying("left", "right_lateral"), ["P", "R"]),
    ):
        written = write_still(shot(), worklist=WORKLIST, lying=lying)
        assert list(read(written).PatientOrientation) == expected
    assert not read(write_still(shot(), worklist=WORKLIST)).PatientOrientation
    assert not read(write_still(shot(pose=None), worklist=WORKLIST, lying=LYING)).PatientOrientation


def test_the_region_is_calibrated_in_centimetres_per_pixel() -> None:
    written = still()
    region = read(written).SequenceOfUltrasoundRegions[0]
    box = (
        region.RegionLocationMinX0,
        region.RegionLocationMinY0,
        region.RegionLocationMaxX1,
        region.RegionLocationMaxY1,
    )
    x, y = written.offset
    assert box == (30 + x, 15 + y, 609 + x, 434 + y) == written.region
    assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
    assert region.PhysicalDeltaX == pytest.approx(0.04)
    # 50 mm are 125 pixels here, and 5.0 cm by the object's own calibration.
    assert 125 * region.PhysicalDeltaY == pytest.approx(5.0)
    # the deepest row is as deep as the picture: depth 0 lies 160 mm, 400 rows above
    assert region.RegionLocationMinY0 + region.ReferencePixelY0 == 434 + y - 400


def test_every_calibrated_region_moves_with_the_frame() -> None:
    more = dataclasses.replace(frame(), more_regions=(Region((10, 440, 600, 470), 0.2, 0.3),))
    written = still(more)
    regions = read(written).SequenceOfUltrasoundRegions
    assert len(regions) == 2
    assert regions[1].RegionLocationMinY0 == 440 + written.offset[1]
    assert (regions[1].PhysicalDeltaX, regions[1].PhysicalDeltaY) == pytest.approx((0.02, 0.03))


def test_a_loop_has_its_frame_time() -> None:
    found = read(loop())
    assert int(found.NumberOfFrames) == 6
    assert float(found.FrameTime) == pytest.approx(33.333, abs=0.001)
    assert found.FrameIncrementPointer == 0x00181063


def test_frames_of_another_depth_are_left_out_of_a_loop() -> None:
    shots = [shot(0, mm_per_px=0.3), shot(1, mm_per_px=0.3), shot(2), shot(3)]
    written = write_loop(shots, worklist=WORKLIST)
    assert written.frames == 2
    assert (picture(written)[0] == frame(2).pixels).all()


def test_a_loop_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="frames"):
        write_loop([], worklist=WORKLIST)


def test_each_object_has_its_own_uid_under_2_25_and_a_study_one_series() -> None:
    first, second = still(), loop()
    assert first.sop_uid != second.sop_uid
    assert all(
        re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid) for uid in (first.sop_uid, second.sop_uid, new_uid())
    )
    assert read(first).SOPInstanceUID == first.sop_uid
    assert read(first).SeriesInstanceUID == read(second).SeriesInstanceUID
    other = dataclasses.replace(WORKLIST, study_uid=new_uid())
    assert read(write_still(shot(), worklist=other)).SeriesInstanceUID != read(first).SeriesInstanceUID


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patient_id", ""),
        ("study_uid", None),
        ("study_uid", "not a uid"),
        ("exam_id", ""),
        ("accession", "A" * 17),
        ("patient_id", "P" * 65),
    ],
)
def test_an_incomplete_worklist_item_is_refused(field: str, value: object) -> None:
    with pytest.raises(WorklistIncomplete, match=field):
        Worklist.from_message({**MESSAGE, field: value})


def test_a_png_holds_every_grey_value() -> None:
    assert (np.asarray(Image.open(io.BytesIO(png(frame(3).pixels)))) == frame(3).pixels).all()

"""Stills and loops as DICOM: names, calibration, times, and no error by dciodvfy."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from devices.drivers.base import Frame
from devices.edge.dicom import (
    Worklist,
    WorklistIncomplete,
    Written,
    new_uid,
    person_name,
    png,
    write_loop,
    write_still,
)

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
}
WORKLIST = Worklist.from_message(MESSAGE)
TAKEN_AT = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)  # 01:30 of the next day in Shanghai


def frame(number: int = 0, *, shape: tuple[int, int] = (480, 640), mm_per_px: float = 0.4) -> Frame:
    pixels = np.random.default_rng(number).integers(0, 255, shape, dtype=np.uint8)
    return Frame(number, 0, pixels, mm_per_px, mm_per_px, (30, 15, 609, 434), 160.0)


def still(one: Frame | None = None) -> Written:
    return write_still(
        one or frame(), worklist=WORKLIST, view="gallbladder", annotation="胆囊长轴", taken_at=TAKEN_AT
    )


def loop() -> Written:
    return write_loop([frame(i) for i in range(6)], worklist=WORKLIST, view="liver", taken_at=TAKEN_AT)


def read(written: Written) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(written.data))


@pytest.mark.parametrize("make", [still, loop])
def test_dciodvfy_finds_no_error(make: object, tmp_path: Path) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed; deploy/test installs it")
    assert callable(make)
    path = tmp_path / "object.dcm"
    path.write_bytes(make().data)
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert re.search(r"^US(MultiFrame)?Image$", done.stderr, re.MULTILINE), done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_pixels_are_lossless() -> None:
    assert (read(still(frame(7))).pixel_array == frame(7).pixels).all()
    found = read(loop()).pixel_array
    assert found.shape == (6, 480, 640)
    assert (found[4] == frame(4).pixels).all()


def test_an_odd_number_of_pixels_is_padded() -> None:
    small = frame(1, shape=(5, 7))
    assert (read(still(small)).pixel_array == small.pixels).all()


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
    assert (found.StudyDate, found.StudyTime[:4]) == ("20261124", "0130")
    assert found.TimezoneOffsetFromUTC == "+0800"
    assert found.ViewName == "gallbladder"
    assert found.ImageComments == "胆囊长轴"


def test_the_region_is_calibrated_in_centimetres_per_pixel() -> None:
    region = read(still()).SequenceOfUltrasoundRegions[0]
    box = (
        region.RegionLocationMinX0,
        region.RegionLocationMinY0,
        region.RegionLocationMaxX1,
        region.RegionLocationMaxY1,
    )
    assert box == (30, 15, 609, 434)
    assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
    assert region.PhysicalDeltaX == pytest.approx(0.04)
    # 50 mm are 125 pixels here, and 5.0 cm by the object's own calibration.
    assert 125 * region.PhysicalDeltaY == pytest.approx(5.0)


def test_a_loop_has_its_frame_time() -> None:
    found = read(loop())
    assert int(found.NumberOfFrames) == 6
    assert float(found.FrameTime) == pytest.approx(33.333, abs=0.001)
    assert found.FrameIncrementPointer == 0x00181063


def test_frames_of_another_depth_are_left_out_of_a_loop() -> None:
    frames = [frame(0, mm_per_px=0.3), frame(1, mm_per_px=0.3), frame(2), frame(3)]
    written = write_loop(frames, worklist=WORKLIST)
    assert written.frames == 2
    assert (read(written).pixel_array[0] == frame(2).pixels).all()


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
    assert read(write_still(frame(), worklist=other)).SeriesInstanceUID != read(first).SeriesInstanceUID


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

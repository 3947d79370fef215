from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.sequence import Sequence

from devices.drivers.base import Frame
from devices.edge.dicom import Shot, Worklist, write_loop
from hospital.common.errors import DomainError, Invalid
from hospital.interop.dicom import read, read_meta, to_mp4, to_png

from . import synthetic
from .synthetic import loop, region, shipped, still


def test_a_file_says_whose_it_is_and_how_large() -> None:
    meta = read_meta(loop(frames=8))
    assert (meta.sop_uid, meta.study_uid, meta.patient_id) == ("2.25.11", "2.25.22", "P00000001")
    assert meta.sop_class == "1.2.840.10008.5.1.4.1.1.3.1"
    assert (meta.frames, meta.rows, meta.columns) == (8, 24, 32)


def test_an_ultrasound_loop_of_another_maker_is_read() -> None:
    meta = read_meta(shipped("examples_ybr_color.dcm"))
    assert (meta.frames, meta.rows, meta.columns) == (30, 240, 320)


def test_the_calibration_of_the_one_region_becomes_millimetres() -> None:
    meta = read_meta(still())
    assert meta.mm_per_px_x == pytest.approx(0.4)
    assert meta.mm_per_px_y == pytest.approx(0.5)
    assert meta.region == (2, 3, 30, 20)


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [region(), region()],
        [region(PhysicalUnitsXDirection=4)],  # seconds: a spectral region
        [region(PhysicalDeltaX=0.0)],
        [region(PhysicalDeltaY=float("nan"))],
    ],
)
def test_without_one_region_in_centimetres_there_is_no_calibration(regions: list[synthetic.Dataset]) -> None:
    meta = read_meta(still(SequenceOfUltrasoundRegions=Sequence(regions)))
    assert (meta.mm_per_px_x, meta.mm_per_px_y, meta.region) == (None, None, None)


def test_what_the_robot_writes_the_server_reads() -> None:
    worklist = Worklist(
        exam_id="e",
        patient_name="欧阳诺",
        patient_name_pinyin="Ouyang Nuo",
        patient_id="P00000007",
        issuer="ZJJ",
        birth_date="1950-01-02",
        sex="F",
        study_uid="2.25.99",
        accession="A1",
        exam_type="abdomen",
        institution="朱家角人民医院",
        physician="王思远",
    )
    pixels = synthetic.ramp(48, 64)
    frames = [
        Shot(
            Frame(
                frame_id=n,
                t_us=n,
                pixels=pixels,
                mm_per_px_x=0.25,
                mm_per_px_y=0.5,
                region=(4, 2, 60, 40),
                depth_mm=19.0,
            )
        )
        for n in range(3)
    ]
    made = write_loop(frames, worklist=worklist)
    meta = read_meta(made.data)
    assert (meta.sop_uid, meta.study_uid, meta.patient_id) == (made.sop_uid, "2.25.99", "P00000007")
    assert meta.patient_name == "Ouyang^Nuo=欧阳^诺"
    assert (meta.frames, meta.columns, meta.rows) == (made.frames, made.width, made.height)
    assert meta.mm_per_px_x == pytest.approx(made.mm_per_px_x)
    assert meta.mm_per_px_y == pytest.approx(made.mm_per_px_y)
    assert meta.region == made.region


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_rle_2frame.dcm",
        "ExplVR_BigEnd.dcm",
        "examples_palette.dcm",
    ],
)
def test_common_transfer_syntaxes_are_accepted(name: str) -> None:
    assert read_meta(shipped(name)).sop_uid


@pytest.mark.parametrize(
    "name",
    [
        "MR_truncated.dcm",  # ends within its pixels
        "rtplan.dcm",  # no picture
        "no_meta.dcm",
        "meta_missing_tsyntax.dcm",
        "ExplVR_LitEndNoMeta.dcm",
        "test1.json",
        "waveform_ecg.dcm",
    ],
)
def test_a_file_without_identity_or_whole_picture_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="bad_dicom"):
        read_meta(shipped(name))


def test_a_deflated_file_is_refused_before_it_is_inflated() -> None:
    with pytest.raises(Invalid, match="bad_dicom") as refused:
        read_meta(shipped("image_dfl.dcm"))
    assert refused.value.data == {"field": "TransferSyntaxUID"}


@pytest.mark.parametrize(
    "changes",
    [
        {"Rows": 0},
        {"Columns": 20_000},
        {"NumberOfFrames": 1_000_000},
        {"NumberOfFrames": -3},
        {"SOPInstanceUID": None},
        {"SOPInstanceUID": "1.2.abc"},
        {"StudyInstanceUID": None},
        {"PixelData": None},
        {"PixelData": b"\0\0"},
    ],
)
def test_an_impossible_description_is_refused(changes: dict[str, object]) -> None:
    made = synthetic.dataset(synthetic.ramp(24, 32), **changes)
    if "SOPInstanceUID" in changes:
        made.SOPInstanceUID = changes["SOPInstanceUID"] or ""
    with pytest.raises(Invalid, match="bad_dicom"):
        read_meta(synthetic.written(made))


def test_a_file_that_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "FILE_MAX_BYTES", 1000)
    for door in (read_meta, to_png, to_mp4):
        with pytest.raises(Invalid, match="too_large"):
            door(b"\0" * 1001)


@pytest.mark.parametrize(
    "data", [b"", b"DICM", b"\0" * 128 + b"DICM", b"\0" * 200, b"\x89PNG\r\n\x1a\n" * 40]
)
def test_what_is_no_dicom_is_refused(data: bytes) -> None:
    for door in (read_meta, to_png, to_mp4):
        with pytest.raises(Invalid, match="bad_dicom"):
            door(data)


WHOLE = loop(frames=2, rows=8, columns=8)


def _never_crashes(data: bytes) -> None:
    for door in (read_meta, to_png):
        try:
            door(data)
        except DomainError as refused:
            assert refused.code in ("bad_dicom", "too_large")  # noqa: PT017  anything else fails the test


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=60, deadline=None)
@example(132)
@example(200)
def test_a_file_cut_off_anywhere_never_crashes_the_reader(length: int) -> None:
    _never_crashes(WHOLE[:length])
    if length < len(WHOLE):
        with pytest.raises(Invalid):
            read_meta(WHOLE[:length])


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_file_with_changed_bytes_never_crashes_the_reader(seed: int, changes: int) -> None:
    chance, data = random.Random(seed), bytearray(WHOLE)
    for _ in range(changes):
        data[chance.randrange(132, len(data))] = chance.randrange(256)
    _never_crashes(bytes(data))


def test_the_reader_leaves_the_bytes_alone() -> None:
    data = still()
    before = bytes(data)
    read_meta(data)
    to_png(data)
    assert data == before
    assert np.frombuffer(data, np.uint8).size == len(before)

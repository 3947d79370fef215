from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from PIL import Image

from hospital.common.errors import Invalid
from hospital.interop.dicom import to_mp4, to_png
from hospital.interop.dicom.render import frame_rate

from .synthetic import dataset, loop, ramp, shipped, still, written


def png(data: bytes, frame: int | None = None) -> npt.NDArray[np.uint8]:
    picture = Image.open(io.BytesIO(to_png(data, frame)))
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return np.asarray(picture)


def film(data: bytes) -> tuple[Any, list[npt.NDArray[np.uint8]]]:
    """(stream facts, decoded frames) of the MP4."""
    with av.open(io.BytesIO(to_mp4(data)), "r") as container:
        stream = container.streams.video[0]
        frames = [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(stream)
        ]
        facts = (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate)
    return facts, frames


def test_grey_values_are_shown_exactly_as_stored() -> None:
    shown = png(still())
    assert (shown == ramp(24, 32)[..., None]).all()


def test_colours_are_shown_exactly_as_stored() -> None:
    colours = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    assert (png(written(dataset(colours))) == colours).all()


def test_inverted_grey_is_turned_round() -> None:
    shown = png(still(PhotometricInterpretation="MONOCHROME1"))
    assert (shown == 255 - ramp(24, 32)[..., None]).all()


def test_the_stored_window_decides_what_is_black_and_white() -> None:
    values = np.tile(np.array([[0, 999, 1000, 1500, 2000, 2001, 4095]], dtype=np.uint16), (2, 1))
    shown = png(written(dataset(values, BitsStored=12, HighBit=11, WindowCenter="1500", WindowWidth="1000")))
    row = shown[0, :, 0].tolist()
    assert row[:2] == [0, 0]
    assert row[-2:] == [255, 255]
    assert row[3] == pytest.approx(128, abs=1)


def test_without_a_window_the_whole_range_is_shown() -> None:
    shown = png(written(dataset(np.array([[100, 300], [200, 300]], dtype=np.uint16))))
    assert shown[..., 0].tolist() == [[0, 255], [128, 255]]


def test_a_flat_picture_without_a_window_is_black_and_not_an_error() -> None:
    assert png(written(dataset(np.full((4, 4), 700, dtype=np.uint16)))).max() == 0


def test_a_palette_is_applied() -> None:
    shown = png(shipped("examples_palette.dcm"))
    assert shown.shape == (350, 800, 3)
    assert (shown[..., 0] != shown[..., 1]).any()  # grey indexes would have three equal channels


def test_jpeg_in_ybr_becomes_natural_colours() -> None:
    shown = png(shipped("examples_ybr_color.dcm"), 0)
    expected = pydicom.pixels.pixel_array(
        pydicom.dcmread(io.BytesIO(shipped("examples_ybr_color.dcm"))), index=0
    )
    assert (shown == expected).all()
    middle = shown[120, 160].astype(int)
    assert np.ptp(middle) < 10  # grey tissue; unconverted YBR has 128 in two of three channels there


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "ExplVR_BigEnd.dcm",
        "SC_rgb_rle_2frame.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "MR_small_RLE.dcm",
    ],
)
def test_files_of_other_makers_have_a_picture(name: str) -> None:
    assert len(np.unique(png(shipped(name)))) > 1


def test_a_loop_is_shown_by_its_middle_frame_unless_another_is_named() -> None:
    data = loop(frames=8)
    assert png(data)[0, 0, 0] == 80
    assert png(data, 0)[0, 0, 0] == 0
    assert png(data, 7)[0, 0, 0] == 140
    assert png(data, 99)[0, 0, 0] == 140
    assert png(data, -1)[0, 0, 0] == 0


def test_a_film_has_every_frame_in_order_at_the_stored_rate() -> None:
    (codec, pix_fmt, rate), frames = film(loop(frames=8, rows=64, columns=96))
    assert (codec, pix_fmt, rate) == ("h264", "yuv420p", Fraction(25))
    assert [int(np.median(frame)) for frame in frames] == [pytest.approx(20 * n, abs=4) for n in range(8)]


def test_a_film_can_play_while_it_loads() -> None:
    data = to_mp4(loop())
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("rows", "columns"), [(25, 33), (1, 1), (2, 2), (17, 640)])
def test_odd_and_tiny_pictures_become_films_too(rows: int, columns: int) -> None:
    _, frames = film(loop(frames=3, rows=rows, columns=columns))
    assert len(frames) == 3
    height, width = frames[0].shape[:2]
    assert (height % 2, width % 2) == (0, 0)
    assert height >= rows
    assert width >= columns


def test_a_still_becomes_a_film_of_one_frame() -> None:
    assert len(film(still())[1]) == 1


def test_the_film_of_another_makers_loop_is_whole() -> None:
    (_, _, rate), frames = film(shipped("examples_ybr_color.dcm"))
    assert len(frames) == 30
    assert float(rate) == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"FrameTime": "33.3333"}, 30),
        ({"FrameTime": "0"}, 25),
        ({"FrameTime": None}, 25),
        ({"FrameTime": None, "CineRate": "15"}, 15),
        ({"FrameTime": None, "FrameTimeVector": ["0", "50", "50"]}, 20),
        ({"FrameTime": "0.001"}, 120),
        ({"FrameTime": "60000"}, 1),
    ],
)
def test_the_frame_rate_comes_from_the_file_within_reason(changes: dict[str, Any], expected: float) -> None:
    made = dataset(np.zeros((3, 4, 4), dtype=np.uint8), **changes)
    assert float(frame_rate(made)) == pytest.approx(expected, abs=0.01)


def test_a_picture_that_cannot_be_decoded_is_refused() -> None:
    for draw in (to_png, to_mp4):
        with pytest.raises(Invalid, match="bad_dicom"):
            draw(shipped("MR_truncated.dcm"))

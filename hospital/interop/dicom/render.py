"""Pictures for eyes without a DICOM viewer. For reading and showing, not for measuring: pixels may be padded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from . import pixels
from .read import parse, refusing, size_of

RATE_MIN, RATE_MAX, RATE_UNKNOWN = 1.0, 120.0, 25.0  # frames per second, design values
FILM_SIDE_MIN_PX = 16  # a macroblock; players refuse less


def to_png(data: bytes, frame: int | None = None) -> bytes:
    """One frame as 8-bit PNG, by the file's own window: the given one (from 0), else the middle one of a loop.

    A number past the end means the last frame. Invalid `bad_dicom`, `too_large`.
    """
    dataset = parse(data)
    with refusing():
        frames, _, _ = size_of(dataset)
        index = frames // 2 if frame is None else max(0, min(frame, frames - 1))
        picture = pixels.one(dataset, index)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def frame_rate(dataset: Dataset) -> Fraction:
    """Frames per second by Frame Time (0018,1063, ms), Frame Time Vector or Cine Rate, kept between 1 and 120."""
    vector = [float(ms) for ms in dataset.get("FrameTimeVector") or [] if float(ms) > 0]
    frame_ms = float(dataset.get("FrameTime") or 0) or (sum(vector) / len(vector) if vector else 0.0)
    rate = 1000.0 / frame_ms if frame_ms > 0 else float(dataset.get("CineRate") or 0) or RATE_UNKNOWN
    return Fraction(min(max(rate, RATE_MIN), RATE_MAX)).limit_denominator(1000)


def to_mp4(data: bytes) -> bytes:
    """All frames as H.264 in MP4 (yuv420p, index first), so that phones play it while it loads.

    yuv420p needs even sides: an odd one is padded by repeating its edge. Invalid `bad_dicom`, `too_large`.
    """
    dataset = parse(data)
    with refusing():
        size_of(dataset)
        rate = frame_rate(dataset)
        frames = pixels.each(dataset)
        first = next(frames)
        film = _film(chain([first], frames), rate, first.shape[0], first.shape[1])
    return film


def _even(side: int) -> int:
    return max(FILM_SIDE_MIN_PX, side + side % 2)


def _film(frames: Iterator[pixels.Rgb], rate: Fraction, rows: int, columns: int) -> bytes:
    """Written to a file first: putting the index in front reopens what was written, which memory can't do."""
    height, width = _even(rows), _even(columns)
    margin = ((0, height - rows), (0, width - columns), (0, 0))
    with TemporaryDirectory(prefix="film-") as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"preset": "veryfast", "crf": "18"}
            for picture in frames:
                padded = np.ascontiguousarray(np.pad(picture, margin, mode="edge"))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))
            container.mux(stream.encode(None))
        return path.read_bytes()

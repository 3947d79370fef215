from __future__ import annotations

import io
from fractions import Fraction

import av
from PIL import Image

from .read import frames_of


def to_png(data: bytes, frame: int | None = None) -> bytes:
    """One frame as PNG: the given one, else the middle one of a loop. Values as stored."""
    frames, _ = frames_of(data)
    index = len(frames) // 2 if frame is None else max(0, min(frame, len(frames) - 1))
    out = io.BytesIO()
    Image.fromarray(frames[index]).save(out, "PNG")
    return out.getvalue()


def to_mp4(data: bytes) -> bytes:
    """All frames as H.264 in MP4, index first, so that phones play it while it loads."""
    frames, rate = frames_of(data)
    height, width = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "18"}
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture[:height, :width].copy(), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()

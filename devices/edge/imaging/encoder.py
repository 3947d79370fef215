"""H.264 for remote hands: no delay, bounded bursts, a keyframe when asked.

aiortc's own settings (0.5-3 Mbit/s, preset medium, no VBV, keyint 250) blur a moving B-mode and burst: teleoperation
notes 3a and lesson 16. x264 veryfast with a VBV of 0.1 s of the rate keeps the picture's delay even.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType

FRAMES_PER_S = 30
KEYFRAME_EVERY = 2 * FRAMES_PER_S
VBV_S = 0.1
KBPS_MIN, KBPS_MAX = 1000, 8000
PTS_PER_FRAME = 90_000 // FRAMES_PER_S


@dataclass(frozen=True, slots=True)
class Encoded:
    """One access unit, Annex B."""

    data: bytes
    keyframe: bool


class Encoder:
    """Grey pictures of one size in, access units out; made anew only when size or rate changes."""

    def __init__(self, *, width: int, height: int, kbps: int) -> None:
        self.width, self.height = width // 2 * 2, height // 2 * 2
        self.kbps = min(max(kbps, KBPS_MIN), KBPS_MAX)
        self._context = self._open()
        self._keyframe = True

    def _open(self) -> Any:
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 90_000), Fraction(FRAMES_PER_S)
        context.bit_rate, context.gop_size, context.max_b_frames = self.kbps * 1000, KEYFRAME_EVERY, 0
        context.thread_count = 1
        context.options = {
            "preset": "veryfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "4.0",
            "maxrate": f"{self.kbps}k",
            "bufsize": f"{int(self.kbps * VBV_S)}k",
            "x264-params": "repeat-headers=1:scenecut=0:sliced-threads=0",
        }
        return context

    def want_keyframe(self) -> None:
        """The next picture is a keyframe: somebody joined or lost one."""
        self._keyframe = True

    def encode(self, pixels: npt.NDArray[np.uint8], *, pts_90k: int) -> list[Encoded]:
        """Access units of one grey picture (height, width)."""
        planes = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        planes[: self.height] = pixels[: self.height, : self.width]
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = pts_90k
        if self._keyframe:
            frame.pict_type = PictureType.I
        packets = self._context.encode(frame)
        if packets:
            self._keyframe = False
        return [Encoded(bytes(packet), bool(packet.is_keyframe)) for packet in packets]

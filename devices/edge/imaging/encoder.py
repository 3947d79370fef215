"""H.264 for remote hands: no delay, bounded bursts, a keyframe when asked, another bitrate without a new encoder.

aiortc's own settings (0.5-3 Mbit/s, preset medium, no VBV, keyint 250, encoder destroyed on a change of rate) blur a
moving B-mode and burst: teleoperation notes 3a and lesson 16. What helps speckle, SSIM over the sector of the phantom at
640x480 sliding 20 mm/s at 3.7 Mbit/s, CPU a picture of x264: three references and subme 6, baseline profile 0.935, 10 ms;
main profile (arithmetic coding) with eight references: subme 4 and hex 0.950, 14 ms; subme 2 and dia 0.949, 9 ms; subme 1
0.948, 6 ms; without mixed-refs 0.945, 6 ms; sixteen references 0.948, 9 ms. Many references pay because speckle that
moves by a fraction of a pixel a picture fits one of several earlier pictures on whole pixels; finer search pays little,
and each millisecond is delay. Adaptive and psychovisual quantisation spend bits on the eye's taste instead of on speckle:
off. `deploy/bench video` measures it.
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
# No keyframe by the clock: whoever joins or loses a picture asks for one. One every 2 s made a queue of 67 ms at
# 1 Mbit/s where there are 11 without.
KEYFRAME_EVERY = 300 * FRAMES_PER_S
KBPS_MIN, KBPS_MAX = 1000, 8000
VBV_S = 0.05  # of the highest rate: no picture is ever larger than 400 kbit; design value
PTS_PER_FRAME = 90_000 // FRAMES_PER_S
FULL_RANGE = 2  # H.264 E.2.1 video_full_range_flag: grey 0 to 255 as it is, or a page cuts off the darkest 16
X264 = (
    "repeat-headers=1:scenecut=0:sliced-threads=0:aq-mode=0:psy=0"
    ":subme=2:ref=8:mixed-refs=1:me=dia:qcomp=0.8:weightp=0"  # see above
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One access unit, Annex B."""

    data: bytes
    keyframe: bool


class Encoder:
    """Grey pictures of one size in, access units out; made anew only when size or profile change.

    ``main``: H.264 main profile, when every receiver decodes it; else constrained baseline, which all do.
    """

    def __init__(self, *, width: int, height: int, kbps: int, main: bool = False) -> None:
        self.width, self.height = width // 2 * 2, height // 2 * 2
        self.kbps, self.main = within(kbps), main
        self._context = self._open()
        self._keyframe = True

    def _open(self) -> Any:
        """x264 follows a later rate within a second only when it was opened at a constant rate, the highest one."""
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 90_000), Fraction(FRAMES_PER_S)
        context.bit_rate, context.gop_size, context.max_b_frames = KBPS_MAX * 1000, KEYFRAME_EVERY, 0
        context.thread_count, context.color_range = 1, FULL_RANGE
        context.options = {
            "preset": "veryfast",
            "tune": "zerolatency",
            "profile": "main" if self.main else "baseline",
            "level": "4.0",
            "maxrate": f"{KBPS_MAX}k",
            "bufsize": f"{int(KBPS_MAX * VBV_S)}k",
            "forced-idr": "1",
            "x264-params": X264,
        }
        context.open()
        context.bit_rate = self.kbps * 1000
        return context

    def set_rate(self, kbps: int) -> int:
        """Another bitrate from the next picture on, same encoder, no keyframe; the rate really set."""
        self.kbps = within(kbps)
        self._context.bit_rate = self.kbps * 1000
        return self.kbps

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


def within(kbps: int) -> int:
    """A rate that the encoder offers, kbit/s."""
    return min(max(kbps, KBPS_MIN), KBPS_MAX)

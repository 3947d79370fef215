"""H.264 for remote hands: no delay, bounded bursts, a keyframe when asked, another bitrate without a new encoder.

aiortc's own settings (0.5-3 Mbit/s, preset medium, no VBV, keyint 250, encoder destroyed on a change of rate) blur a
moving B-mode and burst: teleoperation notes 3a and lesson 16. SSIM over the sector, phantom 640x480, 5 deg/s tilt at 1 and
3 Mbit/s, CPU a picture: aiortc's encoder 0.789, 0.935, 10 ms; x264 veryfast 0.784, 0.917, 3 ms; the settings below
0.794, 0.935, 6 ms: finer sub-pixel search and three references, but no adaptive and no psychovisual quantisation, which
spend bits on the eye's taste instead of on speckle. `deploy/bench video` measures it.
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
    ":subme=6:ref=3:mixed-refs=1:me=hex:qcomp=0.8"  # see above
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One access unit, Annex B."""

    data: bytes
    keyframe: bool


class Encoder:
    """Grey pictures of one size in, access units out; made anew only when the size changes."""

    def __init__(self, *, width: int, height: int, kbps: int) -> None:
        self.width, self.height = width // 2 * 2, height // 2 * 2
        self.kbps = within(kbps)
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
            "profile": "baseline",
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

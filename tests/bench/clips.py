"""Clips of the phantom for picture quality: the same pictures through aiortc's own encoder and through ours.

Both are the objects that send in the live system; no network is between, so what is decoded is what was sent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from aiortc.codecs.h264 import H264Encoder

from devices.drivers.images.anatomy import abdomen
from devices.drivers.images.bmode import Look, Renderer
from devices.drivers.images.geometry import Geometry
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import quaternion_of, site_frame
from devices.edge.imaging.encoder import FRAMES_PER_S, PTS_PER_FRAME, Encoder
from tests.bench.ssim import ssim

SITE = "right_upper_quadrant"
FRAMES_N = 120
PRESSED_MM = 3.0
SLIDE_MM_S, TILT_DEG_S = 20.0, 5.0
SETTLE_N = 45  # pictures before the rate is steady
EVERY = 5  # each fifth picture is compared
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Quality:
    """What one encoder made of one clip: mean SSIM over the sector and the rate it really used."""

    ssim: float
    kbps: float


def clips(geometry: Geometry) -> dict[str, list[Picture]]:
    """`slide` along the marker axis at 20 mm/s and `tilt` across the plane at 5 deg/s, 4 s each, there and back."""
    frame = site_frame(SITE, hover_mm=0.0)
    assert frame is not None
    foot, turn = frame
    renderer = Renderer(abdomen(), geometry)
    at = foot + PRESSED_MM * turn[:, 2]

    def slid(n: int) -> Picture:
        return renderer.render(
            _pose(at + turn[:, 0] * SLIDE_MM_S / FRAMES_PER_S * (n - FRAMES_N / 2), turn), Look()
        )

    def tilted(n: int) -> Picture:
        angle = math.radians(TILT_DEG_S / FRAMES_PER_S * (n - FRAMES_N / 2))
        cos, sin = math.cos(angle), math.sin(angle)
        return renderer.render(_pose(at, turn @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])), Look())

    return {name: _there_and_back(make) for name, make in (("slide", slid), ("tilt", tilted))}


def _pose(at: npt.NDArray[np.float64], turn: npt.NDArray[np.float64]) -> ProbePose:
    position = (float(at[0]), float(at[1]), float(at[2]))
    return ProbePose(0, position, quaternion_of(turn), 5.0, True, PRESSED_MM)


def _there_and_back(make: Callable[[int], Picture]) -> list[Picture]:
    there = [make(n) for n in range(FRAMES_N)]
    return there + there[::-1]


def _yuv(pixels: Picture, number: int) -> av.VideoFrame:
    height, width = pixels.shape
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = pixels
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number * PTS_PER_FRAME, Fraction(1, 90_000)
    return frame


def by_stock(pictures: list[Picture], *, kbps: int) -> Iterator[bytes]:
    """aiortc's encoder with its own settings at a rate within its own limits (0.5-3 Mbit/s)."""
    encoder = H264Encoder()
    encoder.target_bitrate = kbps * 1000
    for number, pixels in enumerate(pictures):
        units = encoder._encode_frame(_yuv(pixels, number), force_keyframe=number == 0)
        yield b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def by_ours(pictures: list[Picture], *, kbps: int) -> Iterator[bytes]:
    """Our encoder as the imaging process runs it for Chromium, which takes main profile."""
    height, width = pictures[0].shape
    encoder = Encoder(width=width, height=height, kbps=kbps, main=True)
    for number, pixels in enumerate(pictures):
        yield b"".join(unit.data for unit in encoder.encode(pixels, pts_90k=number * PTS_PER_FRAME))


def quality(pictures: list[Picture], sent: Iterator[bytes], mask: npt.NDArray[np.bool_]) -> Quality:
    """Decode what was sent and compare with what was given."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    shown, bits, values = 0, 0, []
    for number, data in enumerate(sent):
        bits += len(data) * 8 if number >= SETTLE_N else 0
        for frame in decoder.decode(av.Packet(data)):
            assert isinstance(frame, av.VideoFrame)
            if shown >= SETTLE_N and shown % EVERY == 0:
                luma = frame.to_ndarray(format=frame.format.name)[: mask.shape[0]].astype(np.uint8)
                values.append(ssim(pictures[shown], luma, mask))
            shown += 1
    seconds = (len(pictures) - SETTLE_N) / FRAMES_PER_S
    return Quality(round(float(np.mean(values)), 4), round(bits / 1000 / seconds))

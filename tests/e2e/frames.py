"""What a test reads from ultrasound pictures: the phantom's two wires, and whether the picture changed."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

WIRE_DISTANCE_MM = 50.0
ACROSS_MM = 8.0  # the wires lie one under the other, whatever the probe's tilt
BESIDE_MM = 12.0  # and under the middle of the probe, which the tests never move along its marker axis
SEARCH_MM = 3.0  # how far from 50 mm a pair may be and still be taken for the wires: the measurement decides
PEAKS_N = 60

Picture = NDArray[np.float32]

VIDEO_PIXELS = """
() => {
  const video = document.querySelector("#video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [160, 120];
  canvas.getContext("2d").drawImage(video, 0, 0, 160, 120);
  return canvas.toDataURL("image/png").split(",")[1];
}
"""


def read_png(data: bytes) -> Picture:
    picture: Picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float32)
    return picture


def video_now(page: Page) -> Picture:
    """The live picture, small."""
    return read_png(base64.b64decode(page.evaluate(VIDEO_PIXELS)))


def difference(one: Picture, other: Picture) -> float:
    """Mean absolute difference in grey levels, 0 to 255."""
    return float(np.abs(one - other).mean())


def _mean(picture: Picture, half: int) -> Picture:
    """Mean over a square of 2 * half + 1 pixels, by running sums."""
    padded = np.pad(picture.astype(np.float64), half, mode="edge")
    sums = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    size = 2 * half + 1
    total = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    mean: Picture = (total / size**2).astype(np.float32)
    return mean


def _pointed(picture: Picture, around_px: int) -> Picture:
    """How much brighter a spot of 3 x 3 pixels is than the brightest of eight spots around it: high for a wire,
    about nothing along a boundary such as the skin."""
    spots = _mean(picture, 1)
    steps = [(dy, dx) for dy in (-around_px, 0, around_px) for dx in (-around_px, 0, around_px) if dy or dx]
    around = np.max([np.roll(spots, step, axis=(0, 1)) for step in steps], axis=0)
    pointed: Picture = spots - around
    return pointed


def _peaks(picture: Picture, around_px: int) -> list[tuple[int, int, float]]:
    """The brightest points (x, y, grey), each the brightest within `around_px`."""
    rest = picture.copy()
    found = []
    for _ in range(PEAKS_N):
        y, x = np.unravel_index(int(np.argmax(rest)), rest.shape)
        found.append((int(x), int(y), float(rest[y, x])))
        rest[max(0, y - around_px) : y + around_px + 1, max(0, x - around_px) : x + around_px + 1] = 0
    return found


def wires(
    picture: Picture, mm_per_px_x: float, mm_per_px_y: float, region: list[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixel positions of the two wires: the most pointed pair of spots about 50 mm apart along the beam.

    Only inside the calibrated region, near its middle: the ruler beside it has points of its own, and speckle has some.
    """
    around_px = max(3, round(5 / mm_per_px_y))
    x0, y0, x1, y1 = region
    middle, beside = (x0 + x1) // 2, round(BESIDE_MM / mm_per_px_x)
    columns = slice(max(x0, middle - beside), min(x1, middle + beside) + 1)
    pointed = np.zeros_like(picture)
    pointed[y0 : y1 + 1, columns] = _pointed(picture, around_px)[y0 : y1 + 1, columns]
    peaks = _peaks(pointed, around_px)
    pairs = []
    for i, one in enumerate(peaks):
        for other in peaks[i + 1 :]:
            across, along = abs(one[0] - other[0]) * mm_per_px_x, abs(one[1] - other[1]) * mm_per_px_y
            if across < ACROSS_MM and abs(np.hypot(across, along) - WIRE_DISTANCE_MM) < SEARCH_MM:
                pairs.append((min(one[2], other[2]), one[:2], other[:2]))
    assert pairs, "no two bright spots about 50 mm apart along the beam"
    _, first, second = max(pairs)
    return first, second

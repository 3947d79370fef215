"""What a test reads from ultrasound pictures: the phantom's two wires, and whether the picture changed."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

WIRE_DISTANCE_MM = 50.0
SEARCH_MM = 8.0  # how far from 50 mm a pair may be and still be taken for the wires: the measurement decides
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
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float32)


def video_now(page: Page) -> Picture:
    """The live picture, small."""
    return read_png(base64.b64decode(page.evaluate(VIDEO_PIXELS)))


def difference(one: Picture, other: Picture) -> float:
    """Mean absolute difference in grey levels, 0 to 255."""
    return float(np.abs(one - other).mean())


def _smooth(picture: Picture) -> Picture:
    """3 x 3 mean, so that a wire counts and a single speckle does not."""
    padded = np.pad(picture, 1, mode="edge")
    height, width = picture.shape
    parts = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    mean: Picture = np.mean(parts, axis=0, dtype=np.float32)
    return mean


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
    picture: Picture, mm_per_px_x: float, mm_per_px_y: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixel positions of the two wires: the brightest pair of points about 50 mm apart along the beam."""
    peaks = _peaks(_smooth(picture), around_px=max(3, round(3 / mm_per_px_y)))
    pairs = []
    for i, one in enumerate(peaks):
        for other in peaks[i + 1 :]:
            across, along = abs(one[0] - other[0]) * mm_per_px_x, abs(one[1] - other[1]) * mm_per_px_y
            if across < SEARCH_MM and abs(np.hypot(across, along) - WIRE_DISTANCE_MM) < SEARCH_MM:
                pairs.append((one[2] + other[2], one[:2], other[:2]))
    assert pairs, "no two bright points about 50 mm apart along the beam"
    _, first, second = max(pairs)
    return first, second

"""The body mark: a torso from the front, and on it the probe's bar where the probe truly was.

Base frame of the arm as everywhere here (``devices.drivers.base``): patient on the back with the head at the arm's
left, x to the patient's left, y to the head, z to the front. The bedside says how the patient really lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

Vector = tuple[float, float, float]
Head = Literal["left", "right"]
Lie = Literal["supine", "left_lateral", "right_lateral"]
HEADS: tuple[Head, ...] = ("left", "right")
LIES: tuple[Lie, ...] = ("supine", "left_lateral", "right_lateral")

HALF_WIDTH_MM, TOP_MM, BOTTOM_MM, DEPTH_MM = 165.0, 220.0, -275.0, 150.0
"""An adult's trunk about the base frame's origin, as the console draws it; for orientation only, design values."""
BAR_MM = 62.0
"""Face of a curved probe."""
LETTER_FROM = 0.3  # direction cosine from which an axis is named in Patient Orientation; design value


@dataclass(frozen=True, slots=True)
class Pose:
    """Tip (mm) and orientation (w, x, y, z; probe to base) in the base frame."""

    position_mm: Vector
    quaternion: tuple[float, float, float, float]

    def axis(self, vector: Vector) -> Vector:
        """A direction of the probe in the base frame."""
        w, x, y, z = self.quaternion
        a, b, c = vector
        tx, ty, tz = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
        return (a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx)


@dataclass(frozen=True, slots=True)
class Lying:
    """How the patient lies, as the bedside said."""

    head: Head
    lie: Lie

    def patient(self, vector: Vector) -> Vector:
        """A direction of the base frame as (to the patient's left, to the head, to the front)."""
        x, y, z = vector
        if self.head == "right":
            x, y = -x, -y
        return {"supine": (x, y, z), "left_lateral": (-z, y, x), "right_lateral": (z, y, -x)}[self.lie]


def orientation(pose: Pose, lying: Lying) -> tuple[str, str]:
    """Patient Orientation (0020,0020): where the picture's rows and columns go, as `R`, `HP`, ... (PS3.3 C.7.6.1.1.1)."""
    across = lying.patient(pose.axis((-1.0, 0.0, 0.0)))  # the marker's side is the picture's left
    down = lying.patient(pose.axis((0.0, 0.0, 1.0)))
    return _letters(across), _letters(down)


def _letters(direction: Vector) -> str:
    named = sorted(zip(direction, ("LR", "HF", "AP"), strict=True), key=lambda pair: -abs(pair[0]))
    return "".join(pair[0 if value > 0 else 1] for value, pair in named if abs(value) >= LETTER_FROM)


class BodyMark:
    """The drawing, ``width`` x ``height`` pixels: patient's right at the left, head up."""

    def __init__(self, *, width: int, height: int) -> None:
        self.size = (width, height)
        self._mm = min(width / (2 * HALF_WIDTH_MM + 60.0), height / (TOP_MM - BOTTOM_MM + 130.0))

    def draw(self, pose: Pose | None, lying: Lying | None) -> Image.Image:
        """The torso, and the bar with the marker's end as a dot when both are known."""
        image = Image.new("L", self.size, 0)
        draw = ImageDraw.Draw(image)
        self._torso(draw)
        if pose is not None and lying is not None:
            self._bar(draw, pose, lying)
        return image

    def at(self, left_mm: float, head_mm: float) -> tuple[float, float]:
        """Pixel of a point of the patient's front."""
        return self.size[0] / 2 + left_mm * self._mm, (TOP_MM + 110.0 - head_mm) * self._mm

    def _torso(self, draw: ImageDraw.ImageDraw) -> None:
        half = [
            (38.0, 262.0), (46.0, 232.0), (150.0, 205.0), (165.0, 150.0), (148.0, 60.0),
            (138.0, -40.0), (150.0, -140.0), (160.0, -230.0), (150.0, -275.0), (0.0, -275.0),
        ]  # fmt: skip
        outline = half + [(-x, y) for x, y in reversed(half)]
        draw.line(
            [self.at(x, y) for x, y in [*outline, outline[0]]], fill=150, width=max(1, self.size[0] // 70)
        )
        left, top = self.at(-42.0, TOP_MM + 105.0)
        right, bottom = self.at(42.0, TOP_MM + 25.0)
        draw.ellipse((left, top, right, bottom), outline=150, width=max(1, self.size[0] // 70))
        draw.line(
            [self.at(x, y) for x, y in ((-125, -20), (-40, 70), (0, 95), (40, 70), (125, -20))], fill=90
        )
        x, y = self.at(0.0, -95.0)
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=150)

    def _bar(self, draw: ImageDraw.ImageDraw, pose: Pose, lying: Lying) -> None:
        x, y, z = pose.position_mm
        left_mm, head_mm, _ = lying.patient((x, y, z + DEPTH_MM / 2))
        marker = lying.patient(pose.axis((1.0, 0.0, 0.0)))
        length = math.hypot(marker[0], marker[1])
        if length < 0.2:  # seen from its end: a bar of no length points nowhere
            marker = (0.0, 0.2, 0.0)
        middle = (_kept(left_mm, -HALF_WIDTH_MM, HALF_WIDTH_MM), _kept(head_mm, BOTTOM_MM, TOP_MM))
        ends = [
            self.at(middle[0] + sign * marker[0] * BAR_MM / 2, middle[1] + sign * marker[1] * BAR_MM / 2)
            for sign in (-1, 1)
        ]
        thick = max(3, self.size[0] // 26)
        draw.line(ends, fill=255, width=thick)
        dot_x, dot_y = ends[1]
        draw.ellipse((dot_x - thick, dot_y - thick, dot_x + thick, dot_y + thick), fill=255)


def _kept(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

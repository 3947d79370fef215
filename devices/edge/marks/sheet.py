"""The sheet around a picture: a strip above, a column at the right, notes below. The picture itself is not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from devices.edge.marks.body import BodyMark, Lying, Pose
from devices.edge.marks.typeface import Typeface

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
STRIP, COLUMN, NOTE = 106, 164, 24
LEAST_WIDTH, LEAST_HEIGHT = 480, 440
"""In units; a unit is one pixel, two for pictures of 960 rows and so on. Design values, read at arm's length."""
WHITE, GREY = 255, 215
LEAST_PX = 8  # a name of 64 characters, the most that DICOM holds, still fits
SIDES = {"R": ("右 R", "R"), "L": ("左 L", "L")}
LIE_WORDS = {
    "supine": ("平卧", "supine"),
    "left_lateral": ("左侧卧", "left side down"),
    "right_lateral": ("右侧卧", "right side down"),
}
HEAD_WORDS = {"left": ("头在左", "head left"), "right": ("头在右", "head right")}
"""As the bedside says it, facing the bed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Depth beside the picture, rows of the sheet: where it is 0, and mm per row. ``bottom`` is the last row."""

    zero_row: float
    mm_per_row: float
    bottom: int
    left: int


@dataclass(frozen=True, slots=True)
class Marks:
    """All that is written. Empty texts are left out; ``poses`` has one entry a picture."""

    name: str
    name_latin: str
    person: tuple[str, str]
    identity: str
    institution: str
    when: str
    view: tuple[str, str]
    side: str
    settings: tuple[str, ...]
    focus_mm: float | None
    note: str
    scale: Scale | None
    lying: Lying | None
    poses: tuple[Pose | None, ...]
    place: Box


def unit_of(rows: int) -> int:
    """How many pixels a unit of the sheet has for a picture of so many rows."""
    return max(1, rows // 480)


def place_of(width: int, height: int) -> Box:
    """Where a picture of this size stands on its sheet: (x0, y0, x1, y1), the end not included."""
    top = STRIP * unit_of(height)
    return 0, top, width, top + height


class Sheet:
    """One layout: draws the marks once and puts picture after picture into their middle."""

    def __init__(self, marks: Marks, typeface: Typeface) -> None:
        self._marks, self._type = marks, typeface
        x0, y0, x1, y1 = marks.place
        self._unit = unit_of(y1 - y0)
        self._side = max(x1 - x0, LEAST_WIDTH * self._unit)  # where the column begins
        width = self._side + COLUMN * self._unit
        px = 17 * self._unit
        self.notes = typeface.wrapped(marks.note, px, width=width - 24 * self._unit)
        body = max(y1, (STRIP + LEAST_HEIGHT) * self._unit)
        height = body + (len(self.notes) * NOTE + (8 if self.notes else 0)) * self._unit
        self.size = (width + width % 2, height + height % 2)  # even sides: films need them
        self._body_row = body
        self._mark = BodyMark(width=92 * self._unit, height=150 * self._unit)
        self._base = self._drawn()

    def compose(self, pictures: Sequence[Pixels]) -> Pixels:
        """(pictures, rows, columns): each picture bit for bit in its place, with its own body mark."""
        x0, y0, x1, y1 = self._marks.place
        left, top = self._mark_at
        sheets = np.repeat(self._base[None], len(pictures), axis=0)
        patch: Pixels | None = None
        drawn: Pose | None = None
        for sheet, picture, pose in zip(sheets, pictures, self._marks.poses, strict=True):
            if patch is None or pose != drawn:
                patch, drawn = np.asarray(self._mark.draw(pose, self._marks.lying)), pose
            sheet[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
            sheet[y0:y1, x0:x1] = picture
        return sheets

    @property
    def _mark_at(self) -> tuple[int, int]:
        return self._side + 56 * self._unit, self._body_row - 206 * self._unit

    def _drawn(self) -> Pixels:
        image = Image.new("L", self.size, 0)
        draw = ImageDraw.Draw(image)
        self._strip(draw)
        self._scale(draw)
        self._column(draw)
        for number, line in enumerate(self.notes):
            self._write(draw, 12, self._body_row // self._unit + 8 + NOTE * number + 14, line, 17)
        return np.asarray(image).copy()

    def _write(self, draw: ImageDraw.ImageDraw, x: int, y: int, text: str, px: int, fill: int = GREY) -> int:
        """Text at units from the left and the top; where it ends, in units."""
        unit = self._unit
        self._type.write(draw, (x * unit, y * unit), text, px * unit, fill)
        return x + -(-self._type.width(text, px * unit) // unit)

    def _right(self, draw: ImageDraw.ImageDraw, y: int, text: str, px: int) -> int:
        """Text up to the right edge; where it begins, in units."""
        unit = self._unit
        start = self.size[0] // unit - 12 - -(-self._type.width(text, px * unit) // unit)
        self._write(draw, start, y, text, px)
        return start

    def _strip(self, draw: ImageDraw.ImageDraw) -> None:
        marks, best = self._marks, self._type.best
        end = self._right(draw, 28, marks.when, 18)
        self._who(draw, end - 24)
        start = self._right(draw, 54, best(marks.institution, ""), 15)
        size = (
            self._type.fitting(marks.identity, 16 * self._unit, width=(start - 24) * self._unit) // self._unit
        )
        self._write(draw, 12, 54, self._type.spelled(marks.identity), size)
        x = 12
        if marks.side in SIDES:
            x = self._write(draw, x, 81, best(*SIDES[marks.side]), 22, WHITE) + 14
        self._write(draw, x, 81, best(*marks.view), 20, WHITE)

    def _who(self, draw: ImageDraw.ImageDraw, room: int) -> None:
        """Name, Latin name, sex and birth date in one line: smaller when it is long, never cut."""
        marks, best, unit = self._marks, self._type.best, self._unit
        name = best(marks.name, marks.name_latin)
        latin = f"  {self._type.spelled(marks.name_latin)}" if marks.name_latin != name else ""
        person = f"  {best(*marks.person)}"
        choices = [(size, tail) for tail in (latin + person, person) for size in range(26, LEAST_PX - 1, -1)]
        size, tail = next(
            (size, tail)
            for size, tail in [*choices, (LEAST_PX, person)]
            if (size, tail) == (LEAST_PX, person)
            or self._type.width(name, size * unit) + self._type.width(tail, min(size, 16) * unit)
            <= room * unit
        )
        self._write(draw, self._write(draw, 12, 30, name, size, WHITE), 30, tail, min(size, 16))

    def _scale(self, draw: ImageDraw.ImageDraw) -> None:
        """Marker dot at the marker's side, ticks each cm, longer each 5 cm, an arrow at the focus."""
        scale, unit = self._marks.scale, self._unit
        if scale is None:
            return
        x, y = max(scale.left, 0) + 8 * unit, STRIP * unit - 7 * unit
        draw.ellipse((x - 5 * unit, y - 5 * unit, x + 5 * unit, y + 5 * unit), fill=WHITE)
        edge = self._side + 2 * unit
        tick = 0
        while (row := scale.zero_row + tick * 10.0 / scale.mm_per_row) <= scale.bottom + 0.5:
            long = tick % 5 == 0
            draw.line(
                (edge, round(row), edge + (14 if long else 7) * unit, round(row)), fill=GREY, width=unit
            )
            if long:
                text = str(tick) if tick else "0 cm"
                self._type.write(draw, (edge + 17 * unit, round(row) + 5 * unit), text, 13 * unit, GREY)
            tick += 1
        if self._marks.focus_mm is not None:
            row = scale.zero_row + self._marks.focus_mm / scale.mm_per_row
            if row <= scale.bottom:
                draw.polygon(
                    [(edge, row), (edge + 9 * unit, row - 5 * unit), (edge + 9 * unit, row + 5 * unit)],
                    fill=WHITE,
                )

    def _column(self, draw: ImageDraw.ImageDraw) -> None:
        unit = self._unit
        x, y = self._side // unit + 62, STRIP + 18
        for line in self._marks.settings:
            self._write(draw, x, y, line, 15)
            y += 21
        left, top = self._mark_at
        lying, known = self._marks.lying, any(pose is not None for pose in self._marks.poses)
        self._write(draw, left // unit - 12, top // unit + 74, "R", 15)
        self._write(draw, left // unit + 95, top // unit + 74, "L", 15)
        if lying is None:
            words = [("体位未记录", "position not told")]
        else:
            words = [LIE_WORDS[lying.lie], HEAD_WORDS[lying.head]]
        if not known:
            words.insert(0, ("探头位置未知", "probe position unknown"))
        for number, choice in enumerate(words[:2]):
            text = self._type.best(*choice)
            size = self._type.fitting(text, 14 * unit, width=self.size[0] - left + 24 * unit) // unit
            self._write(draw, left // unit - 16, top // unit + 172 + 20 * number, text, size, GREY)

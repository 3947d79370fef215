"""Letters for every name: fonts of the robot's box one after the other, and never a box where a letter should be.

Debian's fonts-noto-cjk and, for rare characters, fonts-hanazono; without them Pillow's own Latin letters.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

FILES = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),  # 2: the Simplified Chinese shapes
    ("/usr/share/fonts/truetype/hanazono/HanaMinA.ttf", 0),
    ("/usr/share/fonts/truetype/hanazono/HanaMinB.ttf", 0),  # CJK extensions B to F
)
PROBE_PX = 24
NOT_A_CHARACTER = "\U0010ffff"  # no font may have it: what is drawn for it is drawn for a missing glyph


@dataclass(frozen=True, slots=True)
class Face:
    """One font file; ``path`` None is the font inside Pillow."""

    path: str | None
    index: int = 0

    def sized(self, px: int) -> ImageFont.FreeTypeFont:
        """The font at a height in pixels."""
        return _sized(self, px)

    def has(self, char: str) -> bool:
        """Whether there is a glyph of its own for this character."""
        return _has(self, char)


@functools.lru_cache(maxsize=64)
def _sized(face: Face, px: int) -> ImageFont.FreeTypeFont:
    if face.path is None:
        found = ImageFont.load_default(px)
        if not isinstance(found, ImageFont.FreeTypeFont):
            raise RuntimeError("Pillow was built without FreeType")
        return found
    return ImageFont.truetype(face.path, px, index=face.index, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=8192)
def _has(face: Face, char: str) -> bool:
    font = face.sized(PROBE_PX)
    drawn, missing = font.getmask(char), font.getmask(NOT_A_CHARACTER)
    return char == " " or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


class Typeface:
    """A row of faces; the first that has a character draws it."""

    def __init__(self, faces: tuple[Face, ...]) -> None:
        self.faces = faces

    @classmethod
    def found(cls) -> Typeface:
        """What is installed, best first."""
        files = tuple(Face(path, index) for path, index in FILES if Path(path).is_file())
        return cls((*files, Face(None)))

    @property
    def chinese(self) -> bool:
        """Whether Chinese can be written at all."""
        return self.writes("中")

    def writes(self, text: str) -> bool:
        """Whether every character has a glyph."""
        return all(self._face(char) is not None for char in text)

    def best(self, *choices: str) -> str:
        """The first choice that can be written whole; else the last one, its missing characters by number."""
        written = next((text for text in choices if text and self.writes(text)), None)
        return self.spelled(choices[-1]) if written is None else written

    def spelled(self, text: str) -> str:
        """`[U+30EDD]` for each character that no face has: ugly, but true."""
        return "".join(char if self._face(char) else f"[U+{ord(char):04X}]" for char in text)

    def width(self, text: str, px: int) -> int:
        """In pixels."""
        return round(sum(face.sized(px).getlength(run) for face, run in self._runs(text)))

    def fitting(self, text: str, px: int, *, width: int, least: int = 10) -> int:
        """The largest height of at most ``px`` at which the text is no wider than ``width``."""
        return next((size for size in range(px, least, -1) if self.width(text, size) <= width), least)

    def wrapped(self, text: str, px: int, *, width: int) -> list[str]:
        """Lines no wider than ``width``; broken anywhere, as Chinese is."""
        lines = [""]
        for char in self.spelled(" ".join(text.split())):
            if lines[-1] and self.width(lines[-1] + char, px) > width:
                lines.append("")
            lines[-1] += char
        return [line for line in lines if line]

    def write(self, draw: ImageDraw.ImageDraw, xy: tuple[int, int], text: str, px: int, fill: int) -> None:
        """From the left end of the baseline."""
        x, y = float(xy[0]), xy[1]
        for face, run in self._runs(text):
            font = face.sized(px)
            draw.text((x, y), run, fill=fill, font=font, anchor="ls")
            x += font.getlength(run)

    def _face(self, char: str) -> Face | None:
        return next((face for face in self.faces if face.has(char)), None)

    def _runs(self, text: str) -> Iterator[tuple[Face, str]]:
        for face, run in groupby(text, key=self._face):
            if face is None:
                raise ValueError("a character without a glyph: spell it first")
            yield face, "".join(run)

"""The phantom with the time of its capture in its pixels: 22 bits of monotonic ms in cells of 16 px under the sector.

Used by both sides of the `video` benchmark as image source ``tests.bench.stamped:StampedPhantom``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.drivers.base import Frame
from devices.drivers.images.source import PhantomSource

BITS, CELL_PX = 22, 16
LEFT_PX, TOP_PX = 128, 452
WRAP_MS = 1 << BITS


def stamp(pixels: npt.NDArray[np.uint8], ms: int) -> npt.NDArray[np.uint8]:
    """The picture with the low 22 bits of ``ms`` drawn in, highest bit first; white is 1."""
    marked = pixels.copy()
    for bit in range(BITS):
        left = LEFT_PX + bit * CELL_PX
        on = ms >> (BITS - 1 - bit) & 1
        marked[TOP_PX : TOP_PX + CELL_PX, left : left + CELL_PX] = 255 if on else 0
    return marked


class StampedPhantom(PhantomSource):
    """A phantom that says when each picture was taken: before it is rendered, when the probe's pose is read."""

    def frame(self, now: float) -> Frame:
        """The picture of now, stamped."""
        taken_ms = time.monotonic_ns() // 1_000_000
        found = super().frame(now)
        return replace(found, pixels=stamp(found.pixels, taken_ms % WRAP_MS))

    def set(self, **wanted: Any) -> dict[str, Any]:
        """As the phantom."""
        return super().set(**wanted)

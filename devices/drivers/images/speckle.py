"""Scatterers that belong to the tissue, as a slice of the beam's thickness sees them.

One periodic block of complex white scatterers fills space. The beam adds them up across its thickness:
a Gaussian along the probe's elevation, applied in the block's spectrum whenever that direction has
turned. So the pattern moves with tissue, and changes across the plane and with rotation as far as real
speckle does: by the beam's own size, not by a rule of its own.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from devices.drivers.images.beam import GRAIN_MM
from devices.drivers.sim.world import rotation_of

Polar = npt.NDArray[np.float32]
SIDE = 64
CELL_MM = GRAIN_MM
LANES = np.uint32(0x00FF00FF)
_TURN_MIN = math.cos(math.radians(0.4))
_UNIT = 44.0
"""Steps per standard deviation in eight bits: clips beyond 2.9 deviations."""
_ZERO = 126.6
"""128 less what three cuts to whole numbers take away on average."""
_SHIFT = SIDE.bit_length() - 1


def _askew() -> npt.NDArray[np.float64]:
    """A turn that keeps the block's repetition off the usual picture planes."""
    turn, _ = np.linalg.qr(rotation_of((0.8253, 0.2917, 0.3811, 0.2999)))
    return np.asarray(turn, dtype=np.float64)


class Scatterers:
    """``look_up`` gives unit-power complex scatterers at tissue coordinates (mm)."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        shape = (SIDE,) * 3
        white = random.standard_normal(shape) + 1j * random.standard_normal(shape)
        waves = np.fft.fftfreq(SIDE, CELL_MM)
        self._waves = [w.astype(np.float32) for w in np.ix_(waves, waves, waves)]
        square = sum(w * w for w in self._waves)
        grain = np.exp(-2 * (np.pi * 0.6 * CELL_MM) ** 2 * square)
        self._spectrum = (np.fft.fftn(white) * grain).astype(np.complex64)
        self._turn = _askew()
        self._rows = (self._turn / CELL_MM).astype(np.float32)
        self._across = np.zeros(3)
        self._thickness_mm = 0.0
        self._block = np.zeros(SIDE**3, dtype=np.uint32)

    def aim(self, across: npt.NDArray[np.float64], thickness_mm: float) -> None:
        """Add up along the unit vector ``across`` (tissue frame) over ``thickness_mm`` FWHM."""
        if thickness_mm == self._thickness_mm and abs(float(across @ self._across)) > _TURN_MIN:
            return
        self._across, self._thickness_mm = across.copy(), thickness_mm
        along = (self._turn @ across).astype(np.float32)
        wave = sum(w * a for w, a in zip(self._waves, along, strict=True))
        # Amplitude there and back: the one-way Gaussian of this width, in the spectrum.
        sigma = thickness_mm / 2.355
        wave = wave * wave
        wave *= np.float32(-2 * (np.pi * sigma) ** 2)
        block = np.fft.ifftn(self._spectrum * np.exp(wave))
        unit = _UNIT / math.sqrt(float(np.mean(block.real**2)))
        real = np.clip(block.real * unit + 128.5, 0, 255).astype(np.uint32)
        imaginary = np.clip(block.imag * unit + 128.5, 0, 255).astype(np.uint32)
        imaginary <<= np.uint32(16)
        self._block = (real | imaginary).reshape(-1)

    def look_up(self, seen: list[Polar]) -> npt.NDArray[np.complex64]:
        """Scatterers at tissue coordinates x, y, z (each any 2-d shape)."""
        ends, share = [], []
        for axis, row in enumerate(self._rows):
            place = row[0] * seen[0] + row[1] * seen[1] + row[2] * seen[2]
            # The offset keeps the numbers positive, so that the cut is a floor.
            place += np.float32(1024 * SIDE)
            low = place.astype(np.int32)
            place -= low
            place *= np.float32(256.0)
            share.append(place.astype(np.uint32))
            low &= SIDE - 1
            ends.append((low << _SHIFT * (2 - axis), (low + 1 & SIDE - 1) << _SHIFT * (2 - axis)))
        pairs = [x | y for x in ends[0] for y in ends[1]]
        both = blend([self._block.take(pair | z) for pair in pairs for z in ends[2]], share)
        field = np.empty(seen[0].shape, dtype=np.complex64)
        field.real = (both & np.uint32(0xFF)).astype(np.float32)
        field.imag = (both >> np.uint32(16)).astype(np.float32)
        field -= np.complex64(_ZERO * (1 + 1j))
        field *= np.float32(1 / (_UNIT * math.sqrt(2)))
        return field


def blend(
    corner: list[npt.NDArray[np.uint32]], share: list[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.uint32]:
    """Trilinear lookup of two 8-bit values at once, one in each 16-bit half, in fixed point.

    ``corner``: the eight neighbours, x slowest; ``share``: 0-255 along x, y, z.
    """
    for axis in (2, 1, 0):
        near = np.uint32(256) - share[axis]
        corner = [
            ((low * near + high * share[axis]) >> np.uint32(8)) & LANES
            for low, high in zip(corner[::2], corner[1::2], strict=True)
        ]
    return corner[0]

"""What one setting of the machine makes of the ultrasound beam, per depth.

Numbers of tissue and sound are textbook values; what has no source is a design value.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from devices.drivers.base import TGC_SLIDERS
from devices.drivers.images.geometry import Geometry
from devices.drivers.images.presets import Look
from devices.drivers.sim.world import PROBE_RADIUS_MM

Profile = npt.NDArray[np.float32]

SOUND_MM_US = 1.54
LOSS_DB_MM_MHZ = 0.1
"""Soft tissue there and back: 0.5 dB/(cm MHz) each way. The machine compensates it, noise included."""
NOISE_DB = -118.0
"""Of the receiver under a full echo at the skin; deep down the compensation lifts it into the picture."""
APERTURE_MM = 22.0
ELEVATION_MM_MHZ = 10.5
"""Thickness of the slice times frequency: 3 mm at 3.5 MHz, a fixed lens; design value."""
GRAIN_MM = 0.45
"""Width over which the scatterers themselves are alike; see ``speckle``."""
_SPREAD = 0.22
_STRIDES = (1, 2, 4)
_MOST = 0.25
REFERENCE_MHZ = 3.5


class Beam:
    """Blur, gain and noise per sample for one geometry and one look. ``width_mm`` is the lateral FWHM."""

    def __init__(self, geometry: Geometry, look: Look) -> None:
        depth = geometry.depths
        wavelength = SOUND_MM_US / look.frequency_mhz
        aperture = min(APERTURE_MM, look.focus_mm / 1.5)
        at_focus = wavelength * look.focus_mm / aperture
        away = _SPREAD * aperture * np.abs(depth - look.focus_mm) / look.focus_mm
        self.width_mm = np.hypot(at_focus, away)
        self.elevation_mm = ELEVATION_MM_MHZ / look.frequency_mhz
        line_mm = (PROBE_RADIUS_MM + depth) * float(geometry.angles[1] - geometry.angles[0])
        step_mm = float(depth[1] - depth[0])
        self.lateral = _passes((self.width_mm / 2.355 / line_mm) ** 2)
        self.axial = _passes(np.full(1, (wavelength / 2.355 / step_mm) ** 2))
        power = _power(self.lateral, line_mm) * _power(self.axial, np.full(1, step_mm))
        focused = np.clip((2.5 / self.width_mm) ** 0.4, 0.6, 1.35)
        self.echo_gain = (focused / np.sqrt(power)).astype(np.float32)
        noise_db = NOISE_DB + LOSS_DB_MM_MHZ * look.frequency_mhz * depth
        self.noise = (10.0 ** (noise_db / 20.0)).astype(np.float32)
        middle = (np.arange(TGC_SLIDERS) + 0.5) / TGC_SLIDERS * geometry.depth_mm
        self.tgc_db = np.interp(depth, middle, look.tgc_db).astype(np.float32)
        self.loss_share = np.float32(look.frequency_mhz / REFERENCE_MHZ)
        """Absorption of the anatomy is written for 3.5 MHz and grows with the frequency."""

    def blur(self, field: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
        """The point spread: across the lines as wide as the beam is there, along them as long as the pulse."""
        for stride, weight in zip(_STRIDES, self.lateral, strict=True):
            if weight.any():
                field = _spread(field, stride, weight)
        turned = field.T
        for stride, weight in zip(_STRIDES, self.axial, strict=True):
            if weight.any():
                turned = _spread(turned, stride, weight)
        return np.asarray(turned.T * self.echo_gain, dtype=np.complex64)


def _passes(variance: npt.NDArray[np.float64]) -> list[Profile]:
    """Side weights of three-tap passes at strides 1, 2, 4 that together have ``variance`` (samples squared)."""
    left = variance.copy()
    weights = []
    for stride in reversed(_STRIDES):
        # The coarse passes only where the finer ones do not suffice: a lone coarse pass leaves gaps.
        finer = sum(2 * _MOST * s * s for s in _STRIDES if s < stride)
        weight = np.clip((left - finer) / (2 * stride * stride), 0.0, _MOST)
        left = left - 2 * weight * stride * stride
        weights.append(weight.astype(np.float32))
    return weights[::-1]


def _spread(field: npt.NDArray[np.complex64], stride: int, weight: Profile) -> npt.NDArray[np.complex64]:
    """One three-tap pass along the first axis; ``weight`` belongs to the second axis."""
    out = field * (1 - 2 * weight)
    out[stride:] += weight * field[:-stride]
    out[:-stride] += weight * field[stride:]
    out[:stride] += weight * field[:stride]
    out[-stride:] += weight * field[-stride:]
    return np.asarray(out, dtype=np.complex64)


def _power(weights: list[Profile], spacing_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean power after the passes over scatterers of unit power that are alike over GRAIN_MM."""
    reach = sum(_STRIDES)
    kernel = np.zeros((4 * reach + 1, len(spacing_mm)))
    kernel[2 * reach] = 1.0
    for stride, weight in zip(_STRIDES, weights, strict=True):
        kernel = (
            kernel * (1 - 2 * weight)
            + weight * np.roll(kernel, stride, axis=0)
            + weight * np.roll(kernel, -stride, axis=0)
        )
    power = np.zeros(len(spacing_mm))
    for shift in range(-2 * reach, 2 * reach + 1):
        alike = np.exp(-((shift * spacing_mm / GRAIN_MM) ** 2) / 2)
        power += alike * (kernel * np.roll(kernel, shift, axis=0)).sum(axis=0)
    return np.asarray(np.maximum(power, 1e-6), dtype=np.float64)


def shadowed(loss_db_mm: npt.NDArray[np.float32], step_mm: float) -> npt.NDArray[np.float32]:
    """Amplitude left (0-1 and a little more behind fluid) of what is absorbed up to each sample."""
    absorbed = np.cumsum(loss_db_mm, axis=1, dtype=np.float32)
    absorbed *= np.float32(-step_mm * math.log(10.0) / 20.0)
    return np.asarray(np.exp(absorbed), dtype=np.float32)

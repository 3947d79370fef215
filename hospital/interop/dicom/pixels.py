"""Stored values to what an eye should see: 8-bit RGB, by the file's own window and palette, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, iter_pixels, pixel_array

Rgb = npt.NDArray[np.uint8]  # (rows, columns, 3)


def one(dataset: Dataset, index: int) -> Rgb:
    """Decode only frame `index` (from 0)."""
    return _shown(dataset, pixel_array(dataset, index=index))


def each(dataset: Dataset) -> Iterator[Rgb]:
    """All frames in order, never more than one in memory."""
    for stored in iter_pixels(dataset, allow_excess_frames=False):
        yield _shown(dataset, stored)


def _shown(dataset: Dataset, stored: npt.NDArray[Any]) -> Rgb:
    """pydicom has made RGB of YBR already; palettes, windows and inverted grey are left to us (PS3.3 C.7.6.3, C.11)."""
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return _eight_bits(apply_color_lut(stored, dataset), bits=_palette_bits(dataset))
    bits = int(dataset.BitsStored)
    if stored.ndim == 3:
        return _eight_bits(stored, bits=bits)
    grey = _grey(dataset, stored, bits)
    if photometric == "MONOCHROME1":
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=-1)


def _palette_bits(dataset: Dataset) -> int:
    return int(dataset.RedPaletteColorLookupTableDescriptor[2])


def _eight_bits(values: npt.NDArray[Any], *, bits: int) -> Rgb:
    return values.astype(np.uint8) if bits <= 8 else (values >> (bits - 8)).astype(np.uint8)


def _grey(dataset: Dataset, stored: npt.NDArray[Any], bits: int) -> npt.NDArray[np.uint8]:
    """Plain 8-bit greys as they are; otherwise the file's first window, or the whole range when it has none."""
    windowed = "WindowCenter" in dataset or "VOILUTSequence" in dataset
    plain = stored.dtype == np.uint8 and bits <= 8 and not windowed
    if plain and "RescaleSlope" not in dataset and "ModalityLUTSequence" not in dataset:
        return (stored << (8 - bits)).astype(np.uint8) if bits < 8 else stored
    values = apply_modality_lut(stored, dataset)
    values = np.asarray(apply_voi_lut(values, dataset, index=0), dtype=np.float64)
    low, high = _range(dataset, values) if windowed else (float(values.min()), float(values.max()))
    scaled = (values - low) / (high - low) * 255.0 if high > low else np.zeros_like(values)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _range(dataset: Dataset, values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The output range of the window: that of the stored values after the modality rescale (PS3.3 C.11.2.1.2)."""
    if "VOILUTSequence" in dataset:
        return 0.0, float(2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation", 0)) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    return low * slope + intercept, high * slope + intercept

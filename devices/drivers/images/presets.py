"""What a physician can set of the phantom's picture, and the presets that set all of it at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from devices.drivers.base import TGC_SLIDERS

GAIN_DB_RANGE = (-30.0, 30.0)
DEPTH_MM_RANGE = (60.0, 240.0)
DYNAMIC_RANGE_DB_RANGE = (30.0, 90.0)
FOCUS_MM_RANGE = (20.0, 240.0)
TGC_DB_RANGE = (-20.0, 20.0)
FLAT_TGC = (0.0,) * TGC_SLIDERS


@dataclass(frozen=True, slots=True)
class Look:
    """One setting of the machine. ``tgc_db`` from near to far, on top of the machine's own compensation."""

    preset: str = "abdomen"
    gain_db: float = 0.0
    depth_mm: float = 160.0
    dynamic_range_db: float = 60.0
    focus_mm: float = 80.0
    tgc_db: tuple[float, ...] = FLAT_TGC
    frequency_mhz: float = 3.5
    """Of the transmitted pulse; only a preset changes it."""

    def told(self) -> dict[str, Any]:
        """As the pages are told."""
        return {
            "gain_db": self.gain_db,
            "depth_mm": self.depth_mm,
            "dynamic_range_db": self.dynamic_range_db,
            "focus_mm": self.focus_mm,
            "tgc_db": list(self.tgc_db),
            "preset": self.preset,
            "presets": list(PRESETS),
            "frequency_mhz": self.frequency_mhz,
        }


# Frequencies as convex abdominal probes have them (2-5 MHz); the rest are design values.
PRESETS: Mapping[str, Look] = MappingProxyType(
    {
        "abdomen": Look(),
        "abdomen_large": Look(
            "abdomen_large", depth_mm=210.0, focus_mm=120.0, frequency_mhz=2.2, dynamic_range_db=64.0
        ),
        "vessel": Look("vessel", depth_mm=130.0, focus_mm=90.0, frequency_mhz=4.5, dynamic_range_db=50.0),
    }
)


def changed(
    look: Look,
    *,
    gain_db: float | None = None,
    depth_mm: float | None = None,
    dynamic_range_db: float | None = None,
    focus_mm: float | None = None,
    tgc_db: Sequence[float] | None = None,
    preset: str | None = None,
) -> Look:
    """``look`` with what is given, within range; what is not finite, unknown or of a wrong length stays."""
    look = PRESETS.get(preset, look) if preset is not None else look
    if tgc_db is not None and len(tgc_db) == TGC_SLIDERS:
        pairs = zip(tgc_db, look.tgc_db, strict=True)
        look = replace(look, tgc_db=tuple(_within(new, TGC_DB_RANGE, old) for new, old in pairs))
    return replace(
        look,
        gain_db=_within(gain_db, GAIN_DB_RANGE, look.gain_db),
        depth_mm=_within(depth_mm, DEPTH_MM_RANGE, look.depth_mm),
        dynamic_range_db=_within(dynamic_range_db, DYNAMIC_RANGE_DB_RANGE, look.dynamic_range_db),
        focus_mm=_within(focus_mm, FOCUS_MM_RANGE, look.focus_mm),
    )


def _within(value: float | None, bounds: tuple[float, float], old: float) -> float:
    if value is None or not math.isfinite(value):
        return old
    return min(max(float(value), bounds[0]), bounds[1])

"""Percentiles, and the lines that say whether an aim was met."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest rank: the smallest value with at least ``share`` (0 to 1) of all at or below it. NaN for none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Iterable[float]) -> dict[str, float]:
    """``{"p50", "p99", "max"}`` in the unit of the values, rounded to 0.01; NaN for none."""
    found = list(values)
    shares = {"p50": 0.50, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(found, share), 2) for name, share in shares.items()}


def median(values: Sequence[float]) -> float:
    """Middle value; of an even number the mean of the middle two. NaN for none."""
    ordered, middle = sorted(values), len(values) // 2
    if not ordered:
        return math.nan
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be: at most, or at least, ``limit`` in its own unit."""

    key: str
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """NaN, a figure that could not be taken, is never met."""
        return value >= self.limit if self.at_least else value <= self.limit

    def line(self, value: float) -> str:
        """``key value, aim at most limit: met``."""
        word = "at least" if self.at_least else "at most"
        return f"{self.key} {value:g}, aim {word} {self.limit:g}: {'met' if self.met(value) else 'MISSED'}"


def judge(aims: Iterable[Aim], figures: dict[str, object], say: Callable[[str], None]) -> int:
    """Say a line for each aim; how many were missed. A figure that is not there counts as missed."""
    missed = 0
    for aim in aims:
        value = figures.get(aim.key, math.nan)
        number = float(value) if isinstance(value, int | float) else math.nan
        say(aim.line(number))
        missed += not aim.met(number)
    return missed

"""How late the 500 Hz cycles begin: a histogram that costs the loop one addition, told every few seconds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

BUCKET_US = 50
BUCKETS = 1000  # 50 ms; what is later than that counts in the last one, and in the maximum


class Lateness:
    """Cycle starts behind their due time since the last ``take``. Nothing is allocated by ``note``."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * BUCKETS))
        self._max_s = 0.0
        self.cycles = 0

    def note(self, late_s: float) -> None:
        """One cycle began ``late_s`` after it was due."""
        self.cycles += 1
        if late_s > self._max_s:
            self._max_s = late_s
        index = int(late_s * (1e6 / BUCKET_US))
        self._counts[min(max(index, 0), BUCKETS - 1)] += 1

    def take(self) -> dict[str, Any]:
        """What was noted, and begin again: ``cycles``, ``p50_us``, ``p99_us``, ``max_us``, and ``counts`` as
        [upper edge in us, cycles] of the buckets that are not empty."""
        counts = [((i + 1) * BUCKET_US, n) for i, n in enumerate(self._counts) if n]
        found = {
            "cycles": self.cycles,
            "p50_us": edge_us(counts, 0.50),
            "p99_us": edge_us(counts, 0.99),
            "max_us": round(self._max_s * 1e6),
            "counts": counts,
        }
        for index in range(BUCKETS):
            self._counts[index] = 0
        self._max_s, self.cycles = 0.0, 0
        return found


def edge_us(counts: Iterable[tuple[int, int]], share: float) -> int:
    """Upper edge in us of the bucket that holds the given share of all cycles (nearest rank); 0 for none."""
    ordered = sorted(counts)
    left = share * sum(n for _, n in ordered)
    for upper_us, n in ordered:
        left -= n
        if left <= 1e-9:
            return upper_us
    return 0

"""The silence ladder: what missing commands, or a missing link process, lead to."""

from __future__ import annotations

from enum import IntEnum

from devices.wire.limits import (
    LINK_BEAT_MAX_MS,
    SILENCE_HOLD_MS,
    SILENCE_RAMP_MS,
    SILENCE_RETRACT_MS,
    SILENCE_SUSPEND_MS,
    SILENCE_WARN_MS,
)
from devices.wire.messages import StopCause


class Rung(IntEnum):
    """How far down the ladder."""

    FRESH = 0
    WARN = 1
    RAMP = 2
    HOLD = 3
    RETRACT = 4
    SUSPEND = 5


def rung(silence_ms: float, *, ttl_ms: float = SILENCE_RAMP_MS) -> Rung:
    """The rung for a silence. A command's own ttl can only make the ramp start sooner."""
    if silence_ms >= SILENCE_SUSPEND_MS:
        return Rung.SUSPEND
    if silence_ms >= SILENCE_RETRACT_MS:
        return Rung.RETRACT
    if silence_ms >= SILENCE_HOLD_MS:
        return Rung.HOLD
    if silence_ms >= min(SILENCE_RAMP_MS, max(ttl_ms, SILENCE_WARN_MS)):
        return Rung.RAMP
    return Rung.WARN if silence_ms >= SILENCE_WARN_MS else Rung.FRESH


class Silence:
    """Since when nothing was heard from the operator and from the link process, in ms."""

    def __init__(self) -> None:
        self._heard_ms: float | None = None
        self._beat_ms: float | None = None
        self._ttl_ms = SILENCE_RAMP_MS

    def heard(self, now_ms: float, *, ttl_ms: float) -> None:
        """A command passed the gates: from now on its absence counts."""
        self._heard_ms, self._ttl_ms = now_ms, ttl_ms

    def beat(self, now_ms: float) -> None:
        """The link process is alive."""
        self._beat_ms = now_ms

    def disarm(self) -> None:
        """No lease, so no commands are owed."""
        self._heard_ms = None

    @property
    def armed(self) -> bool:
        """Whether commands are owed."""
        return self._heard_ms is not None

    def link_lost(self, now_ms: float) -> bool:
        """The link process misses its beats."""
        return self._beat_ms is None or now_ms - self._beat_ms > LINK_BEAT_MAX_MS

    def rung(self, now_ms: float) -> Rung:
        """Where on the ladder; FRESH while nothing is owed."""
        if self._heard_ms is None:
            return Rung.FRESH
        return rung(max(now_ms - self._heard_ms, self._beat_silence(now_ms)), ttl_ms=self._ttl_ms)

    def cause(self, now_ms: float) -> StopCause:
        """SILENCE, or LINK_LOST when it is the link process that is gone."""
        return StopCause.LINK_LOST if self.link_lost(now_ms) else StopCause.SILENCE

    def _beat_silence(self, now_ms: float) -> float:
        # Only a beat that is really missing counts, or the two periods would add up.
        return now_ms - self._beat_ms if self._beat_ms is not None and self.link_lost(now_ms) else 0.0

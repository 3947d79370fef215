"""How many bits a second the picture may have: what receivers report, with hysteresis. No clock of its own.

aiortc has no congestion control of its own for packets that are encoded elsewhere: receivers estimate what arrives
well (REMB, draft-alvestrand-rmcat-remb) and report the share that was lost (RFC 3550). Latency before clarity (Sanya:
170-320 ms, teleoperation notes 1b): the rate goes down at once and up slowly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from devices.wire.channels import CONSOLE

log = logging.getLogger("edge.rate")

KBPS_MIN, KBPS_MAX = 1000, 8000
STARTING_S = 3.0  # an estimate this young says only how little was sent yet; design value
# An estimate that has fallen below this share of its own peak, and of the rate, is a narrow link. One that is low but
# rising is a browser that begins at 0.3 Mbit/s and grows by 8 % a second, whatever the link could carry.
SHORT_OF = 0.85
SHORT_FOR_S = 0.5  # ... if it stays there this long; design value
USE = 0.85  # of what a receiver estimates; design value
LOST_BAD, LOST_GOOD = 0.10, 0.02  # as in draft-ietf-rmcat-gcc section 6
DOWN_EVERY_S, UP_EVERY_S = 1.0, 3.0  # between two changes (TEL lesson 16); design values
UP = 1.25  # one step up; smaller steps are not worth a change; design value


@dataclass(slots=True)
class _Seen:
    """What one receiver reported last."""

    role: str
    since_s: float
    remb_kbps: float | None = None
    peak_kbps: float = 0.0
    short_since_s: float | None = None
    lost: float = 0.0


@dataclass(slots=True)
class RateControl:
    """Feed it reports, ask ``wanted`` now and then."""

    most_kbps: int
    kbps: int = 0
    _peers: dict[str, _Seen] = field(default_factory=dict)
    _changed_at_s: float = float("-inf")

    def __post_init__(self) -> None:
        self.kbps = self.most_kbps

    def join(self, peer: str, *, role: str, now_s: float) -> None:
        """A receiver of the picture."""
        self._peers[peer] = _Seen(role=role, since_s=now_s)

    def leave(self, peer: str) -> None:
        """It is gone; with the last one the next begins at the full rate."""
        self._peers.pop(peer, None)
        if not self._peers:
            self.kbps, self._changed_at_s = self.most_kbps, float("-inf")

    def estimated(self, peer: str, *, kbps: float, now_s: float) -> None:
        """REMB: what this receiver could take."""
        seen = self._peers.get(peer)
        if seen is None or now_s - seen.since_s < STARTING_S:
            return
        seen.remb_kbps, seen.peak_kbps = kbps, max(kbps, seen.peak_kbps)
        if kbps >= SHORT_OF * min(self.kbps, seen.peak_kbps):
            seen.short_since_s = None
        elif seen.short_since_s is None:
            seen.short_since_s = now_s

    def lost(self, peer: str, *, share: float) -> None:
        """Receiver report: share of packets lost since the one before."""
        seen = self._peers.get(peer)
        if seen is not None:
            seen.lost = share

    def wanted(self, now_s: float) -> int | None:
        """The rate to change to now (kbit/s), or None to leave it. Whoever steers decides; without, the weakest."""
        steering = [seen for seen in self._peers.values() if seen.role == CONSOLE]
        judged = steering or list(self._peers.values())
        if not judged:
            return None
        lower = min(self._lower(seen, now_s) for seen in judged)
        since_s = now_s - self._changed_at_s
        if lower < self.kbps and since_s >= DOWN_EVERY_S:
            return self._set(lower, now_s)
        if lower >= self.kbps < self.most_kbps and since_s >= UP_EVERY_S and self._room(judged):
            return self._set(self.kbps * UP, now_s)
        return None

    def _lower(self, seen: _Seen, now_s: float) -> float:
        """What this receiver leaves of the present rate."""
        left = float(self.kbps)
        if seen.lost > LOST_BAD:
            left *= 1.0 - 0.5 * seen.lost
        short = seen.short_since_s is not None and now_s - seen.short_since_s >= SHORT_FOR_S
        if short and seen.remb_kbps is not None:
            left = min(left, USE * seen.remb_kbps)
        return left

    def _room(self, judged: list[_Seen]) -> bool:
        """Nobody loses packets, and nobody's estimate has fallen."""
        return all(seen.lost < LOST_GOOD and seen.short_since_s is None for seen in judged)

    def _set(self, kbps: float, now_s: float) -> int | None:
        rounded = min(self.most_kbps, max(KBPS_MIN, round(kbps)))
        if rounded == self.kbps:
            return None
        self.kbps, self._changed_at_s = rounded, now_s
        for seen in self._peers.values():
            seen.short_since_s, seen.peak_kbps = None, seen.remb_kbps or 0.0
        return rounded


class Adaptation:
    """The rate control with a clock and the way to the encoder, and the profile that every receiver decodes."""

    def __init__(self, *, most_kbps: int, tell: Callable[[dict[str, Any]], object]) -> None:
        self._control = RateControl(most_kbps=min(KBPS_MAX, max(KBPS_MIN, most_kbps)))
        self._tell = tell
        self._mains: dict[str, bool] = {}
        self._main = False

    def say(self) -> None:
        """Tell a new imaging process the rate and the profile of now."""
        self._tell({"type": "bitrate", "kbps": self._control.kbps, "main": self._main})

    def join(self, peer: str, *, role: str, main: bool) -> None:
        """A receiver of the picture; ``main``: it decodes H.264 main profile. All get the same picture."""
        self._mains[peer] = main
        self._control.join(peer, role=role, now_s=time.monotonic())
        self._choose(self._control.kbps)

    def leave(self, peer: str) -> None:
        """It is gone."""
        before = self._control.kbps
        self._mains.pop(peer, None)
        self._control.leave(peer)
        self._choose(before)

    def _choose(self, before_kbps: int) -> None:
        main = all(self._mains.values()) if self._mains else self._main
        if (self._control.kbps, main) != (before_kbps, self._main):
            self._main = main
            self.say()

    def estimated(self, peer: str, kbps: float) -> None:
        """REMB."""
        self._control.estimated(peer, kbps=kbps, now_s=time.monotonic())
        self._adapt()

    def lost(self, peer: str, share: float) -> None:
        """Receiver report."""
        self._control.lost(peer, share=share)
        self._adapt()

    def _adapt(self) -> None:
        wanted = self._control.wanted(time.monotonic())
        if wanted is not None:
            log.info("picture at %d kbit/s", wanted)
            self.say()

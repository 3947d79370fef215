"""The simulated patient breathes, and does as told as long as a person can.

No clock of its own: ``cycle`` takes the time that passed, so a whole exam replays the same.
``volume`` is 0 at the end of a quiet breath out and 1 at the end of a quiet breath in.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from devices.drivers.sim.world import Triple

BREATHS_PER_MIN = 15.0
LIVER_MM = 14.0
"""Cranio-caudal way of the liver in a quiet breath; 10-20 mm are usual."""
BELLY_MM = 3.0
"""How far a quiet breath lifts the belly; design value."""
FORWARD_MM = 2.0
"""The organs also come forward a little; design value."""
DEEP, OUT = 2.2, -0.3
"""Volumes of a full breath in and of a forced breath out; design values."""
REACTION_S = 0.5
KEEP_S = 4.0
"""How long a full or empty chest is kept when nobody says hold; design value."""
HOLD_MAX_S = 25.0
"""Nobody holds for ever: then a few deep breaths come; design value."""
_STEP_S = 2.0
_SETTLE_S = 0.5
_VARIES = 0.06
_MOVES_AIR = 0.3


@dataclass(frozen=True, slots=True)
class _Way:
    """One smooth way of the volume: to ``end`` in ``seconds``."""

    end: float
    seconds: float


class Patient:
    """Breathing as a chain of smooth ways; a prompt replaces the chain after the reaction time."""

    def __init__(self, *, breaths_per_min: float = BREATHS_PER_MIN) -> None:
        self.breaths_per_min = breaths_per_min
        self.volume = 0.0
        self._speed = 0.0
        self._chain: deque[_Way] = deque()
        self._from, self._from_speed, self._passed_s = 0.0, 0.0, 0.0
        self._told: tuple[str, float] | None = None
        self._airless_s = 0.0
        self._obeying = False
        self._random = np.random.default_rng(15)

    @property
    def heave_mm(self) -> float:
        """How far the belly's surface stands above its rest."""
        return BELLY_MM * self.volume

    @property
    def organs_mm(self) -> Triple:
        """How far the liver is from where it rests, base frame: a breath in moves it to the feet."""
        return 0.0, -LIVER_MM * self.volume, FORWARD_MM * self.volume

    @property
    def still(self) -> bool:
        """Holds its breath, or is between two."""
        return abs(self._speed) < 1e-6

    def told(self, key: str) -> None:
        """Somebody said a prompt; what is none about breathing changes nothing."""
        if key in ("breathe_in", "hold", "breathe_out", "relax"):
            self._told = (key, REACTION_S)

    def cycle(self, dt_s: float) -> None:
        """Let ``dt_s`` pass."""
        if self._told is not None:
            key, left_s = self._told
            self._told = (key, left_s - dt_s)
            if left_s <= dt_s:
                self._told = None
                self._obey(key)
        self._airless_s += dt_s
        if self._obeying and self._airless_s > HOLD_MAX_S:
            self._gasp()
        self._advance(dt_s)

    def _obey(self, key: str) -> None:
        self._obeying = key != "relax"
        if key == "breathe_in":
            self._go(_Way(DEEP, _STEP_S), _Way(DEEP, KEEP_S))
        elif key == "breathe_out":
            self._go(_Way(OUT, _STEP_S), _Way(OUT, KEEP_S))
        elif key == "hold":
            stop_at = min(max(self.volume + self._speed * _SETTLE_S / 3, OUT), DEEP)
            self._go(_Way(stop_at, _SETTLE_S), _Way(stop_at, math.inf))
        else:
            self._go(_Way(0.0, _STEP_S))

    def _gasp(self) -> None:
        """Air, now: nobody is asked."""
        self._obeying = False
        self._go(*(_Way(end, 1.1) for end in (0.0, 1.6, 0.0, 1.4, 0.0)))

    def _go(self, *ways: _Way) -> None:
        self._chain = deque(ways)
        self._start()

    def _start(self) -> None:
        self._from, self._from_speed, self._passed_s = self.volume, self._speed, 0.0
        if abs(self._chain[0].end - self.volume) > _MOVES_AIR:
            self._airless_s = 0.0

    def _breathe(self) -> None:
        """One quiet breath: in, out, a pause; no two are quite alike."""
        self._obeying = False
        if self.breaths_per_min <= 0:
            self._go(_Way(0.0, _STEP_S))
            return
        period_s = 60.0 / self.breaths_per_min
        end = 1.0 + _VARIES * float(self._random.uniform(-1, 1))
        self._go(_Way(end, 0.4 * period_s), _Way(0.0, 0.45 * period_s), _Way(0.0, 0.15 * period_s))

    def _advance(self, dt_s: float) -> None:
        if not self._chain:
            self._breathe()
        way = self._chain[0]
        self._passed_s += dt_s
        if self._passed_s >= way.seconds:
            self.volume, self._speed = way.end, 0.0
            self._chain.popleft()
            if self._chain:
                self._start()
            return
        if math.isinf(way.seconds):
            self.volume, self._speed = way.end, 0.0
            return
        # A cubic from where and how fast it was to rest at the end.
        s, span, push = self._passed_s / way.seconds, way.end - self._from, self._from_speed * way.seconds
        self.volume = self._from + push * s + (3 * span - 2 * push) * s**2 + (push - 2 * span) * s**3
        self._speed = (push + 2 * (3 * span - 2 * push) * s + 3 * (push - 2 * span) * s**2) / way.seconds

"""Faults on demand, so that what must survive them can be tested on a machine without a robot."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "force_spike": "N added to the reported force for 50 ms",
        "frozen_state": "s for which the reported state stands still, its time too",
        "refuse": "how many of the next requests are refused",
        "slow_stop": "ms that every ramp takes at least",
        "dead_socket": "s without a word in either direction",
        "collision": "mm the belly jumps up, for half a second",
        "stiff": "times as stiff as its rest the belly is from now on (a rib under thin skin: 5)",
        "push": "N with which a person pulls the tool upwards, for one second",
        "patient_button": "s for which the patient's button is held",
    }
)
SPIKE_S = 0.05
COLLISION_S = 0.5
COLLISION_MM_S = 150.0
PUSH_S = 1.0


class Faults:
    """Which faults are on at a monotonic time."""

    def __init__(self) -> None:
        self._value: dict[str, float] = {}
        self._until: dict[str, float] = {}
        self.refusals_left = 0

    def start(self, name: str, value: float, now: float) -> None:
        """Switch a fault on. Raises LookupError for an unknown name."""
        if name not in FAULTS:
            raise LookupError(f"no fault is called {name!r}; known: {', '.join(sorted(FAULTS))}")
        fixed = {
            "force_spike": SPIKE_S,
            "collision": COLLISION_S,
            "push": PUSH_S,
            "slow_stop": float("inf"),
            "stiff": float("inf"),
        }
        self._value[name] = value
        self._until[name] = now + fixed.get(name, value)
        if name == "refuse":
            self.refusals_left = int(value)

    def value(self, name: str, now: float) -> float:
        """The fault's size now, 0 when it is off."""
        return self._value.get(name, 0.0) if now < self._until.get(name, 0.0) else 0.0

    def refuses(self) -> bool:
        """True as often as ``refuse`` said."""
        if self.refusals_left <= 0:
            return False
        self.refusals_left -= 1
        return True

"""The arm's part of the self-test: force zero, measured stop time, and the controller's own watchdog.

Runs in free air only, moving up (away from the patient) by a few millimetres. A bounded move like
the others; while it wants silence the runtime sends no servo, so that the watchdog must act.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devices.drivers.base import ZERO, ArmState, Twist
from devices.edge.safety.moves import Step
from devices.wire.limits import DRIVER_STOP_MAX_MS, DRIVER_WATCHDOG_MAX_MS, SELF_TEST_FORCE_ZERO_N

RUN_MM_S = 20.0  # speed of the test runs; design value
RUN_MS = 400.0  # long enough to be at speed; design value
AT_REST_SETTLE_MS = 1_000.0  # an arm not at rest after this fails; design value


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result."""

    code: str
    ok: bool
    value: float
    unit: str

    def row(self) -> dict[str, Any]:
        """As in the signalling message ``self_test_result``."""
        return {"code": self.code, "ok": self.ok, "value": round(self.value, 3), "unit": self.unit}


class SelfTest:
    """``stop`` and ``silent`` tell the runtime what to do besides the twist."""

    def __init__(self, *, stop_time_ms: float, watchdog_ms: float) -> None:
        self.checks: list[Check] = []
        self.stop = False
        self.silent = False
        self.enable = False
        self._declared_stop_ms, self._declared_watchdog_ms = stop_time_ms, watchdog_ms
        self._script = self._run()
        self._now_ms = 0.0
        self._arm: ArmState | None = None

    def step(self, *, now_ms: float, arm: ArmState) -> Step:
        """Next cycle. Ends with "done" when every check passed, else "failed"."""
        self._now_ms, self._arm = now_ms, arm
        self.stop = self.silent = self.enable = False
        try:
            return next(self._script)
        except StopIteration:
            return Step(ZERO, "done" if all(check.ok for check in self.checks) else "failed")

    def _run(self) -> Iterator[Step]:
        force = abs(self._state.force_n)
        free = force <= SELF_TEST_FORCE_ZERO_N and not self._state.contact
        self.checks.append(Check("force_zero", free, force, "N"))
        if not free:
            return
        yield from self._drive()
        yield from self._measure_stop()
        yield from self._drive()
        yield from self._measure_watchdog()

    @property
    def _state(self) -> ArmState:
        assert self._arm is not None
        return self._arm

    def _drive(self) -> Iterator[Step]:
        start_ms = self._now_ms
        while self._now_ms - start_ms < RUN_MS:
            yield Step(Twist(vz=-RUN_MM_S))

    def _measure_stop(self) -> Iterator[Step]:
        moved, start_ms = self._state.moving, self._now_ms
        while self._state.moving and self._now_ms - start_ms < AT_REST_SETTLE_MS:
            self.stop = True
            yield Step(ZERO)
        took_ms = self._now_ms - start_ms
        allowed = min(DRIVER_STOP_MAX_MS, self._declared_stop_ms * 1.5)
        self.checks.append(Check("stop_time", moved and took_ms <= allowed, took_ms, "ms"))

    def _measure_watchdog(self) -> Iterator[Step]:
        moved, start_ms = self._state.moving, self._now_ms
        limit_ms = self._declared_watchdog_ms + DRIVER_STOP_MAX_MS
        while self._now_ms - start_ms < limit_ms and (self._state.moving or not self._state.watchdog_tripped):
            self.silent = True
            yield Step(ZERO)
        took_ms = self._now_ms - start_ms
        tripped = self._state.watchdog_tripped and not self._state.moving
        declared_ok = self._declared_watchdog_ms <= DRIVER_WATCHDOG_MAX_MS
        self.checks.append(Check("watchdog", moved and tripped and declared_ok, took_ms, "ms"))
        self.enable = True
        yield Step(ZERO)
        start_ms = self._now_ms
        while self._state.watchdog_tripped and self._now_ms - start_ms < AT_REST_SETTLE_MS:
            yield Step(ZERO)

"""Drives the simulator's physics with the recorded commands, in lockstep with the recorded clock: no real time.

The same file gives the same motion, however fast the machine is. Where the recorded arm and this simulation part,
the recorded pose and force and the simulated ones differ; how far is what one wants to know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import mujoco
import numpy as np

from devices.drivers.base import Arm, ArmRefused, ArmState, Pose, Twist
from devices.drivers.sim.arm import SimArm
from devices.drivers.sim.controller import Controller, Refused
from devices.drivers.sim.patient import BREATHS_PER_MIN, Patient
from devices.drivers.sim.physics import CONTACT_N, Physics
from devices.edge.recorder.items import Kind, unpack_state
from devices.edge.recorder.replay import Departed, Player, fresh
from devices.edge.recorder.tape import Cycle, Session

CYCLE_S = 0.002
MOVING_MM_S, MOVING_DEG_S = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One cycle: what was and what came out."""

    at_s: float
    state: int
    cause: int
    recorded: ArmState | None
    simulated: ArmState


@dataclass(slots=True)
class Result:
    """All rows, and how far the two parted at most."""

    rows: list[Row] = field(default_factory=list)

    @property
    def max_mm(self) -> float:
        """Between the recorded and the simulated tip."""
        return max((math.dist(was.position_mm, came.position_mm) for was, came in self._both), default=0.0)

    @property
    def max_n(self) -> float:
        """Between the contact forces."""
        return max((abs(was.force_n - came.force_n) for was, came in self._both), default=0.0)

    @property
    def _both(self) -> list[tuple[ArmState, ArmState]]:
        return [(row.recorded, row.simulated) for row in self.rows if row.recorded is not None]


class LockstepArm(Arm):
    """The simulated arm and its patient without a process: time passes only in ``until``."""

    def __init__(self, *, start: ArmState, start_s: float, breaths_per_min: float) -> None:
        super().__init__(runtime_dir=Path(), options={})
        self._physics = Physics()
        self._physics.data.qpos[:] = start.joints
        self._physics.data.ctrl[:] = start.joints
        mujoco.mj_forward(self._physics.model, self._physics.data)
        self._physics.soft_servo(False)  # the goal is where it stands
        self._controller = Controller(self._physics)
        self._patient = Patient(breaths_per_min=breaths_per_min)
        self._now_s = start_s

    def until(self, now_s: float) -> None:
        """Let the physics catch up, in whole cycles."""
        while self._now_s + CYCLE_S <= now_s:
            self._now_s += CYCLE_S
            self._patient.cycle(CYCLE_S)
            self._physics.heave(self._patient.heave_mm)
            self._controller.cycle(self._now_s, CYCLE_S)

    def _ask(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Refused as refused:
            raise ArmRefused(str(refused)) from refused

    def state(self) -> ArmState:
        """As the box would stream it."""
        physics, twist = self._physics, self._physics.twist
        moving = bool(np.linalg.norm(twist[:3]) > MOVING_MM_S or np.linalg.norm(twist[3:]) > MOVING_DEG_S)
        return ArmState(
            t_us=int(self._now_s * 1e6),
            joints=tuple(float(angle) for angle in physics.joints),  # type: ignore[arg-type]
            position_mm=physics.tip_mm,
            quaternion=physics.quaternion,
            twist=Twist(*(float(part) for part in twist)),
            force_n=physics.force_n,
            contact=physics.force_n > CONTACT_N,
            moving=moving,
            watchdog_tripped=self._controller.watchdog_tripped,
        )

    def connect(self, *, timeout_s: float = 5.0) -> None:
        """Always there."""

    def enable(self) -> None:
        """As the box."""
        self._controller.enable(self._now_s)

    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        """As the box; a tripped watchdog is part of the state, not a refusal."""
        parts = np.array([twist.vx, twist.vy, twist.vz, twist.wx, twist.wy, twist.wz])
        if self._controller.enabled:
            self._ask(lambda: self._controller.servo(parts, self._now_s))

    def stop(self) -> None:
        """As the box."""
        self._controller.stop(self._now_s)

    def lift(self, distance_mm: float) -> None:
        """As the box."""
        self._ask(lambda: self._controller.lift(distance_mm))

    def hand_guide(self, on: bool) -> None:
        """As the box."""
        self._ask(lambda: self._controller.hand_guide(on, self._now_s))

    def patient_told(self, key: str) -> None:
        """As the box."""
        self._patient.told(key)

    def close(self) -> None:
        """Nothing was opened."""


class _Words(Player):
    """Recorded datagrams and clocks; sites as the simulator has them."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._sim = SimArm(runtime_dir=Path(), options={})

    def site_pose(self, site: str) -> Pose | None:
        """The simulator's own table."""
        return self._sim.site_pose(site)


def resimulate(session: Session) -> Result:
    """Raises Departed when the recording holds no arm state to start from."""
    cycles = session.cycles[: None if session.gap_after is None else session.gap_after + 1]
    start = next((cycle for cycle in cycles if _state(cycle) is not None), None)
    if start is None:
        raise Departed("needs an arm state to start from; the recording has none")
    first = _state(start)
    assert first is not None
    breaths = float(session.header["options"].get("breaths_per_min", BREATHS_PER_MIN))
    arm = LockstepArm(start=first, start_s=start.now_s, breaths_per_min=breaths)
    player = _Words(session)
    runtime = fresh(session, player, arm)
    result = Result()
    for cycle in cycles:
        player.load(cycle)
        arm.until(cycle.now_s)
        runtime.cycle(now_s=cycle.now_s, dt_s=cycle.dt_s)
        core = runtime.core
        at_s = cycle.now_s - float(session.header["started_s"])
        result.rows.append(Row(at_s, int(core.state), int(core.cause), _state(cycle), arm.state()))
    return result


def _state(cycle: Cycle) -> ArmState | None:
    return next((unpack_state(payload) for kind, payload in cycle.came if kind is Kind.ARM_STATE), None)

"""The real safety core on the simulator's physics and patient, in lockstep: seconds of exam without real time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from devices.drivers.base import ArmState, Pose, Twist
from devices.drivers.sim.box import probe_pose
from devices.drivers.sim.controller import Controller
from devices.drivers.sim.patient import Patient
from devices.drivers.sim.physics import CONTACT_N, Physics
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import WORKSPACE_MM, Vector, quaternion_of, rotation_of, site_frame
from devices.edge.safety.cycle import ArmFacts, Output
from devices.wire.ctl import request
from devices.wire.messages import SafetyState
from tests.edge.bench import BEDSIDE, CONSOLE, Bench
from tests.edge.world import SpringWorld


class SimWorld(SpringWorld):
    """Box and patient with the bench's clock instead of their own process."""

    def __init__(self, *, site: str, breaths_per_min: float = 15.0) -> None:
        super().__init__()
        self.physics = Physics(site=site)
        self.controller = Controller(self.physics)
        self.patient = Patient(breaths_per_min=breaths_per_min)
        self.controller.enable(self.time_s)

    @property
    def force_n(self) -> float:
        """True contact force along the beam."""
        return self.physics.force_n

    def advance(self, wanted: Twist, dt_s: float) -> None:
        """One cycle of the box."""
        self.time_s += dt_s
        if self.controller.watchdog_tripped:
            self.controller.enable(self.time_s)
        self.velocity = wanted
        parts = (wanted.vx, wanted.vy, wanted.vz, wanted.wx, wanted.wy, wanted.wz)
        self.controller.servo(np.array(parts), self.time_s)
        self.patient.cycle(dt_s)
        self.physics.heave(self.patient.heave_mm)
        self.controller.cycle(self.time_s, dt_s)
        self.peak_n = max(self.peak_n, self.force_n)

    def state(self) -> ArmState:
        """As the box streams it."""
        physics, twist = self.physics, self.physics.twist
        joints = tuple(float(angle) for angle in physics.joints)
        moving = float(np.linalg.norm(twist[:3])) > 1.0 or float(np.linalg.norm(twist[3:])) > 0.5
        return ArmState(
            t_us=int(self.time_s * 1e6),
            joints=(joints[0], joints[1], joints[2], joints[3], joints[4], joints[5], joints[6]),
            position_mm=physics.tip_mm,
            quaternion=physics.quaternion,
            twist=Twist(*(float(part) for part in twist)),
            force_n=physics.force_n,
            contact=physics.force_n > CONTACT_N,
            moving=moving,
            watchdog_tripped=False,
        )

    def pose(self) -> ProbePose:
        """What the renderer would be given now."""
        return probe_pose(self.physics, self.patient, t_us=int(self.time_s * 1e6))


def _site_pose(site: str) -> Pose | None:
    frame = site_frame(site)
    if frame is None:
        return None
    x, y, z = (float(value) for value in frame[0])
    return Pose((x, y, z), quaternion_of(frame[1]))


class SimBench(Bench):
    """A ``Bench`` whose patient is the simulator's."""

    def __init__(self, folder: Path, *, site: str, breaths_per_min: float = 15.0) -> None:
        self.sim = SimWorld(site=site, breaths_per_min=breaths_per_min)
        super().__init__(folder, world=self.sim)
        self.core.facts = ArmFacts(
            stop_time_ms=60.0, watchdog_ms=100.0, workspace_mm=WORKSPACE_MM, site_pose=_site_pose
        )

    def prompt(self, key: str) -> None:
        """One key on the console."""
        ack = self.ctl(CONSOLE, "prompt", key=key)
        assert ack["ok"], (ack, request("prompt", 1, key=key))

    def _obey(self, out: Output) -> None:
        for name, argument in out.calls:
            if name == "patient_told":
                self.sim.patient.told(str(argument))
        super()._obey(out)


GAIN_S = 2.5
FREE_MM_S, FREE_DEG_S = 90.0, 18.0
SLIDE_MM_S, TURN_DEG_S = 12.0, 8.0
"""The console's normal speed."""


class ScriptedOperator:
    """Steers to a pose as a person would: travel in the air, touch, breathe, then correct by small slides."""

    def __init__(self, bench: SimBench) -> None:
        self.bench = bench

    def travel(self, foot: Vector, rotation: Vector, *, above_mm: float = 20.0) -> None:
        """In free air to a place over ``foot``, without force control."""
        goal = foot - above_mm * rotation[:, 2]
        for _ in range(200):
            slide, turn = self._gap(goal, rotation)
            # Without the bedside's go nothing moves down, so the height is the touch's matter.
            if np.linalg.norm(slide[:2]) < 1.5 and abs(slide[2]) < 8.0 and np.linalg.norm(turn) < 0.7:
                break
            self._steer(_bounded(GAIN_S * slide, FREE_MM_S), _bounded(GAIN_S * turn, FREE_DEG_S))
        self.bench.release()
        self.bench.run(0.1)

    def touch(self, force_n: float) -> None:
        """Down along the beam until the force stands."""
        self.bench.ctl(BEDSIDE, "go")
        self.bench.press(force_setpoint_n=force_n)
        self.bench.run(3.5)

    def correct(self, foot: Vector, rotation: Vector, force_n: float) -> None:
        """Slide and rotate on the skin until the plane is right; the beam's axis is the force loop's."""
        for _ in range(80):
            slide, turn = self._gap(foot, rotation)
            slide[2] = 0.0
            if np.linalg.norm(slide) < 1.0 and np.linalg.norm(turn) < 0.7:
                break
            v, w = _bounded(GAIN_S * slide, SLIDE_MM_S), _bounded(GAIN_S * turn, TURN_DEG_S)
            self._steer(v, w, force_n=force_n)
        self.bench.press(force_setpoint_n=force_n)
        self.bench.run(0.5)

    def _gap(self, goal: Vector, rotation: Vector) -> tuple[Vector, Vector]:
        """Way (mm) and turn (deg) still to go, in the probe's frame, as telemetry tells it."""
        arm = self.bench.sim.state()
        own = rotation_of(arm.quaternion)
        turn = own.T @ rotation
        lean = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        angle = np.arccos(np.clip((np.trace(turn) - 1) / 2, -1.0, 1.0))
        length = float(np.linalg.norm(lean))
        lean = np.degrees(angle) * lean / length if length > 1e-9 else lean
        return own.T @ (goal - np.array(arm.position_mm)), lean

    def _steer(self, v: Vector, w: Vector, *, force_n: float | None = None) -> None:
        wish = {"vx": v[0], "vy": v[1], "vz": v[2], "wx": w[0], "wy": w[1], "wz": w[2]}
        fields = {name: float(value) for name, value in wish.items()}
        if force_n is not None:
            fields |= {"vz": 0.0, "force_setpoint_n": force_n}
        self.bench.press(**fields)
        self.bench.run(0.1)


def _bounded(values: Vector, most: float) -> Vector:
    size = float(np.linalg.norm(values))
    return values if size <= most else values * (most / size)


def steered(bench: SimBench) -> bool:
    """The core still lets the operator move."""
    return bench.state() in (SafetyState.MOVING, SafetyState.PARK)

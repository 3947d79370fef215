"""One arm on one abdomen, stepped at 1 kHz: tool twists in, pose and contact force out.

Nothing here knows sockets or the clock; ``box.py`` calls ``cycle`` once per 2 ms.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from devices.drivers.sim import model
from devices.drivers.sim.world import (
    TORSO_CENTRE_MM,
    Quaternion,
    Triple,
    Vector,
    quaternion_of,
    site_frame,
)

IK_DAMPING = 0.003
"""Damped least squares: joint speed stays bounded near a singular posture; design value."""
POSTURE_GAIN_S = 0.5
"""How fast the null space is drawn to the home posture (1/s); design value."""
JOINT_ACCELERATION_MAX_RAD_S2 = 20.0
"""The controller's own bound on set-points; a stop has its own ramp; design value."""
CONTACT_N = 0.2
"""The simulated force sensor's threshold for contact; design value."""
JOINT_BRAKE_RAD_S2 = 3.0
"""How hard the arm brakes before a joint's end; design value."""
_LIMIT_MARGIN_RAD = 0.02


class Physics:
    """The simulated arm. Attributes after ``cycle``: ``force_n``, ``indentation_mm``, ``tip_mm``, ``twist``."""

    def __init__(self, *, site: str = "park") -> None:
        self.model = mujoco.MjModel.from_xml_string(model.mjcf())
        self.data = mujoco.MjData(self.model)
        self._ghost = mujoco.MjData(self.model)
        self._tip = self.model.site("tip").id
        self._torso = self.model.geom("torso").id
        self._jacobian = np.zeros((6, model.JOINTS))
        self._limit = np.array(model.JOINT_LIMITS_RAD) - _LIMIT_MARGIN_RAD
        self._home = np.array(model.HOME_RAD)
        self._lead_s = np.array(model.VELOCITY_LEAD_S)
        self._gains = (
            self.model.actuator_gainprm.copy(),
            self.model.actuator_biasprm.copy(),
        )
        self._soften()
        self._solref = self.model.pair_solref[0].copy()
        self.goal = np.zeros(model.JOINTS)
        self.goal_velocity = np.zeros(model.JOINTS)
        self.force_n = 0.0
        self.indentation_mm = 0.0
        self.heave_mm = 0.0
        self.push_n = np.zeros(3)
        self.reset(site)

    def reset(self, site: str) -> None:
        """Stand still at the free-air pose of ``site``. Raises LookupError when unknown or out of reach."""
        joints = self.solve(site)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = joints
        self.data.ctrl[:] = joints
        self.goal[:] = joints
        self.goal_velocity[:] = 0.0
        mujoco.mj_forward(self.model, self.data)
        self._measure()

    def cycle(self, twist: Vector, dt_s: float, *, hand_guide: bool = False) -> None:
        """Servo ``twist`` (probe frame: mm/s, deg/s) for ``dt_s`` and step the physics."""
        if hand_guide:
            self.goal[:] = self.data.qpos
            self.goal_velocity[:] = 0.0
        else:
            self._servo(twist, dt_s)
        self.data.xfrc_applied[-1, :3] = self.push_n
        for _ in range(max(1, round(dt_s * model.PHYSICS_HZ))):
            self.goal += self.goal_velocity / model.PHYSICS_HZ
            self.data.ctrl[:] = self.goal + self._lead_s * self.goal_velocity
            mujoco.mj_step(self.model, self.data)
        self._measure()

    def heave(self, height_mm: float) -> None:
        """Lift the belly's surface to ``height_mm`` above its rest (a breath, a cough, a jump)."""
        self.heave_mm = height_mm
        self.model.geom_pos[self._torso, 2] = (TORSO_CENTRE_MM[2] + height_mm) / 1000.0

    def stiffen(self, times: float) -> None:
        """Make the belly this many times as stiff as its rest (1: as it is), its damping with it."""
        self.model.pair_solref[0] = self._solref * times

    def soft_servo(self, on: bool) -> None:
        """Take the joint servos away (a person guides the arm; a little damping stays), or give them back."""
        gain, bias = self._gains
        self.model.actuator_gainprm[:] = gain
        self.model.actuator_biasprm[:] = bias
        if on:
            self.model.actuator_gainprm[:, 0] = 0.0
            self.model.actuator_biasprm[:, 1] = 0.0
            self.model.actuator_biasprm[:, 2] *= 0.05
        self.goal[:] = self.data.qpos
        self.goal_velocity[:] = 0.0

    def solve(self, site: str) -> Vector:
        """Joint angles of a site's free-air pose. Raises LookupError."""
        frame = site_frame(site)
        if frame is None:
            raise LookupError(f"no site is called {site!r}")
        position_mm, rotation = frame
        joints = self._home.copy()
        for _ in range(300):
            jacobian = self._jacobian_at(joints)
            error = self._error(position_mm, rotation)
            inverse = _damped_inverse(jacobian, IK_DAMPING)
            free = np.eye(model.JOINTS) - inverse @ jacobian
            joints += np.clip(inverse @ error + 0.02 * free @ (self._home - joints), -0.2, 0.2)
        if np.abs(error).max() > 1e-3 or (np.abs(joints) > self._limit).any():
            raise LookupError(f"site {site!r} is out of reach")
        return joints

    @property
    def joints(self) -> Vector:
        """Angles in rad (7,)."""
        return np.asarray(self.data.qpos.copy(), dtype=np.float64)

    @property
    def tip_mm(self) -> Triple:
        """Tip in the base frame."""
        x, y, z = self.data.site_xpos[self._tip] * 1000.0
        return float(x), float(y), float(z)

    @property
    def rotation(self) -> Vector:
        """Columns are the probe's axes in the base frame."""
        return np.asarray(self.data.site_xmat[self._tip].reshape(3, 3).copy(), dtype=np.float64)

    @property
    def quaternion(self) -> Quaternion:
        """Probe to base."""
        return quaternion_of(self.rotation)

    @property
    def twist(self) -> Vector:
        """True velocity of the tip in the probe frame: mm/s (3), deg/s (3)."""
        self._fill_jacobian(self.data)
        base = self._jacobian @ self.data.qvel
        rotation = self.rotation
        return np.concatenate([rotation.T @ base[:3] * 1000.0, np.degrees(rotation.T @ base[3:])])

    def _servo(self, twist: Vector, dt_s: float) -> None:
        rotation = self.rotation
        wanted = np.concatenate([rotation @ twist[:3] / 1000.0, rotation @ np.radians(twist[3:])])
        jacobian = self._fill_jacobian(self.data)
        inverse = _damped_inverse(jacobian, IK_DAMPING)
        velocity = inverse @ wanted
        if wanted.any():
            free = np.eye(model.JOINTS) - inverse @ jacobian
            pull = np.clip(POSTURE_GAIN_S * (self._home - self.goal), -0.05, 0.05)
            velocity = velocity + free @ pull
        velocity = _shrink(velocity, model.JOINT_SPEED_MAX_RAD_S)
        step = _shrink(velocity - self.goal_velocity, JOINT_ACCELERATION_MAX_RAD_S2 * dt_s)
        self.goal_velocity += step
        # Near a joint's end the whole arm slows, so that the tool keeps its direction until it rests.
        room = np.where(self.goal_velocity > 0, self._limit - self.goal, self._limit + self.goal)
        most = np.sqrt(2 * JOINT_BRAKE_RAD_S2 * np.maximum(room - 0.002, 0.0))
        share = float(np.min(most / np.maximum(np.abs(self.goal_velocity), 1e-6)))
        self.goal_velocity *= min(1.0, share)

    def _measure(self) -> None:
        self.force_n = 0.0
        self.indentation_mm = 0.0
        wrench = np.zeros(6)
        beam = self.rotation[:, 2]
        for index in range(self.data.ncon):
            contact = self.data.contact[index]
            mujoco.mj_contactForce(self.model, self.data, index, wrench)
            self.force_n += float(wrench[0] * abs(np.dot(contact.frame[:3], beam)))
            self.indentation_mm = max(self.indentation_mm, float(-contact.dist * 1000.0))

    def _soften(self) -> None:
        """Scale the pair's stiffness and damping to N/mm, read off one pressed centimetre."""
        self.data.qpos[:] = self.solve("right_upper_quadrant")
        jacobian = self._jacobian_at(self.data.qpos)
        beam = self._ghost.site_xmat[self._tip].reshape(3, 3)[:, 2]
        push = np.concatenate([beam * 0.001, np.zeros(3)])
        while self._ghost.ncon == 0 or self._ghost.contact[0].dist > -0.008:
            self.data.qpos[:] += _damped_inverse(jacobian, 1e-3) @ push
            jacobian = self._jacobian_at(self.data.qpos)
            mujoco.mj_forward(self.model, self._ghost)
        # aref = -k r: with the row's regulariser R a body at rest feels f = aref / R (MuJoCo, "Computation").
        r_m = -float(self._ghost.efc_pos[0])
        scale = float(self._ghost.efc_R[0]) * r_m
        aref_per_stiffness = float(self._ghost.efc_KBIP[0, 0] * self._ghost.efc_KBIP[0, 2]) * r_m / 1000.0
        stiffness = model.STIFFNESS_N_MM * 1000.0 * scale / aref_per_stiffness
        ratio = model.DAMPING_N_S_MM / model.STIFFNESS_N_MM
        unit_damping = float(self._ghost.efc_KBIP[0, 1]) / 10.0
        unit_stiffness = aref_per_stiffness / r_m
        self.model.pair_solref[0] = (
            -stiffness,
            -stiffness * unit_stiffness * ratio / unit_damping,
        )

    def _jacobian_at(self, joints: Vector) -> Vector:
        self._ghost.qpos[:] = joints
        mujoco.mj_kinematics(self.model, self._ghost)
        mujoco.mj_comPos(self.model, self._ghost)
        return self._fill_jacobian(self._ghost)

    def _fill_jacobian(self, data: mujoco.MjData) -> Vector:
        mujoco.mj_jacSite(self.model, data, self._jacobian[:3], self._jacobian[3:], self._tip)
        return self._jacobian

    def _error(self, position_mm: Vector, rotation: Vector) -> Vector:
        now = self._ghost.site_xmat[self._tip].reshape(3, 3)
        turn = rotation @ now.T
        axis = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        return np.concatenate([position_mm / 1000.0 - self._ghost.site_xpos[self._tip], axis])


def _damped_inverse(jacobian: Vector, damping: float) -> Vector:
    square = jacobian @ jacobian.T
    square[np.diag_indices(6)] += damping * damping
    return np.asarray(np.linalg.solve(square, jacobian).T, dtype=np.float64)


def _shrink(values: Vector, most: float) -> Vector:
    biggest = float(np.abs(values).max())
    if biggest <= most or math.isclose(biggest, 0.0):
        return values
    return values * (most / biggest)

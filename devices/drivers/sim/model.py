"""The MuJoCo model: a 7-axis arm beside the patient, a convex probe as its tool, a compliant abdomen.

Metres, kilograms, newtons inside MuJoCo; everything that leaves this folder is in millimetres.
Kinematic sizes follow the usual 7-axis collaborative arm (0.34 / 0.40 / 0.40 / 0.126 m).
"""

from __future__ import annotations

from devices.drivers.sim.world import TORSO_CENTRE_MM, TORSO_SEMI_AXES_MM

PHYSICS_HZ = 1000
JOINTS = 7
JOINT_LIMITS_RAD = (2.96, 2.30, 2.96, 2.60, 2.96, 2.60, 3.05)
JOINT_SPEED_MAX_RAD_S = 1.4
HOME_RAD = (0.0, 0.10, 0.0, 1.75, 0.0, 1.29, 0.0)
"""Elbow up, beam down: the posture the null space is drawn to."""

STIFFNESS_N_MM = 0.62
"""Skin and fat under a probe: 5 N press about 8 mm (0.4-0.8 N/mm in the literature's range); design value."""
DAMPING_N_S_MM = 0.010
"""Enough that the tissue does not ring, small against the force of slow pressing; design value."""

_BASE_M = (-0.36, -0.30, -0.30)
_KP = (60000.0, 60000.0, 40000.0, 40000.0, 20000.0, 20000.0, 10000.0)
_KV = (900.0, 900.0, 480.0, 480.0, 180.0, 180.0, 80.0)
_TORQUE_MAX_NM = (320.0, 320.0, 176.0, 176.0, 110.0, 40.0, 40.0)
VELOCITY_LEAD_S = tuple(kv / kp for kv, kp in zip(_KV, _KP, strict=True))
"""Added to the commanded angle times its velocity: the servo then follows a ramp without lag."""

_LINKS = (
    # offset along the previous link's z (m), axis, mass (kg)
    (0.1575, "0 0 1", 4.0),
    (0.1825, "0 1 0", 4.0),
    (0.20, "0 0 1", 3.0),
    (0.20, "0 1 0", 2.7),
    (0.20, "0 0 1", 1.7),
    (0.20, "0 1 0", 1.8),
    (0.081, "0 0 1", 0.3),
)
_TIP_M = 0.225  # joint 7 to the probe's tip: flange, force sensor, holder, probe
_PROBE_M = (
    0.030,
    0.008,
    0.020,
)  # half axes of the probe's head: 60 x 16 mm footprint, curved


def mjcf(*, stiffness_n_mm: float = STIFFNESS_N_MM, damping_n_s_mm: float = DAMPING_N_S_MM) -> str:
    """MJCF text of the room.

    The pair's ``solref`` is negative (stiffness, damping) with a constant impedance, so that the
    static contact force is linear in depth; ``physics.py`` scales both to N/mm with the contact's
    own regularisation.
    """
    del stiffness_n_mm, damping_n_s_mm
    return f"""<mujoco model="ultrasound">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="{1 / PHYSICS_HZ}" integrator="implicitfast" cone="pyramidal" iterations="20" tolerance="1e-9"/>
  <default><geom contype="0" conaffinity="0"/><joint armature="0.1" damping="1"/></default>
  <worldbody>
    <geom name="torso" type="ellipsoid" pos="{_text(_metres(TORSO_CENTRE_MM))}"
      size="{_text(_metres(TORSO_SEMI_AXES_MM))}"/>
    <body name="base" pos="{_text(_BASE_M)}" gravcomp="1">{_chain(0)}</body>
  </worldbody>
  <contact><pair name="skin" geom1="torso" geom2="probe" condim="1"
    solref="-1000 -10" solimp="0.02 0.02 0.001 0.5 2"/></contact>
  <actuator>{_actuators()}</actuator>
</mujoco>"""


def _chain(index: int) -> str:
    if index == JOINTS:
        return (
            f'<body name="tool" pos="0 0 {_TIP_M - _PROBE_M[2]}" gravcomp="1">'
            f'<geom name="probe" type="ellipsoid" size="{_text(_PROBE_M)}" mass="0.4"/>'
            f'<site name="tip" pos="0 0 {_PROBE_M[2]}"/></body>'
        )
    offset, axis, mass = _LINKS[index]
    limit = JOINT_LIMITS_RAD[index]
    return (
        f'<body name="link{index + 1}" pos="0 0 {offset}" gravcomp="1">'
        f'<joint name="j{index + 1}" type="hinge" axis="{axis}" range="{-limit} {limit}"/>'
        f'<geom type="capsule" fromto="0 0 0 0 0 0.15" size="0.05" mass="{mass}"/>{_chain(index + 1)}</body>'
    )


def _actuators() -> str:
    rows = zip(_KP, _KV, _TORQUE_MAX_NM, strict=True)
    return "".join(
        f'<general name="a{i + 1}" joint="j{i + 1}" gainprm="{kp}" biastype="affine" biasprm="0 {-kp} {-kv}"'
        f' forcerange="{-top} {top}"/>'
        for i, (kp, kv, top) in enumerate(rows)
    )


def _metres(values_mm: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(value / 1000.0 for value in values_mm)


def _text(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.6g}" for value in values)

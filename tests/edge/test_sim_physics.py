"""The simulated arm and belly: forces, rest, limits, by the physics alone (no process, no clock)."""

from __future__ import annotations

import numpy as np
import pytest

from devices.drivers.sim.controller import Controller, Mode, Refused
from devices.drivers.sim.physics import Physics
from devices.drivers.sim.world import SITES, rotation_of, site_frame, skin_depth_mm

DT_S = 0.002
REST = np.zeros(6)


def along(speed_mm_s: float) -> np.ndarray:
    return np.array([0.0, 0.0, speed_mm_s, 0.0, 0.0, 0.0])


def cycles(physics: Physics, twist: np.ndarray, seconds: float) -> None:
    for _ in range(round(seconds / DT_S)):
        physics.cycle(twist, DT_S)


@pytest.fixture
def physics() -> Physics:
    return Physics(site="right_upper_quadrant")


def pressed(physics: Physics, force_n: float) -> None:
    for _ in range(5000):
        if physics.force_n >= force_n:
            break
        physics.cycle(along(15.0), DT_S)
    cycles(physics, REST, 0.3)


def test_force_rises_with_depth_at_the_stiffness_of_a_belly(physics: Physics) -> None:
    seen = []
    for wanted_n in (2.0, 5.0, 10.0, 15.0):
        pressed(physics, wanted_n)
        seen.append((physics.indentation_mm, physics.force_n))
    depths, forces = zip(*seen, strict=True)
    assert list(depths) == sorted(depths)
    assert list(forces) == sorted(forces)
    slopes = np.diff(forces) / np.diff(depths)
    assert ((slopes > 0.4) & (slopes < 0.8)).all()


def test_five_newtons_press_about_eight_millimetres(physics: Physics) -> None:
    pressed(physics, 5.0)
    assert 6.5 < physics.indentation_mm < 9.5


def test_a_stiffer_belly_answers_the_same_depth_with_more_force_and_can_be_soft_again(
    physics: Physics,
) -> None:
    physics.stiffen(5.0)
    pressed(physics, 5.0)
    assert 1.0 < physics.indentation_mm < 2.5
    physics.stiffen(1.0)
    cycles(physics, REST, 0.3)
    assert physics.force_n < 2.0


def test_at_rest_the_tool_does_not_creep_even_in_contact(physics: Physics) -> None:
    pressed(physics, 8.0)
    before = np.array(physics.tip_mm)
    cycles(physics, REST, 5.0)
    assert np.linalg.norm(np.array(physics.tip_mm) - before) < 0.05
    assert np.linalg.norm(physics.twist[:3]) < 0.05


def test_in_air_there_is_no_force(physics: Physics) -> None:
    cycles(physics, REST, 0.2)
    assert physics.force_n == 0.0
    assert skin_depth_mm(np.array(physics.tip_mm)) == pytest.approx(-20.0, abs=1.0)


@pytest.mark.parametrize("axis", range(6))
def test_each_component_of_a_twist_moves_only_itself(physics: Physics, axis: int) -> None:
    twist = np.zeros(6)
    twist[axis] = 10.0
    cycles(physics, twist, 0.3)
    assert physics.twist[axis] == pytest.approx(10.0, abs=0.3)
    others = np.delete(physics.twist, axis)
    assert np.abs(others).max() < 0.3


@pytest.mark.parametrize("site", [*SITES, "park"])
def test_every_site_is_reached_with_the_beam_into_the_skin(site: str) -> None:
    physics = Physics(site=site)
    frame = site_frame(site)
    assert frame is not None
    assert np.linalg.norm(np.array(physics.tip_mm) - frame[0]) < 1.0
    assert rotation_of(physics.quaternion)[:, 2] @ frame[1][:, 2] > 0.9999


def test_an_unknown_site_is_refused() -> None:
    with pytest.raises(LookupError, match="nowhere"):
        Physics(site="nowhere")


def test_at_a_joints_end_the_arm_stops_instead_of_wandering(physics: Physics) -> None:
    cycles(physics, np.array([0.0, 0.0, -150.0, 0.0, 0.0, 0.0]), 8.0)
    assert np.linalg.norm(physics.twist[:3]) < 1.0
    limits = physics.model.jnt_range
    assert (physics.joints > limits[:, 0]).all()
    assert (physics.joints < limits[:, 1]).all()


def test_a_belly_that_jumps_up_raises_the_force(physics: Physics) -> None:
    pressed(physics, 5.0)
    before = physics.force_n
    physics.heave(10.0)
    cycles(physics, REST, 0.2)
    assert physics.force_n > before + 3.0


class Clocked:
    """A controller with a clock that the test moves."""

    def __init__(self, physics: Physics) -> None:
        self.controller = Controller(physics)
        self.now = 100.0

    def run(self, seconds: float, twist: np.ndarray | None = None) -> None:
        for _ in range(round(seconds / DT_S)):
            self.now += DT_S
            if twist is not None and self.controller.enabled:
                self.controller.servo(twist, self.now)
            self.controller.cycle(self.now, DT_S)


@pytest.fixture
def clocked(physics: Physics) -> Clocked:
    clocked = Clocked(physics)
    clocked.controller.enable(clocked.now)
    return clocked


def test_without_servo_the_watchdog_brings_the_arm_to_rest_within_200_ms(clocked: Clocked) -> None:
    clocked.run(0.5, along(-50.0))
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) > 40
    clocked.run(0.2)
    assert clocked.controller.watchdog_tripped
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) < 1.0


def test_a_tripped_watchdog_refuses_servo_until_enabled_again(clocked: Clocked) -> None:
    clocked.run(0.2)
    with pytest.raises(Refused, match="watchdog_tripped"):
        clocked.controller.servo(along(5.0), clocked.now)
    clocked.controller.enable(clocked.now)
    clocked.run(0.2, along(-5.0))
    assert not clocked.controller.watchdog_tripped
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) > 4.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_twist_that_is_no_number_is_refused_and_changes_nothing(clocked: Clocked, bad: float) -> None:
    clocked.run(0.1, REST)
    with pytest.raises(Refused, match="not_finite"):
        clocked.controller.servo(along(bad), clocked.now)
    clocked.run(0.05)
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) < 0.5


def test_speed_beyond_the_controllers_ceiling_is_cut(clocked: Clocked) -> None:
    clocked.run(0.3, along(-5000.0))
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) < 255.0


def test_stop_is_rest_within_60_ms(clocked: Clocked) -> None:
    clocked.run(0.5, along(-100.0))
    clocked.controller.stop(clocked.now)
    clocked.run(0.06)
    assert np.linalg.norm(clocked.controller.physics.twist[:3]) < 1.0


def test_lift_leaves_contact_even_after_the_watchdog(clocked: Clocked) -> None:
    pressed(clocked.controller.physics, 8.0)
    clocked.run(0.3)
    assert clocked.controller.watchdog_tripped
    clocked.controller.lift(30.0)
    clocked.run(1.0)
    assert clocked.controller.physics.force_n == 0.0
    assert clocked.controller.mode is Mode.REST


@pytest.mark.parametrize("distance_mm", [0.0, -5.0, 1e6, float("nan")])
def test_a_lift_out_of_range_is_refused(clocked: Clocked, distance_mm: float) -> None:
    with pytest.raises(Refused, match="out_of_range"):
        clocked.controller.lift(distance_mm)


def test_a_guided_arm_yields_to_a_push_and_holds_again(clocked: Clocked) -> None:
    controller, physics = clocked.controller, clocked.controller.physics
    controller.hand_guide(True, clocked.now)
    physics.push_n[2] = 20.0
    before = np.array(physics.tip_mm)
    clocked.run(0.5, REST)
    assert np.array(physics.tip_mm)[2] - before[2] > 5.0
    controller.hand_guide(False, clocked.now)
    clocked.run(0.3, REST)
    held = np.array(physics.tip_mm)
    clocked.run(0.5, REST)
    assert np.linalg.norm(np.array(physics.tip_mm) - held) < 1.0


def test_place_goes_round_the_belly_to_the_other_site(clocked: Clocked) -> None:
    clocked.controller.place("epigastrium")
    highest_n = 0.0
    for _ in range(100):
        clocked.run(0.1, REST)
        highest_n = max(highest_n, clocked.controller.physics.force_n)
        if not clocked.controller.busy:
            break
    frame = site_frame("epigastrium")
    assert frame is not None
    assert np.linalg.norm(np.array(clocked.controller.physics.tip_mm) - frame[0]) < 2.0
    assert highest_n == 0.0

"""The safety core as an exam would use it, on a spring patient with its own clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.wire.limits import FORCE_HARD_N, FORCE_PEAK_N
from devices.wire.messages import LimitBit, Refusal, SafetyState, StopCause
from tests.edge.bench import BEDSIDE, CONSOLE, Bench
from tests.edge.world import SpringWorld

S = SafetyState


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_a_lease_no_command_moves_the_arm(bench: Bench) -> None:
    bench.run(0.3)
    bench.press(vx=20.0)
    assert bench.send(bench.command()) is Refusal.EPOCH
    bench.run(0.5)
    assert bench.world.position[0] == 0.0
    assert bench.state() is S.IDLE


def test_release_then_press_moves_the_arm_and_telemetry_says_which_command(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=12.0)
    bench.run(1.0)
    assert bench.state() is S.MOVING
    assert 10.0 < bench.world.position[0] < 13.0
    assert bench.core.applied_seq == bench.core.gates.last_seq


def test_a_deadman_held_since_before_the_lease_must_be_released_first(bench: Bench) -> None:
    bench.run(0.3)
    bench.press(vx=12.0)
    bench.lease()
    bench.run(0.5)
    assert bench.world.position[0] == 0.0
    assert Refusal.NEEDS_RELEASE in bench.refusals


def test_first_contact_waits_for_the_bedside(bench: Bench) -> None:
    bench.ready()
    bench.press(force_setpoint_n=5.0)
    bench.run(2.0)
    assert bench.world.position[2] == pytest.approx(20.0)
    assert bench.core.limit_bits & LimitBit.NO_GO
    assert bench.ctl(BEDSIDE, "go")["ok"]
    bench.run(6.0)
    assert bench.world.force_n == pytest.approx(5.0, abs=0.5)


def test_contact_made_sideways_without_the_bedsides_go_only_moves_away(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=20.0)
    while not bench.core.watch.contact:
        bench.world.skin_mm += 0.5
        bench.run(0.05)
    touched_mm = bench.world.position[0]
    for _ in range(20):
        bench.world.skin_mm += 0.2
        bench.run(0.05)
    assert bench.core.state is SafetyState.MOVING
    assert bench.core.limit_bits & LimitBit.NO_GO
    assert bench.world.position[0] - touched_mm < 3.0
    assert bench.world.force_n <= 2.0


def test_the_go_runs_out_after_a_minute(bench: Bench) -> None:
    bench.ready()
    bench.ctl(BEDSIDE, "go")
    bench.run(61.0)
    bench.press(force_setpoint_n=5.0)
    bench.run(3.0)
    assert bench.world.force_n == 0.0


@pytest.mark.parametrize("stiffness", [0.2, 0.6, 3.0])
def test_the_force_loop_settles_at_the_set_point(tmp_path: Path, stiffness: float) -> None:
    bench = Bench(tmp_path, world=SpringWorld(stiffness_n_mm=stiffness))
    bench.ready()
    bench.ctl(BEDSIDE, "go")
    bench.press(force_setpoint_n=8.0)
    bench.run(10.0)
    assert bench.world.force_n == pytest.approx(8.0, abs=0.5)
    assert bench.world.peak_n < 10.0


def test_an_open_deadman_parks_with_the_force_kept_below_eight_newton(bench: Bench) -> None:
    bench.in_contact(11.0)
    bench.release()
    bench.run(4.0)
    assert bench.state() is S.PARK
    assert bench.world.force_n == pytest.approx(8.0, abs=0.4)
    x = bench.world.position[0]
    bench.run(1.0)
    assert bench.world.position[0] == x


def test_a_long_park_eases_to_three_newton(bench: Bench) -> None:
    bench.in_contact(8.0)
    bench.release()
    bench.run(119.0)
    assert bench.world.force_n == pytest.approx(8.0, abs=0.4)
    bench.run(12.0)
    assert bench.world.force_n == pytest.approx(3.0, abs=0.4)


def test_missing_commands_ramp_hold_retract_and_suspend(bench: Bench) -> None:
    bench.in_contact(6.0)
    bench.press(vx=5.0, force_setpoint_n=6.0)
    bench.run(1.0)
    bench.commanding = False
    seen: dict[SafetyState, float] = {}
    for step in range(1100):
        bench.run(0.002)
        seen.setdefault(bench.core.state, step * 2.0)
    assert 120.0 <= seen[S.RAMP] <= 175.0
    assert 270.0 <= seen[S.HOLD] <= 325.0
    assert bench.cause() is StopCause.LEASE_SUSPENDED
    assert bench.world.force_n <= 2.0
    assert not bench.core.lease.live(bench.now_ms)


def test_silence_retracts_ten_millimetres_while_in_contact(tmp_path: Path) -> None:
    bench = Bench(tmp_path, world=SpringWorld(stiffness_n_mm=0.3))
    bench.in_contact(6.0)
    bench.commanding = False
    bench.run(1.05)
    assert bench.state() is S.RETRACT
    before = bench.world.position[2]
    bench.run(0.8)
    assert bench.world.position[2] - before > 8.0
    assert bench.world.force_n <= 2.0


def test_a_short_silence_resumes_by_itself_and_a_long_one_needs_release(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=10.0)
    bench.run(0.5)
    bench.commanding = False
    bench.run(0.22)
    assert bench.state() is S.RAMP
    bench.commanding = True
    bench.run(0.1)
    assert bench.state() is S.MOVING
    bench.commanding = False
    bench.run(0.4)
    bench.commanding = True
    bench.run(0.3)
    assert bench.state() is S.HOLD
    bench.release()
    bench.run(0.1)
    bench.press(vx=10.0)
    bench.run(0.1)
    assert bench.state() is S.MOVING


def test_after_suspension_only_a_renewed_lease_steers_again(bench: Bench) -> None:
    bench.ready()
    bench.commanding = bench.renewing = False
    bench.run(2.2)
    bench.commanding = True
    bench.run(0.3)
    assert bench.state() is S.HOLD
    bench.lease()
    bench.run(0.3)
    assert bench.state() is S.PARK


def test_a_lost_link_process_is_a_silence_of_its_own_name(bench: Bench) -> None:
    bench.in_contact(6.0)
    bench.beating = bench.commanding = bench.present = False
    bench.run(0.5)
    assert bench.state() is S.HOLD
    assert bench.cause() is StopCause.LINK_LOST
    bench.run(0.5)
    assert bench.world.force_n <= 2.0


@pytest.mark.parametrize(
    ("slot", "cause"), [(CONSOLE, StopCause.ESTOP_CONSOLE), (BEDSIDE, StopCause.ESTOP_BEDSIDE)]
)
@pytest.mark.parametrize("stiffness", [0.3, 1.0, 3.0])
def test_a_stop_latches_and_the_force_is_gone_within_half_a_second(
    tmp_path: Path, slot: int, cause: StopCause, stiffness: float
) -> None:
    bench = Bench(tmp_path, world=SpringWorld(stiffness_n_mm=stiffness))
    bench.in_contact(11.0)
    bench.press(vx=20.0, force_setpoint_n=11.0)
    bench.run(0.5)
    bench.stop_pressed(slot)
    bench.run(0.5)
    assert bench.state() is S.STOPPED and bench.core.latched and bench.cause() is cause
    assert bench.world.force_n <= 2.0
    x = bench.world.position[0]
    bench.run(1.0)
    assert bench.world.position[0] == pytest.approx(x)


def test_only_the_bedside_clears_a_stop_with_its_cause_and_a_well_patient(bench: Bench) -> None:
    bench.ready()
    bench.stop_pressed(CONSOLE)
    bench.run(0.5)
    cause = int(StopCause.ESTOP_CONSOLE)
    assert bench.ctl(CONSOLE, "clear_stop", cause=cause, patient_well=True)["code"] == "not_allowed"
    assert bench.ctl(BEDSIDE, "clear_stop", cause=5, patient_well=True)["code"] == "wrong_cause"
    assert bench.ctl(BEDSIDE, "clear_stop", cause=cause, patient_well=False)["code"] == "bad_field"
    assert bench.core.latched
    assert bench.ctl(BEDSIDE, "clear_stop", cause=cause, patient_well=True)["ok"]
    assert bench.state() is S.HOLD and not bench.core.latched


def test_a_stop_still_pressed_cannot_be_cleared(bench: Bench) -> None:
    bench.ready()
    bench.stop_pressed(CONSOLE)
    ack = bench.ctl(BEDSIDE, "clear_stop", cause=int(StopCause.ESTOP_CONSOLE), patient_well=True)
    assert ack["code"] == "still_pressed"


@pytest.mark.parametrize(
    "before", ["idle", "hold", "park", "moving", "stopped", "hand_guide", "frozen", "place"]
)
def test_lift_works_in_every_state(bench: Bench, before: str) -> None:
    bench.run(0.1)
    if before != "idle":
        bench.in_contact(6.0)
    if before == "hold":
        bench.ctl(BEDSIDE, "hold")
    elif before == "park":
        bench.release()
        bench.run(0.5)
    elif before == "stopped":
        bench.stop_pressed(BEDSIDE)
        bench.run(0.6)
    elif before == "hand_guide":
        bench.ctl(BEDSIDE, "hand_guide", on=True)
    elif before == "frozen":
        assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    elif before == "place":
        bench.ctl(BEDSIDE, "lift")
        bench.run(3.0)
        bench.ctl(BEDSIDE, "place")
    height = bench.world.position[2]
    assert bench.ctl(BEDSIDE, "lift")["ok"]
    bench.run(3.0)
    assert bench.world.position[2] - height == pytest.approx(50.0, abs=3.0)
    after = {"stopped": {S.STOPPED}, "idle": {S.IDLE}}
    assert bench.state() in after.get(before, {S.HOLD, S.PARK})


@pytest.mark.parametrize("rise_mm_s", [30.0, 60.0, 110.0])
def test_a_patient_who_sits_up_never_feels_the_peak_force(tmp_path: Path, rise_mm_s: float) -> None:
    bench = Bench(tmp_path, world=SpringWorld(stiffness_n_mm=0.8))
    bench.in_contact(11.0)
    for _ in range(500):
        bench.world.skin_mm += rise_mm_s * 0.002
        bench.run(0.002)
    assert bench.world.peak_n < FORCE_PEAK_N
    bench.run(2.0)
    assert bench.world.force_n < 12.0


def test_the_hard_limit_is_latched_with_its_cause(bench: Bench) -> None:
    bench.in_contact(8.0)
    bench.world.extra_force_n = FORCE_HARD_N - bench.world.force_n + 0.5
    bench.run(0.004)
    assert bench.core.latched
    assert bench.cause() in (StopCause.FORCE_HARD, StopCause.COLLISION)
    assert bench.state() is S.RETRACT
    bench.world.extra_force_n = 0.0
    bench.run(2.0)
    assert bench.state() is S.STOPPED


def test_a_steep_rise_of_force_is_a_collision(bench: Bench) -> None:
    bench.in_contact(6.0)
    for _ in range(10):
        bench.world.extra_force_n += 0.3
        bench.run(0.002)
    assert bench.cause() is StopCause.COLLISION


def test_speed_is_limited_by_the_loop_delay_in_contact(bench: Bench) -> None:
    bench.in_contact(6.0)
    bench.frame_lag = 9  # about 300 ms
    bench.press(vx=100.0, force_setpoint_n=6.0)
    bench.run(2.0)
    assert bench.core.limit_bits & LimitBit.LOOP_DELAY_SPEED
    assert 8.0 < bench.core.done.vx < 12.0


def test_free_air_speed_and_turning_are_limited(bench: Bench) -> None:
    bench.world.position[2] = 200.0
    bench.ready()
    bench.press(vx=400.0, wz=90.0)
    bench.run(0.8)
    assert bench.core.done.vx == pytest.approx(150.0, abs=0.1)
    assert bench.core.done.wz == pytest.approx(20.0, abs=0.1)
    assert bench.core.limit_bits & LimitBit.SPEED and bench.core.limit_bits & LimitBit.ANGULAR


def test_the_workspace_wall_is_not_crossed(bench: Bench) -> None:
    bench.world.position[:] = [280.0, 0.0, 100.0]
    bench.ready()
    bench.press(vx=100.0)
    bench.run(3.0)
    assert bench.world.position[0] <= 300.5
    assert bench.core.limit_bits & LimitBit.WORKSPACE


def test_frozen_refuses_motion_and_unfreezing_needs_release(bench: Bench) -> None:
    bench.in_contact(6.0)
    bench.press(vx=10.0, force_setpoint_n=6.0)
    bench.run(0.3)
    assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    bench.run(0.3)
    x = bench.world.position[0]
    bench.run(0.5)
    assert bench.world.position[0] == pytest.approx(x)
    assert bench.refusal() is Refusal.FROZEN
    assert bench.world.force_n == pytest.approx(6.0, abs=0.6)
    bench.ctl(CONSOLE, "freeze", on=False)
    bench.run(0.3)
    assert bench.refusal() is Refusal.NEEDS_RELEASE


def test_a_picture_half_a_second_old_stops_the_arm(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=10.0)
    bench.run(0.3)
    bench.frames_flow = False
    bench.run(0.6)
    assert bench.state() is S.HOLD
    assert bench.cause() is StopCause.STALE_VIDEO


def test_an_absent_bedside_is_hold(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=1.0)
    bench.run(0.3)
    bench.present = False
    bench.run(1.4)
    assert bench.state() is S.MOVING
    bench.run(0.4)
    assert bench.state() is S.HOLD and bench.cause() is StopCause.BEDSIDE_ABSENT


def test_a_takeover_passes_through_hold_and_the_old_epoch_is_refused_for_ever(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=10.0)
    bench.run(0.3)
    bench.lease(epoch=2)
    assert bench.state() is S.HOLD and bench.cause() is StopCause.TAKEOVER
    assert bench.send(bench.command(lease_epoch=1)) is Refusal.EPOCH
    with pytest.raises(ValueError, match="old_epoch"):
        bench.lease(epoch=1)


def test_an_expired_lease_is_hold_with_its_cause(bench: Bench) -> None:
    bench.ready()
    bench.renewing = False
    bench.run(5.5)
    assert bench.state() is S.HOLD and bench.cause() is StopCause.LEASE_LOST


def test_a_lease_that_is_not_live_refuses_motion(bench: Bench) -> None:
    bench.run(0.3)
    bench.lease(live=False)
    bench.press(vx=10.0)
    bench.renewing = False
    bench.run(0.3)
    assert bench.refusal() is Refusal.NOT_LIVE
    assert bench.world.position[0] == 0.0


def test_another_peer_cannot_use_the_holders_lease(bench: Bench) -> None:
    bench.run(0.3)
    bench.lease(peer="somebody-else")
    bench.renewing = False
    assert bench.send(bench.command()) is Refusal.EPOCH


def test_gentler_caps_the_force_at_five_newton_until_the_bedside_lifts_it(bench: Bench) -> None:
    bench.in_contact(9.0)
    bench.ctl(BEDSIDE, "gentler", on=True)
    bench.run(3.0)
    assert bench.world.force_n == pytest.approx(5.0, abs=0.4)
    assert bench.ctl(CONSOLE, "gentler", on=False)["code"] == "not_allowed"
    bench.ctl(BEDSIDE, "gentler", on=False)
    bench.run(3.0)
    assert bench.world.force_n == pytest.approx(9.0, abs=0.4)


def test_a_bedside_cap_only_lowers(bench: Bench) -> None:
    assert bench.ctl(BEDSIDE, "force_cap", n=15.0)["done"]["n"] == 12.0
    assert bench.ctl(BEDSIDE, "force_cap", n=4.0)["done"]["n"] == 4.0
    assert bench.ctl(BEDSIDE, "force_cap", n=18.0)["code"] == "bad_field"


def test_a_tilted_probe_presses_at_most_six_newton(bench: Bench) -> None:
    bench.in_contact(9.0)
    bench.press(wx=15.0, force_setpoint_n=9.0)
    bench.run(2.8)  # 40 degrees
    bench.press(force_setpoint_n=9.0)
    bench.run(3.0)
    assert bench.core.limit_bits & LimitBit.TILT_FORCE
    assert bench.world.force_n < 6.5

"""Moves that end by themselves: by hand, placing, parking, repositioning, the self-test, a driver that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.wire.messages import LimitBit, SafetyState, StopCause
from tests.edge.bench import BEDSIDE, CONSOLE, Bench

S = SafetyState


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_hand_guiding_is_entered_and_left_at_the_bedside(bench: Bench) -> None:
    bench.ready()
    assert bench.ctl(BEDSIDE, "hand_guide", on=True)["ok"]
    bench.run(0.01)
    assert ("hand_guide", True) in [call for out in bench.outputs for call in out.calls]
    bench.ctl(BEDSIDE, "hand_guide", on=False)
    bench.run(0.01)
    assert ("hand_guide", False) in [call for out in bench.outputs for call in out.calls]
    assert bench.core.needs_release


def test_the_patients_button_is_hold_as_long_as_it_is_pressed(bench: Bench) -> None:
    bench.in_contact(8.0)
    bench.world.button = True
    bench.run(0.6)
    assert bench.state() is S.HOLD and bench.cause() is StopCause.ESTOP_PATIENT
    assert bench.world.force_n <= 2.0
    bench.release()
    bench.run(0.3)
    assert bench.state() is S.HOLD


def test_placing_moves_to_the_site_in_free_air_and_not_in_contact(bench: Bench) -> None:
    bench.world.position[:] = [100.0, 50.0, 120.0]
    bench.run(0.1)
    assert bench.ctl(BEDSIDE, "place", site="nowhere")["code"] == "unknown_site"
    assert bench.ctl(BEDSIDE, "place")["ok"]
    bench.run(8.0)
    assert bench.world.position == pytest.approx([0.0, 0.0, 20.0], abs=1.5)
    bench.in_contact(6.0)
    bench.release()
    bench.run(0.2)
    assert bench.ctl(BEDSIDE, "place")["code"] == "in_contact"


def test_parking_lifts_then_travels_to_the_safe_pose(bench: Bench) -> None:
    bench.in_contact(6.0)
    assert bench.ctl(CONSOLE, "park")["ok"]
    bench.run(10.0)
    assert bench.world.position == pytest.approx([150.0, 0.0, 120.0], abs=2.0)


def test_reposition_lifts_to_the_safe_pose_and_the_next_contact_is_a_first_one(bench: Bench) -> None:
    bench.in_contact(6.0)
    asked = bench.ctl(CONSOLE, "reposition")
    assert asked["ok"]
    bench.release()
    bench.run(12.0)
    assert bench.state() is S.PARK
    assert bench.world.position[2] == pytest.approx(120.0, abs=2.0)
    assert bench.core.reposition
    assert bench.ctl(BEDSIDE, "place")["ok"]
    bench.run(12.0)
    bench.release()
    bench.run(0.2)
    bench.press(force_setpoint_n=5.0)
    bench.run(3.0)
    assert bench.core.limit_bits & LimitBit.NO_GO
    assert bench.core.reposition
    bench.ctl(BEDSIDE, "go")
    bench.run(6.0)
    assert bench.world.force_n == pytest.approx(5.0, abs=0.5)
    assert not bench.core.reposition


def test_reposition_is_for_the_holder_and_not_under_a_latched_stop(bench: Bench) -> None:
    bench.run(0.3)
    assert bench.ctl(CONSOLE, "reposition")["code"] == "no_lease"
    bench.ready()
    assert bench.ctl(BEDSIDE, "reposition")["code"] == "not_allowed"
    bench.stop_pressed(CONSOLE)
    bench.run(0.5)
    assert bench.ctl(CONSOLE, "reposition")["code"] == "state"
    assert not bench.core.reposition


def test_the_self_test_measures_stop_time_and_watchdog(bench: Bench) -> None:
    bench.run(0.3)
    test = bench.core.begin_self_test()
    assert test is not None
    bench.run(3.0)
    rows = {check.code: check for check in test.checks}
    assert set(rows) == {"force_zero", "stop_time", "watchdog"}
    assert all(check.ok for check in rows.values()), rows
    assert not bench.world.tripped


def test_the_self_test_fails_in_contact(bench: Bench) -> None:
    bench.world.position[2] = -5.0
    bench.run(0.01)
    test = bench.core.begin_self_test()
    assert test is not None
    bench.run(0.1)
    assert [check.ok for check in test.checks] == [False]


def test_a_driver_fault_latches_and_lift_goes_to_the_controller(bench: Bench) -> None:
    bench.ready()
    bench.core.fault("ArmTimeout: gone")
    assert bench.state() is S.FAULT and bench.core.latched
    assert bench.ctl(BEDSIDE, "lift")["ok"]
    out = bench.core.tick(now_ms=bench.now_ms, dt_s=0.002, arm=None)
    assert ("lift", None) in out.calls

"""A picture that stands still is never taken for a live one: the pictures say what they are, whoever drives."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.edge.safety.freeze import Freeze
from devices.edge.safety.report import telemetry
from devices.wire.messages import Refusal, SafetyState, TelemetryFlag
from tests.edge.bench import CONSOLE, Bench

S = SafetyState


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def told_frozen(bench: Bench) -> bool:
    message = telemetry(bench.core, tel_seq=1, now_ms=bench.now_ms, event_serial=0, uploads_pending=0)
    return bool(message.flags & TelemetryFlag.FROZEN)


def frozen(bench: Bench) -> None:
    assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    bench.pictures_frozen = True
    bench.run(0.1)


def presses(bench: Bench) -> Refusal:
    """Let go, hold again, push sideways for a while."""
    bench.release()
    bench.run(0.1)
    bench.press(vx=10.0)
    bench.run(0.3)
    return bench.refusal()


def test_the_next_operator_does_not_press_on_behind_a_frozen_picture(bench: Bench) -> None:
    bench.ready()
    frozen(bench)
    bench.core.on_revoke(epoch=1, code="session_gone")
    bench.lease(epoch=2)
    bench.run(0.2)
    x = bench.world.position[0]
    assert told_frozen(bench)
    assert presses(bench) is Refusal.FROZEN
    assert bench.world.position[0] == pytest.approx(x)


def test_motion_comes_back_with_the_first_live_picture_not_with_the_wish(bench: Bench) -> None:
    bench.ready()
    frozen(bench)
    assert bench.ctl(CONSOLE, "freeze", on=False)["ok"]
    bench.run(0.1)
    assert told_frozen(bench) and presses(bench) is Refusal.FROZEN
    bench.pictures_frozen = False
    bench.run(0.1)
    assert not told_frozen(bench) and presses(bench) is Refusal.NONE


def test_a_wish_stops_the_arm_before_any_picture_shows_it(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=10.0)
    bench.run(0.3)
    assert bench.state() is S.MOVING
    assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    bench.run(0.1)
    assert told_frozen(bench) and bench.state() is S.PARK


def test_a_picture_that_stands_still_unasked_parks_the_arm(bench: Bench) -> None:
    bench.ready()
    bench.press(vx=10.0)
    bench.run(0.3)
    bench.pictures_frozen = True
    bench.run(0.1)
    assert bench.state() is S.PARK and told_frozen(bench)
    bench.pictures_frozen = False
    bench.run(0.1)
    assert bench.refusal() is Refusal.NEEDS_RELEASE


def test_a_wish_that_imaging_refused_or_whose_operator_left_is_void(bench: Bench) -> None:
    bench.ready()
    assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    bench.core.freeze.forget()
    bench.run(0.1)
    assert not told_frozen(bench)
    assert bench.ctl(CONSOLE, "freeze", on=True)["ok"]
    bench.lease(epoch=2)
    bench.run(0.1)
    assert not told_frozen(bench)


def test_asking_twice_is_no_news() -> None:
    freeze = Freeze()
    assert freeze.ask(True) and not freeze.ask(True)
    assert not freeze.picture(True) and not freeze.ask(True)
    assert freeze.ask(False) and freeze.on
    freeze.picture(False)
    assert (freeze.on, freeze.ask(False)) == (False, False)

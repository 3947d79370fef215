"""The hand's motion: no step in acceleration however the commands arrive, and stopping never smoothed."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import pytest

from devices.drivers.base import Twist
from devices.edge.safety.motion import Slew
from devices.wire.limits import (
    ACCELERATION_MM_S2,
    DECELERATION_MM_S2,
    JERK_DEG_S3,
    JERK_MM_S3,
    RAMP_TO_ZERO_MS,
)
from devices.wire.messages import SafetyState
from tests.edge.bench import CONSOLE, DT_S, Bench

STEP = JERK_MM_S3 * DT_S * 1.001 + 1e-6  # the most an acceleration may change in one cycle (mm/s2)
TURN_STEP = JERK_DEG_S3 * DT_S * 1.001 + 1e-6
AXES = ("vx", "vy", "vz", "wx", "wy", "wz")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def accelerations(outputs: list[Twist], axis: str) -> list[float]:
    speeds = [float(getattr(twist, axis)) for twist in outputs]
    return [(b - a) / DT_S for a, b in itertools.pairwise(speeds)]


def steps(outputs: list[Twist], axis: str) -> list[float]:
    """Changes of acceleration from one cycle to the next, without those of coming to rest."""
    found = accelerations(outputs, axis)
    rest = [getattr(twist, axis) == 0.0 for twist in outputs]
    pairs = zip(itertools.pairwise(found), rest[1:], strict=False)
    return [abs(b - a) for (a, b), _ in pairs]


def driven(targets: list[Twist], *, each: int) -> list[Twist]:
    """What the tool is told when each target stays for ``each`` cycles."""
    slew = Slew()
    return [slew.step(target, DT_S)[0] for target in targets for _ in range(each)]


@pytest.mark.parametrize("axis", AXES)
def test_key_down_faster_slower_and_reversed_come_without_a_step(axis: str) -> None:
    wishes = [Twist(**{axis: value}) for value in (12.0, 20.0, 3.0, -12.0, 12.0)]
    most = max(steps(driven(wishes, each=150), axis))
    assert most <= (STEP if axis.startswith("v") else TURN_STEP)


@pytest.mark.parametrize("axis", ["vx", "wy"])
def test_the_wanted_speed_is_reached_exactly_and_without_overshoot(axis: str) -> None:
    speeds = [getattr(twist, axis) for twist in driven([Twist(**{axis: 12.0})], each=200)]
    assert speeds[-1] == 12.0
    assert max(speeds) <= 12.05
    assert next(i for i, speed in enumerate(speeds) if speed > 11.9) * DT_S < 0.12


def test_acceleration_stays_within_its_limit() -> None:
    found = accelerations(driven([Twist(vx=100.0), Twist(vx=-100.0)], each=400), "vx")
    assert max(map(abs, found)) <= ACCELERATION_MM_S2 + 1e-6


def test_coming_to_rest_takes_the_deceleration_ramp_at_once() -> None:
    outputs = driven([Twist(vx=100.0), Twist()], each=300)
    stopping = outputs[300:]
    assert accelerations(outputs[299:302], "vx")[0] == pytest.approx(-DECELERATION_MM_S2, rel=0.01)
    rest = next(i for i, twist in enumerate(stopping) if twist.vx == 0.0)
    assert rest * DT_S == pytest.approx(100.0 / DECELERATION_MM_S2, abs=2 * DT_S)


def test_what_a_limit_takes_away_is_taken_at_once() -> None:
    slew = Slew()
    for _ in range(300):
        slew.step(Twist(vx=100.0), DT_S)
    slower, _ = slew.step(Twist(vx=20.0), DT_S, smooth=False)
    assert slower.vx == pytest.approx(100.0 - DECELERATION_MM_S2 * DT_S)


def moved(bench: Bench, seconds: float) -> list[Twist]:
    before = len(bench.outputs)
    bench.run(seconds)
    return [output.twist for output in bench.outputs[before:]]


@pytest.mark.parametrize(("loss", "jitter_cycles"), [(0.0, 0), (0.05, 0), (0.05, 20)])
def test_a_sine_by_jittered_and_lost_commands_stays_smooth(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, loss: float, jitter_cycles: int
) -> None:
    """12 mm/s at 1 Hz in steps of 20 ms, 5 % of the commands lost, up to 40 ms late."""
    chance = random.Random(5)
    bench.ready()
    real = bench.core.on_command
    waiting: list[tuple[int, int, bytes]] = []

    def on_the_way(slot: int, data: bytes, *, now_ms: float) -> object:
        if chance.random() >= loss:
            waiting.append((bench._cycle + chance.randrange(jitter_cycles + 1), slot, data))
        for entry in [found for found in waiting if found[0] <= bench._cycle]:
            waiting.remove(entry)
            real(entry[1], entry[2], now_ms=now_ms)
        return bench.refusals[-1] if bench.refusals else None

    bench.press(vx=0.0)
    bench.run(0.2)
    monkeypatch.setattr(bench.core, "on_command", on_the_way)
    told: list[Twist] = []
    for number in range(150):
        bench.press(vx=12.0 * math.sin(2 * math.pi * number * 0.02))
        told += moved(bench, 0.02)
    moving = told[100:]
    assert max(steps(moving, "vx")) <= STEP
    assert max(twist.vx for twist in moving) > 10.0


def test_a_sine_is_followed_with_little_ripple(bench: Bench) -> None:
    bench.ready()
    bench.press()
    bench.run(0.2)
    told: list[Twist] = []
    for number in range(100):
        bench.press(vx=12.0 * math.sin(2 * math.pi * number * 0.02))
        told += moved(bench, 0.02)

    def ripple(lag_s: float) -> float:
        wanted = [12.0 * math.sin(2 * math.pi * (cycle * DT_S - lag_s)) for cycle in range(len(told))]
        return max(abs(twist.vx - want) for twist, want in zip(told[100:], wanted[100:], strict=True))

    best_mm_s, lag_s = min((ripple(lag_ms / 1000), lag_ms / 1000) for lag_ms in range(0, 80, 2))
    assert best_mm_s < 1.0
    assert lag_s < 0.05


@pytest.mark.parametrize("way", ["release", "stop", "silence"])
def test_every_way_of_stopping_is_as_short_as_the_ramp(bench: Bench, way: str) -> None:
    bench.ready()
    bench.press(vx=30.0)
    bench.run(1.0)
    assert bench.state() is SafetyState.MOVING
    if way == "release":
        bench.release()
    elif way == "stop":
        bench.stop_pressed(CONSOLE)
    else:
        bench.commanding = False
    told = moved(bench, 0.6)
    speeds = [abs(twist.vx) for twist in told]
    begun = next(i for i, speed in enumerate(speeds) if speed < 29.9)
    rest = next(i for i, speed in enumerate(speeds) if speed == 0.0)
    assert (
        (rest - begun) * DT_S * 1000.0
        <= 30.0 / DECELERATION_MM_S2 * 1000.0 + 3 * DT_S * 1000.0
        < RAMP_TO_ZERO_MS
    )

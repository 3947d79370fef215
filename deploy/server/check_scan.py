"""The scripted exam while live: contact, scan, freeze, wires, captures, stop, lift, end."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from devices.wire.limits import FORCE_PEAK_N
from devices.wire.messages import SafetyState, StopCause, TelemetryFlag

from .check_state import Script
from .check_tools import expect, read_png, soon, wires_in

FORCE_N = 6.0
SWEEP_MM, SWEEP_MM_S, SWEEP_LIMIT_S = 12.0, 10.0, 20.0
STEADY_GREY, STEADY_LIMIT_S = 2.0, 10.0  # another place in the tissue differs by about 10 of 255
LOOP_FRAMES_MIN = 10  # of 3 s; a busy machine draws fewer than 30 a second
WIRES_MM, WIRES_TOLERANCE_MM = 50.0, 1.0  # the phantom's test object


async def scan(script: Script) -> None:
    if script.console_end is not None and script.bedside_end is not None:
        for part in (press_into_contact, _freeze, _move, _captures, _stop):
            await part(script)
    await _end(script)


def _state(script: Script) -> SafetyState | None:
    return script.at_bed.telemetry.safety_state if script.at_bed.telemetry else None


def _force(script: Script) -> float:
    return script.console.telemetry.force_n if script.console.telemetry else 0.0


async def press_into_contact(script: Script) -> None:
    """Place, release the first contact, press; the force settles at the set-point."""
    step, console, bed = script.checks.step, script.console, script.at_bed
    with step("without the bedside's release the arm does not touch"):
        expect(not script.console.has(TelemetryFlag.CONTACT), script.console.telemetry)
    with step("the bedside places the arm above the site and lets it go"):
        expect((ack := await bed.ctl("place", site="right_upper_quadrant"))["ok"], ack)
        await asyncio.sleep(0.3)
        await bed.wait(lambda: _state(script) is not SafetyState.PLACE, timeout_s=60, what="placed")
        expect((ack := await bed.ctl("go"))["ok"], ack)
    with step("held deadman with force control brings the probe to contact"):
        console.force_setpoint_n = FORCE_N
        await _hold(script, lambda: _force(script) > FORCE_N - 2, timeout_s=60, what="contact")
    with step("contact force stays at the setpoint, below every limit"):
        forces = await _steady_force(script)
        script.checks.say(f"  force {np.mean(forces):.1f} N, highest {max(forces):.1f} N")
        expect(abs(float(np.mean(forces)) - FORCE_N) < 1.0, forces)


async def _steady_force(script: Script) -> list[float]:
    """Two seconds of force without a hold between them (a busy machine's late picture makes the robot hold)."""
    for _ in range(5):
        await _hold(script, lambda: _force(script) > FORCE_N - 2, timeout_s=30, what="contact")
        await asyncio.sleep(1.5)
        forces = []
        for _ in range(20):
            await asyncio.sleep(0.1)
            forces.append(_force(script))
            expect(forces[-1] < FORCE_PEAK_N, forces)
            if script.console.has(TelemetryFlag.NEEDS_RELEASE):
                break
        else:
            return forces
    raise AssertionError("the robot held in every one of five tries")


async def _freeze(script: Script) -> None:
    step, console = script.checks.step, script.console
    with step("freeze shows the lossless frame with its calibration"):
        console.latest.pop("frozen", None)
        expect((ack := await console.ctl("freeze", on=True))["ok"], ack)
        script.frozen = await console.wait_message("frozen", timeout_s=20)
        picture = read_png(await script.remote.data(script.frozen["url"]))
        expect(picture.shape == (script.frozen["height"], script.frozen["width"]), picture.shape)
    with step("two wires 50 mm apart measure 50 mm within 1 mm on the frozen frame"):
        frame: dict[str, Any] = script.frozen
        mm_x, mm_y = frame["mm_per_px_x"], frame["mm_per_px_y"]
        points = wires_in(picture, frame["region"], mm_x, mm_y)
        body = {"frame_id": frame["frame_id"], "kind": "distance", "points": points, "label": "wires"}
        value = (await script.remote.post(f"{script.path}/measurements", body, status=201))["value_mm"]
        script.checks.say(f"  wires at {points}: {value:.2f} mm")
        expect(abs(value - WIRES_MM) <= WIRES_TOLERANCE_MM, f"{value:.2f} mm")
    with step("a still of the frozen frame is taken and arrives"):
        expect(
            (ack := await console.ctl("capture", kind="still", view="gallbladder_long", annotation=""))["ok"],
            ack,
        )
        await soon(lambda: _stored(script, "still"), timeout_s=60, what="still")
    with step("unfreeze"):
        expect((ack := await console.ctl("freeze", on=False))["ok"], ack)


async def _stored(script: Script, kind: str) -> Any:
    rows = (await script.remote.get(f"{script.path}/images"))["results"]
    return next((row for row in rows if row["kind"] == kind), None)


async def _picture(script: Script) -> Any:
    count = script.console.frames_n
    await script.console.wait(lambda: script.console.frames_n > count + 3, timeout_s=10, what="pictures")
    return script.console.frame.to_ndarray(format="gray").astype(np.float32)


async def _press_again(script: Script) -> None:
    """Release, then press: what the console asks of the hand after a hold or a freeze."""
    console = script.console
    console.deadman, console.twist = False, (0.0,) * 6
    await asyncio.sleep(0.3)
    console.deadman = True


async def _hold(script: Script, wanted: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Hold the deadman until something is so; press again when the robot asks (a late picture makes it hold)."""
    console = script.console
    deadline = time.monotonic() + timeout_s
    console.deadman = True
    while not wanted():
        if console.has(TelemetryFlag.NEEDS_RELEASE):
            await _press_again(script)
        expect(time.monotonic() < deadline, f"not within {timeout_s} s: {what}; {console.telemetry}")
        await asyncio.sleep(0.1)


async def _move(script: Script) -> None:
    with script.checks.step("the picture changes when the probe moves, and is still when it rests"):
        console = script.console
        await console.wait(lambda: not console.has(TelemetryFlag.FROZEN), timeout_s=10, what="not frozen")
        await _hold(script, lambda: _in_hand(script), timeout_s=30, what="contact again")
        await console.ctl("prompt", key="hold")  # breath moves the picture too
        first, rest = await _steady(script)
        swept_mm = await _sweep(script)
        moved = float(np.abs(first - await _picture(script)).mean())
        script.checks.say(f"  mean grey difference at rest {rest:.2f}, after {swept_mm:.0f} mm {moved:.2f}")
        expect(moved > 2 * rest + 1, (rest, moved))


async def _steady(script: Script) -> tuple[Any, float]:
    """The picture once tissue and breath are still, and the mean grey difference to the one before."""
    deadline = time.monotonic() + STEADY_LIMIT_S
    while True:
        before, now = await _picture(script), await _picture(script)
        rest = float(np.abs(now - before).mean())
        if rest < STEADY_GREY or time.monotonic() > deadline:
            return now, rest
        await asyncio.sleep(0.3)


def _in_hand(script: Script) -> bool:
    """In contact, and the robot follows the deadman: after a freeze it keeps the force but waits for a new press."""
    return _force(script) > FORCE_N - 2 and not script.console.has(TelemetryFlag.NEEDS_RELEASE)


async def _sweep(script: Script) -> float:
    """Across the abdomen until the tip has moved SWEEP_MM; how far it did. A hold on the way is pressed away."""
    console, start = script.console, _tip_mm(script)
    deadline = time.monotonic() + SWEEP_LIMIT_S
    while math.dist(start, _tip_mm(script)) < SWEEP_MM and time.monotonic() < deadline:
        if console.has(TelemetryFlag.NEEDS_RELEASE):
            await _press_again(script)
        console.twist = (0.0, SWEEP_MM_S, 0.0, 0.0, 0.0, 0.0)
        await asyncio.sleep(0.1)
    console.twist = (0.0,) * 6
    swept_mm = math.dist(start, _tip_mm(script))
    expect(swept_mm >= SWEEP_MM, f"the tip moved {swept_mm:.1f} mm in {SWEEP_LIMIT_S} s; {console.telemetry}")
    return swept_mm


def _tip_mm(script: Script) -> tuple[float, float, float]:
    telemetry = script.console.telemetry
    expect(telemetry is not None, "no telemetry")
    assert telemetry is not None
    return telemetry.position_mm


async def _captures(script: Script) -> None:
    with script.checks.step("a loop is taken and arrives"):
        ack = await script.console.ctl(
            "capture", kind="loop", view="liver_right", annotation="", timeout_s=30
        )
        expect(ack["ok"], ack)
        loop = await soon(lambda: _stored(script, "loop"), timeout_s=90, what="loop")
        expect(loop["frames"] >= LOOP_FRAMES_MIN, loop)


async def _stop(script: Script) -> None:
    step, console, bed, cause = script.checks.step, script.console, script.at_bed, StopCause.NONE
    with step("the bedside's stop is latched"):
        took_ms = await bed.stop()
        script.checks.say(f"  latched within {took_ms:.0f} ms of the press, as the bedside sees it")
        cause = bed.telemetry.stop_cause if bed.telemetry else cause
    with step("the console cannot clear it"):
        ack = await console.ctl("clear_stop", cause=int(cause), patient_well=True)
        expect(not ack["ok"] and ack["code"] == "not_allowed", ack)
        expect(bed.has(TelemetryFlag.LATCHED), bed.telemetry)
    with step("the bedside lifts the probe"):
        console.deadman, console.force_setpoint_n = False, None
        expect((ack := await bed.ctl("lift"))["ok"], ack)
        await bed.wait(lambda: bed.telemetry and bed.telemetry.force_n < 0.5, timeout_s=15, what="lifted")
        await bed.wait(lambda: _state(script) is not SafetyState.LIFT, timeout_s=15, what="lift ended")
    with step("the bedside clears the stop"):
        await asyncio.sleep(1.0)  # a hand needs longer from one button to the other
        expect((ack := await bed.ctl("clear_stop", cause=int(cause), patient_well=True))["ok"], ack)
        await bed.wait(lambda: not bed.has(TelemetryFlag.LATCHED), timeout_s=5, what="cleared")


async def _end(script: Script) -> None:
    with script.checks.step("the remote physician ends the exam"):
        if (await script.remote.get(script.path))["state"] == "paused":
            await script.remote.post(f"{script.path}/lease")
            await script.remote.post(f"{script.path}/resume")
        exam = await script.remote.post(f"{script.path}/end")
        expect(exam["state"] == "ended" and exam["lease"] is None, exam["state"])
    await script.hang_up()

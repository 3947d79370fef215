"""From the event to rest: how fast the robot stops, by the physics' own truth, whatever ends the commands.

*Rest* is the tool under 1 mm/s for 100 ms, in free air in every direction. In contact the stop's own relief (out of
the tissue along the beam, to 2 N; after a release the force loop, which follows the breath) is no part of it: there
the motion across the beam counts, after everything but a release also pressing inwards. A relief of 120 mm/s shakes
the arm by about 1 % across; up to 2 % of its speed are taken as its own, and the largest is told (`shake_max_mm_s`).

The event is the last command sent (silence), the signal (SIGSTOP, kill), the operator's call (release, e-stop,
bedside). *Relax* is the time until the force stays at or below 2 N: from the event for e-stop and bedside, from HOLD,
300 ms of silence, for the others; a release keeps contact and has none.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from devices.wire.limits import FORCE_STOPPED_N, SILENCE_HOLD_MS
from tests.bench import stop_collisions
from tests.bench.figures import Aim, judge, spread
from tests.bench.stop_rig import FREE_MM_S, SLIDE_MM_S, Rig
from tests.bench.truth import Motion, relaxed_s, rest_s

SUMMARY = "event to rest: silence, SIGSTOP and kill of the link, release, e-stop, bedside; forces"
DEFAULT_RUNS = 20
LIMITS_MS = {"silence": 260, "sigstop": 260, "kill": 260, "release": 150, "estop": 60, "bedside": 60}
AIMS = (
    *(Aim(f"{event}_max_ms", limit) for event, limit in LIMITS_MS.items()),
    Aim("force_max_n", 15.0),
    Aim("force_collision_max_n", 25.0),
    Aim("relax_max_ms", 500.0),
)
# Rounds whose kills are done one after the other, so that the link had run STEADY_S of the parent before them: a child
# that dies sooner is made to wait, up to 5 s each time. In contact a round takes longer.
TOGETHER = {False: 6, True: 2}
SEEN_S = 2.0  # no rest within this is a broken run
RELIEF_SHAKE = 0.02  # of the relief's speed; 0.012 is usual
RELAXED_S = 0.05  # how long the force has to stay down to believe it


@dataclass(slots=True)
class Found:
    """Figures of all runs, ms."""

    rest: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    shake_mm_s: list[float] = field(default_factory=list)
    relax: list[float] = field(default_factory=list)
    redial_s: list[float] = field(default_factory=list)
    speeds: dict[bool, list[float]] = field(default_factory=lambda: defaultdict(list))
    force_max_n: float = 0.0


def run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]:
    """Each event ``runs`` times, half in contact; then collisions."""
    return asyncio.run(_measure(runs, say))


async def _measure(runs: int, say: Callable[[str], None]) -> dict[str, object]:
    found, started_s = Found(), time.monotonic()
    async with Rig() as rig:
        rig.truth.take_peak()
        for contact in (False, True):
            await _half(rig, found, contact=contact, runs=runs - runs // 2 if contact else runs // 2, say=say)
        found.force_max_n = rig.truth.take_peak()
        collisions_n = await stop_collisions.provoke(rig, runs=max(4, runs // 5), say=say)
    figures = _figures(found, collisions_n) | {"runs": runs, "seconds": round(time.monotonic() - started_s)}
    judge(AIMS, figures, say)
    return figures


async def _half(rig: Rig, found: Found, *, contact: bool, runs: int, say: Callable[[str], None]) -> None:
    where = f"in contact at 12 N, {SLIDE_MM_S:g} mm/s" if contact else f"in free air, {FREE_MM_S:g} mm/s"
    done = 0
    while done < runs:
        rounds = min(TOGETHER[contact], runs - done)
        for event in [e for e in EVENTS if e != "kill"] * rounds + ["kill"] * rounds:
            await _once(rig, found, event, contact=contact)
        done += rounds
        worst = ", ".join(f"{event} {max(values):.0f}" for event, values in found.rest.items())
        say(f"{done} of {runs} {where}: worst so far {worst} ms; load {os.getloadavg()[0]:.1f}")


async def _once(rig: Rig, found: Found, event: str, *, contact: bool) -> None:
    found.speeds[contact].append(await rig.moving(contact=contact))
    event_s = await EVENTS[event](rig)
    inwards = contact and event != "release"
    await _until_seen(rig, event_s, contact=contact, inwards=inwards)
    samples, speeds = rig.truth.since(event_s - 0.05), rig.speeds(event_s - 0.05)
    rest = _rest_s(speeds, event_s, contact=contact, inwards=inwards)
    if rest is None:
        raise RuntimeError(f"{event}: no rest within {SEEN_S} s")
    found.rest[event].append(rest * 1000)
    if inwards:
        found.shake_mm_s.append(max(m.across for m in speeds if m.at_s > event_s + rest))
        relax = relaxed_s(samples, since_s=_stop_s(event, event_s), limit_n=FORCE_STOPPED_N)
        found.relax.append(SEEN_S * 1000 if relax is None else relax * 1000)
    if event == "sigstop":
        rig.signal(signal.SIGCONT)
    elif event == "kill":
        found.redial_s.append(await rig.redial())


def _rest_s(speeds: list[Motion], event_s: float, *, contact: bool, inwards: bool) -> float | None:
    """One rule for waiting and for measuring, or a run could end before its rest is proven."""
    return rest_s([(m.at_s, _counted(m, contact, inwards)) for m in speeds], event_s=event_s)


def _counted(motion: Motion, contact: bool, inwards: bool) -> float:
    """Speed that a stop must end, mm/s."""
    if not contact:
        return motion.whole
    across = motion.across - RELIEF_SHAKE * max(0.0, -motion.along)
    return max(across, motion.along) if inwards else across


def _stop_s(event: str, event_s: float) -> float:
    return event_s if event in ("estop", "bedside") else event_s + SILENCE_HOLD_MS / 1000


async def _until_seen(rig: Rig, event_s: float, *, contact: bool, inwards: bool) -> None:
    """Until the motion has ended and, where the stop owes it, the force is down; at most SEEN_S."""
    while time.monotonic() < event_s + SEEN_S:
        await asyncio.sleep(0.02)
        if _rest_s(rig.speeds(event_s - 0.05), event_s, contact=contact, inwards=inwards) is None:
            continue
        if not inwards:
            return
        last = rig.truth.since(time.monotonic() - RELAXED_S)
        if last and max(sample.force_n for sample in last) <= FORCE_STOPPED_N:
            return


async def _silence(rig: Rig) -> float:
    sent_n = rig.console.commands_n
    await rig.until(lambda: rig.console.commands_n != sent_n, "the last command")
    rig.console.sending = False
    return time.monotonic()


async def _sigstop(rig: Rig) -> float:
    return rig.signal(signal.SIGSTOP)


async def _kill(rig: Rig) -> float:
    return rig.signal(signal.SIGKILL)


async def _release(rig: Rig) -> float:
    rig.console.deadman = False
    return time.monotonic()


async def _estop(rig: Rig) -> float:
    event_s = time.monotonic()
    await rig.console.stop()
    return event_s


async def _bedside(rig: Rig) -> float:
    event_s = time.monotonic()
    await rig.bed.stop()
    return event_s


EVENTS: dict[str, Callable[[Rig], Awaitable[float]]] = {
    "silence": _silence,
    "sigstop": _sigstop,
    "release": _release,
    "estop": _estop,
    "bedside": _bedside,
    "kill": _kill,
}


def _figures(found: Found, collisions: dict[str, float]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for event in LIMITS_MS:
        for name, value in spread(found.rest[event]).items():
            figures[f"{event}_{name}_ms"] = value
    relax, redial = spread(found.relax), spread(found.redial_s)
    return figures | {
        "force_max_n": round(found.force_max_n, 2),
        **collisions,
        "relax_p50_ms": relax["p50"],
        "relax_max_ms": relax["max"],
        "shake_max_mm_s": spread(found.shake_mm_s)["max"],
        "redial_p50_s": redial["p50"],
        "redial_max_s": redial["max"],
        "speed_free_mm_s": spread(found.speeds[False])["p50"],
        "speed_contact_mm_s": spread(found.speeds[True])["p50"],
        "load_average": round(os.getloadavg()[0], 1),
    }

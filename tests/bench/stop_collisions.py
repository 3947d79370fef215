"""Collisions that the robot did not ask for: a rib under thin skin, and a cough against the sliding probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.bench.stop_rig import FORCE_N, Rig

RIB = 5.0  # times as stiff as the soft belly: 3.1 N/mm
COUGHING = 2.0  # tensed muscles: 1.2 N/mm
COUGH_MM = 15.0  # at 150 mm/s, as fast as sliding at 50 mm/s onto a flank of 70 degrees
CALM_S = 0.4  # force has passed its peak and relieves


async def provoke(rig: Rig, *, runs: int, say: Callable[[str], None]) -> dict[str, float]:
    """``runs`` collisions, half of each kind; the highest true force of each, N."""
    ribs, coughs = [], []
    for _ in range(runs - runs // 2):
        ribs.append(await _onto_a_rib(rig))
    for _ in range(runs // 2):
        coughs.append(await _cough(rig))
    say(f"collisions: rib up to {max(ribs):.1f} N, cough up to {max(coughs):.1f} N")
    return {
        "force_collision_max_n": round(max(ribs + coughs), 2),
        "force_rib_max_n": round(max(ribs), 2),
        "force_cough_max_n": round(max(coughs), 2),
        "collisions": len(ribs) + len(coughs),
    }


async def _onto_a_rib(rig: Rig) -> float:
    """Pressing at full set-point from 20 mm above onto what does not give way."""
    await rig.ready()
    await rig.place()
    await rig.ready()
    rig.edge.fault("stiff", RIB)
    rig.truth.take_peak()
    try:
        await rig.press(FORCE_N)
        await rig.until(lambda: rig.truth.peak_n > 1.0, "touched")
        await asyncio.sleep(CALM_S)
        peak_n = rig.truth.take_peak()
    finally:
        await rig.ready()
        await rig.place()
        rig.edge.fault("stiff", 1.0)
    return peak_n


async def _cough(rig: Rig) -> float:
    """The belly comes up while the probe slides at 12 N."""
    await rig.ready()
    await rig.place()
    rig.edge.fault("stiff", COUGHING)
    try:
        await rig.moving(contact=True)
        rig.truth.take_peak()
        rig.edge.fault("collision", COUGH_MM)
        await asyncio.sleep(CALM_S)
        return rig.truth.take_peak()
    finally:
        await rig.ready()
        await rig.place()
        rig.edge.fault("stiff", 1.0)

"""The phantom's renderer alone: frames a second flat out, and its share of a core at 30 frames a second.

A sonographer's worst case: breathing, sliding and tilting, so that the slice through the scatterers is made
anew for every picture. Each size in a process of its own, started as the robot's imaging process is; CPU time
counts all its threads.
"""

from __future__ import annotations

import json
import math
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.drivers.images.source import FRAMES_PER_S, SIZES, PhantomSource
from devices.drivers.sim.patient import Patient
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import HOVER_MM, quaternion_of, rotation_of, site_frame
from tests.bench.figures import Aim, judge, median, spread

SUMMARY = "phantom frames a second and share of a core, 640x480 and 800x600"
DEFAULT_RUNS = 3
FLAT_OUT_N, PACED_S = 150, 5.0
ROOT = Path(__file__).parents[2]
AIMS = (
    Aim("fps", 30.0, at_least=True),
    Aim("cpu_pct", 100.0),
    Aim("fps_800x600", 30.0, at_least=True),
    Aim("cpu_pct_800x600", 100.0),
)


def run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]:
    """Medians over ``runs``; ``p99_ms`` is of all pictures of all runs."""
    figures: dict[str, object] = {}
    for width, height in SIZES:
        tail = "" if (width, height) == SIZES[0] else f"_{width}x{height}"
        found = []
        for number in range(runs):
            found.append(_child(width, height))
            row = found[-1]
            say(
                f"{width}x{height} run {number + 1}: {row['fps']:.1f} frames/s flat out, {row['cpu_pct']:.1f} % at 30/s"
            )
        times = spread(value for row in found for value in row["ms"])
        figures |= {f"{name}_ms{tail}": value for name, value in times.items()}
        figures[f"fps{tail}"] = round(median([row["fps"] for row in found]), 1)
        figures[f"cpu_pct{tail}"] = round(median([row["cpu_pct"] for row in found]), 1)
    judge(AIMS, figures, say)
    return figures


def _child(width: int, height: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.render", str(width), str(height)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        printed, _ = process.communicate(timeout=300)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode:
        raise RuntimeError(f"the renderer ended with {process.returncode}")
    found: dict[str, Any] = json.loads(printed)
    return found


def _pose(patient: Patient, at_s: float) -> ProbePose:
    """A slide of 20 mm/s and a fan of 5 deg/s over the liver, 5 N."""
    patient.cycle(1.0 / FRAMES_PER_S)
    frame = site_frame("right_upper_quadrant", hover_mm=-8.0)
    if frame is None:
        raise LookupError("right_upper_quadrant")
    lean = math.radians(5.0 * 3.0 * math.sin(at_s / 3.0))
    tilt = rotation_of((math.cos(lean / 2), math.sin(lean / 2), 0.0, 0.0))
    tip = frame[0] + 20.0 * math.sin(at_s) * frame[1][:, 0]
    turned = quaternion_of(frame[1] @ tilt)
    where = (float(tip[0]), float(tip[1]), float(tip[2]))
    return ProbePose(0, where, turned, 5.0, True, HOVER_MM - 12.0, patient.heave_mm, patient.organs_mm)


def _measure(width: int, height: int) -> dict[str, object]:
    source = PhantomSource(runtime_dir=Path("/nonexistent"), options={"width": width, "height": height})
    source.open()
    patient, ms, at_s = Patient(), [], 0.0
    source.render(_pose(patient, at_s), at_s)
    began_s = time.perf_counter()
    for number in range(FLAT_OUT_N):
        start_s = time.perf_counter()
        source.render(_pose(patient, number / FRAMES_PER_S), 0.0)
        ms.append((time.perf_counter() - start_s) * 1000.0)
    fps = FLAT_OUT_N / (time.perf_counter() - began_s)
    began_s, used_s = time.perf_counter(), time.process_time()
    for number in range(int(PACED_S * FRAMES_PER_S)):
        source.render(_pose(patient, number / FRAMES_PER_S), 0.0)
        select.select([], [], [], max(0.0, began_s + (number + 1) / FRAMES_PER_S - time.perf_counter()))
    share = (time.process_time() - used_s) / (time.perf_counter() - began_s)
    return {"fps": fps, "cpu_pct": 100.0 * share, "ms": ms}


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]), int(sys.argv[2]))))

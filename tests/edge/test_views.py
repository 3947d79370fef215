"""A scripted operator reaches each standard view with the ordinary controls, on the real safety core.

Velocities, a force set-point and prompts go in as commands; the simulator's physics and patient answer; what the
picture's plane then cuts is asked of the anatomy itself, and the pixels must agree with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from devices.drivers.images.source import PhantomSource
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.views import VIEWS, View
from devices.drivers.sim.world import quaternion_of
from devices.wire.limits import FORCE_SETPOINT_MAX_N
from teleconsult.demo_texts import VIEWS as EXAM_VIEWS
from tests.edge.sim_bench import ScriptedOperator, SimBench, steered

Mask = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def source() -> Iterator[PhantomSource]:
    found = PhantomSource(runtime_dir=Path("/nonexistent"), options={})
    found.open()
    yield found
    found.close()


def reached(folder: Path, view: View) -> SimBench:
    """A bench whose probe an operator has brought to the view."""
    bench = SimBench(folder, site=view.start)
    operator = ScriptedOperator(bench)
    foot, rotation = view.frame()
    bench.ready()
    operator.travel(foot, rotation)
    operator.touch(view.force_n)
    for key in view.prompts:
        bench.prompt(key)
        bench.run(2.7)
    operator.correct(foot, rotation, view.force_n)
    return bench


def missing(view: View, found: dict[str, float]) -> dict[str, float]:
    """Structures whose area is not what the view must show."""
    return {
        name: round(found.get(name, 0.0))
        for name, (low, high) in view.shows.items()
        if not low <= found.get(name, 0.0) <= high
    }


def test_every_view_of_the_exam_type_has_a_pose() -> None:
    assert {view["code"] for view in EXAM_VIEWS} == set(VIEWS)


@pytest.mark.parametrize("code", sorted(VIEWS))
def test_the_scripted_operator_reaches_the_view(source: PhantomSource, tmp_path: Path, code: str) -> None:
    view = VIEWS[code]
    bench = reached(tmp_path, view)
    assert steered(bench), (bench.state(), bench.cause())
    assert bench.sim.patient.still, "the patient holds its breath"
    assert bench.sim.force_n == pytest.approx(view.force_n, abs=1.5)
    assert bench.sim.peak_n < FORCE_SETPOINT_MAX_N
    source.set(preset=view.preset)
    pose = bench.sim.pose()
    found = source.renderer.structures(pose)
    assert not missing(view, found), found
    assert not bright_fluids(source, pose)


FLUIDS = ("gallbladder", "aorta", "vena_cava", "splenic_vein", "portal_vein", "hepatic_vein")


def bright_fluids(source: PhantomSource, pose: ProbePose) -> dict[str, float]:
    """Fluids of 100 mm2 and more that are not at least 8 dB darker inside than solid tissue at their depth."""
    decibel = 20 * np.log10(source.renderer.envelope(pose, source.look))
    outlines = source.renderer.outlines(pose)
    solid = sum((outlines[name] for name in ("liver", "pancreas", "muscle") if name in outlines), start=False)
    wrong = {}
    for name in FLUIDS:
        inside = core_of(outlines.get(name))
        if inside is None:
            continue
        rows = inside.any(axis=0)
        beside = np.asarray(solid)[:, rows]
        gap = float(np.median(decibel[:, rows][beside]) - np.median(decibel[inside]))
        if gap < 8.0:
            wrong[name] = round(gap, 1)
    return wrong


def core_of(mask: Mask | None) -> Mask | None:
    """The mask less its wall and the blur of its edge (3 lines, 8 samples), None when little is left."""
    if mask is None:
        return None
    core = mask.copy()
    for shift in (-3, 3):
        core &= np.roll(mask, shift, axis=0)
    for shift in (-8, 8):
        core &= np.roll(mask, shift, axis=1)
    return core if core.sum() >= 60 else None


def test_the_pictures_own_frame_is_asked_so_a_wrong_pose_does_not_pass(source: PhantomSource) -> None:
    """The check itself: without the breath the plane misses the gallbladder, and never is it the spleen's."""
    view = VIEWS["gallbladder_short"]
    foot, rotation = view.frame()
    tip = foot + 9.0 * rotation[:, 2]
    where = (float(tip[0]), float(tip[1]), float(tip[2]))
    flat = ProbePose(0, where, quaternion_of(rotation), 6.0, True, 9.0)
    deep = dataclasses.replace(flat, organs_mm=(0.0, -30.8, 4.4))
    source.set(preset="abdomen")
    assert not missing(view, source.renderer.structures(deep))
    assert missing(view, source.renderer.structures(flat)), "without the breath in the view is another"
    assert missing(VIEWS["spleen"], source.renderer.structures(deep))

"""The force loop on a belly that breathes, and the picture that breathes with it; lockstep, no real time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from devices.drivers.images.source import PhantomSource
from devices.drivers.sim.patient import Patient
from devices.drivers.sim.reader import ProbePose
from devices.wire.limits import FORCE_STOPPED_N
from devices.wire.messages import SafetyState, StopCause
from tests.edge.bench import BEDSIDE, CONSOLE
from tests.edge.sim_bench import SimBench
from tests.edge.test_image_phantom import likeness, picture, pose_at, window

SITE = "right_upper_quadrant"


@pytest.fixture
def bench(tmp_path: Path) -> SimBench:
    return SimBench(tmp_path, site=SITE)


def forces(bench: SimBench, seconds: float) -> np.ndarray:
    """The true contact force every 20 ms."""
    seen = []
    for _ in range(round(seconds / 0.02)):
        bench.run(0.02)
        seen.append(bench.sim.force_n)
    return np.array(seen)


def test_quiet_breathing_stays_within_half_a_newton_of_what_was_asked(bench: SimBench) -> None:
    bench.in_contact(5.0)
    seen = forces(bench, 8.5)
    assert np.abs(seen - 5.0).max() < 0.75, (seen.min(), seen.max())
    assert bench.state() is SafetyState.MOVING


def test_deep_breaths_at_the_highest_force_stay_under_the_soft_limit_and_stop_nothing(
    bench: SimBench,
) -> None:
    bench.in_contact(12.0)
    seen = []
    for key in ("breathe_in", "breathe_out", "breathe_in", "relax"):
        bench.prompt(key)
        seen.append(forces(bench, 2.6))
    assert float(np.concatenate(seen).max()) < 14.0
    assert float(np.concatenate(seen).min()) > 10.0
    assert bench.cause() is StopCause.NONE


def test_a_parked_probe_follows_the_breath_with_its_force(bench: SimBench) -> None:
    bench.in_contact(5.0)
    bench.release()
    bench.run(0.5)
    seen = forces(bench, 8.0)
    assert bench.state() is SafetyState.PARK
    assert np.abs(seen - 5.0).max() < 0.75


@pytest.mark.parametrize("slot", [CONSOLE, BEDSIDE])
def test_after_a_stop_the_breathing_belly_never_gets_pressed_again(bench: SimBench, slot: int) -> None:
    bench.in_contact(8.0)
    bench.prompt("breathe_out")
    bench.run(2.0)
    bench.stop_pressed(slot)
    bench.run(0.5)
    bench.prompt("breathe_in")
    seen = forces(bench, 10.0)
    assert bench.state() is SafetyState.STOPPED
    assert seen.max() <= FORCE_STOPPED_N + 0.05


# --- the picture ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source() -> Iterator[PhantomSource]:
    found = PhantomSource(runtime_dir=Path("/nonexistent"), options={})
    found.open()
    yield found
    found.close()


def breathed(pose: ProbePose, volume: float) -> ProbePose:
    """The same probe on the same skin, the insides where a breath of this volume brings them."""
    patient = Patient()
    patient.volume = volume
    return dataclasses.replace(pose, organs_mm=patient.organs_mm)


def test_a_breath_moves_the_organs_under_a_probe_that_rests(source: PhantomSource) -> None:
    still, moved = (picture(source, breathed(pose_at(), volume)) for volume in (0.0, 1.0))
    deep = [window(source, found, -10.0, 80.0, 40.0) for found in (still, moved)]
    assert likeness(*deep) < 0.4


def test_the_wall_under_the_probe_stays_when_the_organs_slide(source: PhantomSource) -> None:
    still, moved = (picture(source, breathed(pose_at(), volume)) for volume in (0.0, 1.0))
    wall = [window(source, found, 0.0, 9.0, 8.0) for found in (still, moved)]
    assert likeness(*wall) > 0.9


def test_the_liver_slides_in_a_sagittal_plane_by_what_is_published(source: PhantomSource) -> None:
    pose = pose_at(
        "right_flank"
    )  # marker to the head: a breath in moves the liver away from it, to the right
    before = picture(source, breathed(pose, 0.0))
    way_mm = 6.0
    after = picture(source, dataclasses.replace(pose, organs_mm=(0.0, -way_mm, 0.0)))
    here = window(source, before, 12.0, 70.0, 16.0)
    followed = window(source, after, 12.0 - way_mm, 70.0, 16.0)
    assert likeness(here, followed) > 0.4
    assert likeness(here, window(source, after, 12.0, 70.0, 16.0)) < 0.25


def test_pressing_thins_skin_and_fat_and_hardly_the_liver(source: PhantomSource) -> None:
    """The deep fascia nears the probe; tissue at depth keeps its size."""
    depth_mm = []
    for press_mm in (2.0, 14.0):
        found = source.renderer.envelope(pose_at(press_mm=press_mm), source.look)
        profile = found[70:90].mean(axis=0)
        first, last = (round(mm / 160.0 * 479) for mm in (8.0, 28.0))
        depth_mm.append((first + int(np.argmax(profile[first:last]))) / 479 * 160.0)
    assert depth_mm[0] - depth_mm[1] > 2.5


ORGANS = {
    "liver", "gallbladder", "right_kidney", "spleen", "aorta", "vena_cava", "pancreas", "rib", "gas", "diaphragm",
}  # fmt: skip


def test_every_organ_of_the_list_has_a_place_in_the_anatomy(source: PhantomSource) -> None:
    seen: set[str] = set()
    for site in ("right_upper_quadrant", "epigastrium", "left_upper_quadrant", "right_flank"):
        for volume in (0.0, 2.2):
            for step_mm in (-45.0, -20.0, 0.0, 20.0):
                pose = breathed(pose_at(site), volume)
                x, y, z = pose.position_mm
                found = source.renderer.structures(dataclasses.replace(pose, position_mm=(x, y + step_mm, z)))
                seen |= {name for name, area_mm2 in found.items() if area_mm2 > 80.0}
    assert seen >= ORGANS, ORGANS - seen


def test_bone_leaves_a_deeper_shadow_at_a_higher_frequency(source: PhantomSource) -> None:
    pose = pose_at("epigastrium")
    left = []
    for preset in ("abdomen_large", "vessel"):
        source.set(preset=preset, depth_mm=160.0)
        found = source.renderer.envelope(pose, source.look)
        spine = source.renderer.outlines(pose)["spine"]
        behind = np.flatnonzero(spine[80])[-1] + 12
        noise = 10 ** ((-118.0 + 0.1 * source.look.frequency_mhz * 160.0) / 20)
        left.append(float(found[78:83, behind:].mean()) / noise)
    source.set(preset="abdomen")
    assert left[1] < left[0]


@pytest.mark.parametrize("size", [(640, 480), (800, 600)])
def test_pictures_have_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    source = PhantomSource(
        runtime_dir=Path("/nonexistent"), options={"width": size[0], "height": str(size[1])}
    )
    source.open()
    frame = source.render(pose_at(), 1.0)
    assert frame.pixels.shape == size[::-1]
    x0, y0, x1, y1 = frame.region
    assert 0 < x0 < x1 < size[0]
    assert 0 < y0 < y1 < size[1]
    assert (y1 - source.geometry.tip_y) * frame.mm_per_px_y == pytest.approx(160.0, abs=1.0)

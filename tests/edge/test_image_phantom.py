"""The B-mode picture: it follows the probe, its speckle stays with the tissue, its scale is true."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from devices.drivers.base import SourceError
from devices.drivers.images.source import PhantomSource
from devices.drivers.sim.reader import ProbePose, ProbeWriter
from devices.drivers.sim.world import (
    WIRE_DISTANCE_MM,
    Vector,
    quaternion_of,
    rotation_of,
    site_frame,
)

Picture = npt.NDArray[np.uint8]
STIFFNESS_N_MM = 0.62


@pytest.fixture(scope="module")
def source() -> PhantomSource:
    source = PhantomSource(runtime_dir=Path("/nonexistent"), options={})
    source.open()
    return source


@pytest.fixture(autouse=True)
def _defaults(source: PhantomSource) -> None:
    source.set(preset="abdomen")


def pose_at(site: str = "right_upper_quadrant", *, press_mm: float = 8.0) -> ProbePose:
    frame = site_frame(site, hover_mm=0.0)
    assert frame is not None
    tip = frame[0] + press_mm * frame[1][:, 2]
    force_n = max(0.0, press_mm) * STIFFNESS_N_MM
    where = (float(tip[0]), float(tip[1]), float(tip[2]))
    return ProbePose(0, where, quaternion_of(frame[1]), force_n, press_mm > 0, max(0.0, press_mm))


def moved(pose: ProbePose, probe_mm: tuple[float, float, float]) -> ProbePose:
    """The pose shifted in its own frame."""
    tip: Vector = np.array(pose.position_mm) + rotation_of(pose.quaternion) @ np.array(probe_mm)
    return dataclasses.replace(pose, position_mm=(float(tip[0]), float(tip[1]), float(tip[2])))


def picture(source: PhantomSource, pose: ProbePose | None) -> Picture:
    return source.render(pose, 1.0).pixels


def window(source: PhantomSource, pixels: Picture, x_mm: float, z_mm: float, size_mm: float) -> Picture:
    """A square round a point of the picture's plane (probe frame)."""
    column, row = source.geometry.pixel(x_mm, z_mm)
    half = round(size_mm / 2 / source.geometry.mm_per_px)
    x, y = round(column), round(row)
    return pixels[y - half : y + half, x - half : x + half]


def likeness(a: Picture, b: Picture) -> float:
    return float(np.corrcoef(a.astype(float).ravel(), b.astype(float).ravel())[0, 1])


@pytest.mark.parametrize("depth_mm", [120.0, 160.0, 200.0])
def test_the_two_wires_are_fifty_millimetres_apart_in_the_picture(
    source: PhantomSource, depth_mm: float
) -> None:
    source.set(depth_mm=depth_mm)
    frame = source.render(pose_at(), 1.0)
    column = round(source.geometry.pixel(0.0, 0.0)[0])
    strip = frame.pixels[:, column - 4 : column + 5].astype(float)
    tip_row = round(source.geometry.tip_y)
    below_wall = tip_row + round(30.0 / frame.mm_per_px_y)
    profile = np.maximum(strip[below_wall:].max(axis=1) - 200.0, 0.0)
    rows = np.flatnonzero(profile)
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 10) + 1)
    centres = sorted(
        (float((profile[group] * group).sum() / profile[group].sum()) for group in groups),
        key=lambda row: -profile[round(row)],
    )[:2]
    assert abs(abs(centres[0] - centres[1]) * frame.mm_per_px_y - WIRE_DISTANCE_MM) < 1.0


@pytest.mark.parametrize("press_mm", [2.0, 8.0, 16.0])
def test_pressing_does_not_change_the_wires_distance(source: PhantomSource, press_mm: float) -> None:
    where = []
    for wire_depth_mm in (55.0, 105.0):
        part = window(source, picture(source, pose_at(press_mm=press_mm)), 0.0, wire_depth_mm - press_mm, 8.0)
        row, column = np.unravel_index(int(part.argmax()), part.shape)
        where.append((int(row), int(column)))
    # Both brightest points lie at the same place of their windows: as far apart as the windows, 50 mm.
    assert abs(where[0][0] - where[1][0]) * source.geometry.mm_per_px < 1.0


def test_moving_the_probe_ten_millimetres_moves_what_is_seen_by_ten(source: PhantomSource) -> None:
    pose = pose_at()
    before = picture(source, pose)
    after = picture(source, moved(pose, (10.0, 0.0, 0.0)))
    here = window(source, before, 0.0, 55.0, 16.0)
    # The probe moved toward its marker (left), so tissue is seen 10 mm further to the right: at x - 10.
    moved_there = window(source, after, -10.0, 55.0, 16.0)
    stayed = window(source, after, 0.0, 55.0, 16.0)
    assert likeness(here, moved_there) > 0.4
    assert likeness(here, stayed) < 0.2


def test_speckle_stays_with_the_tissue_when_the_probe_slides_along_its_beam(source: PhantomSource) -> None:
    pose = pose_at(press_mm=4.0)
    # Tissue at depth hardly yields: 1.5 mm further in, it is seen 1.5 mm nearer.
    deeper = dataclasses.replace(moved(pose, (0.0, 0.0, 1.5)), indentation_mm=4.0)
    here = window(source, picture(source, pose), 15.0, 100.0, 16.0)
    nearer = window(source, picture(source, deeper), 15.0, 98.5, 16.0)
    assert likeness(here, nearer) > 0.5
    assert likeness(here, window(source, picture(source, deeper), 15.0, 106.0, 16.0)) < 0.3


def test_speckle_decorrelates_across_the_plane(source: PhantomSource) -> None:
    pose = pose_at()
    here = window(source, picture(source, pose), 20.0, 70.0, 14.0)
    same = window(source, picture(source, pose), 20.0, 70.0, 14.0)
    aside = window(source, picture(source, moved(pose, (0.0, 3.0, 0.0))), 20.0, 70.0, 14.0)
    assert likeness(here, same) > 0.9
    assert likeness(here, aside) < 0.3


def test_turning_the_probe_shows_another_plane(source: PhantomSource) -> None:
    pose = pose_at("epigastrium")
    rotation = rotation_of(pose.quaternion)
    quarter = rotation @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = dataclasses.replace(pose, quaternion=quaternion_of(quarter))
    assert likeness(picture(source, pose)[120:400, 100:540], picture(source, turned)[120:400, 100:540]) < 0.5


def test_without_contact_there_is_only_air(source: PhantomSource) -> None:
    in_air = picture(source, pose_at(press_mm=-10.0))
    in_contact = picture(source, pose_at())
    assert window(source, in_contact, 0.0, 80.0, 40.0).mean() > 60
    assert window(source, in_air, 0.0, 80.0, 40.0).mean() < 20
    assert in_air[: round(source.geometry.tip_y) + 20].max() > 100, "the probe's own rings stay"
    nobody = picture(source, None)
    assert abs(float(nobody.mean()) - float(in_air.mean())) < 2.0


def test_contact_comes_gradually_from_the_middle_when_the_probe_leans(source: PhantomSource) -> None:
    pose = pose_at(press_mm=1.0)
    lean = math.radians(40.0)
    turn = np.array([[math.cos(lean), 0, math.sin(lean)], [0, 1, 0], [-math.sin(lean), 0, math.cos(lean)]])
    leaning = dataclasses.replace(pose, quaternion=quaternion_of(rotation_of(pose.quaternion) @ turn))
    frame = picture(source, leaning)
    sides = sorted(float(window(source, frame, x, 40.0, 12.0).mean()) for x in (-30.0, 30.0))
    assert sides[0] < 25 < 60 < sides[1]


def test_bone_throws_a_shadow_and_fluid_brightens_what_is_behind(source: PhantomSource) -> None:
    spine = picture(source, pose_at("epigastrium"))
    shadow = window(source, spine, 0.0, 148.0, 12.0).mean()
    beside = window(source, spine, 50.0, 140.0, 12.0).mean()
    assert shadow < beside / 2
    pose = pose_at()
    over_gallbladder = dataclasses.replace(pose, position_mm=(-24.0, -30.0, -4.0))
    level = dataclasses.replace(over_gallbladder, quaternion=(0.0, 0.0, 1.0, 0.0))
    view = picture(source, level)
    assert window(source, view, 0.0, 40.0, 10.0).mean() < 15, "bile has no echo"
    behind = window(source, view, 0.0, 64.0, 8.0).mean()
    same_tissue = window(source, view, 22.0, 64.0, 8.0).mean()
    assert behind > same_tissue


def test_gain_brightens_and_a_smaller_dynamic_range_hardens(source: PhantomSource) -> None:
    pose = pose_at()
    middle = picture(source, pose)
    source.set(gain_db=10.0)
    assert picture(source, pose).mean() > middle.mean() + 10
    source.set(gain_db=0.0, dynamic_range_db=40.0)
    assert picture(source, pose)[200:300, 200:300].std() > middle[200:300, 200:300].std()


def test_settings_are_bounded_and_say_what_was_really_set(source: PhantomSource) -> None:
    really = source.set(
        gain_db=1000.0, depth_mm=5.0, dynamic_range_db=math.nan, tgc_db=[99.0] * 8, focus_mm=1.0
    )
    assert (really["gain_db"], really["depth_mm"], really["dynamic_range_db"]) == (30.0, 60.0, 60.0)
    assert (really["tgc_db"], really["focus_mm"]) == ([20.0] * 8, 20.0)
    assert source.render(None, 1.0).depth_mm == 60.0
    assert source.set(tgc_db=[1.0], preset="no such") == really, "what makes no sense changes nothing"


def test_a_preset_sets_everything_and_values_beside_it_win(source: PhantomSource) -> None:
    source.set(gain_db=7.0, tgc_db=[5.0] * 8)
    really = source.set(preset="abdomen_large", focus_mm=100.0)
    assert (really["preset"], really["gain_db"], really["tgc_db"]) == ("abdomen_large", 0.0, [0.0] * 8)
    assert (really["focus_mm"], source.render(None, 1.0).depth_mm) == (100.0, really["depth_mm"])
    assert set(really["presets"]) >= {"abdomen", "abdomen_large", "vessel"}


def test_each_frame_carries_its_settings_and_a_plausible_output(source: PhantomSource) -> None:
    for preset in ("abdomen", "abdomen_large", "vessel"):
        source.set(preset=preset)
        frame = source.render(None, 1.0)
        assert frame.mechanical_index is not None and 0.1 < frame.mechanical_index < 1.9
        assert frame.thermal_index is not None and 0.0 < frame.thermal_index < 2.0
    source.set(preset="abdomen", gain_db=4.0, focus_mm=60.0)
    near = source.render(None, 1.0)
    assert (near.gain_db, near.focus_mm, near.frequency_mhz) == (4.0, 60.0, 3.5)
    source.set(focus_mm=160.0)
    assert (source.render(None, 1.0).mechanical_index or 9.0) < (near.mechanical_index or 0.0)


@pytest.mark.parametrize("depth_mm", [60.0, 160.0, 240.0])
def test_the_sector_fits_the_picture_in_square_pixels(source: PhantomSource, depth_mm: float) -> None:
    source.set(depth_mm=depth_mm)
    frame = source.render(pose_at(), 1.0)
    x0, y0, x1, y1 = frame.region
    assert frame.pixels.shape == (480, 640)
    assert frame.mm_per_px_x == frame.mm_per_px_y
    assert 0 < x0 < x1 < 640
    assert 0 < y0 < y1 < 480
    assert (y1 - source.geometry.tip_y) * frame.mm_per_px_y == pytest.approx(depth_mm, abs=1.0)


def test_the_source_reads_the_pose_that_the_box_writes(tmp_path: Path) -> None:
    source = PhantomSource(runtime_dir=tmp_path, options={})
    source.open()
    air = source.frame(1.0)
    writer = ProbeWriter(tmp_path)
    writer.write(pose_at())
    assert source.frame(1.1).pixels[200:300, 200:400].mean() > air.pixels[200:300, 200:400].mean() + 30
    assert [source.frame(now).frame_id for now in (2.0, 2.5, 3.0)] == [60, 75, 90]
    writer.close()
    source.close()
    with pytest.raises(SourceError):
        source.frame(1.0)


def test_the_arrow_at_the_ruler_points_at_the_focus_and_is_dimmer_than_the_wires(
    source: PhantomSource,
) -> None:
    geometry = source.geometry
    for focus_mm in (40.0, 120.0):
        source.set(focus_mm=focus_mm)
        column = picture(source, pose_at())[:, geometry.width - 26 : geometry.width - 20].astype(int)
        rows = np.flatnonzero((column == 110).any(axis=1))
        assert rows.mean() == pytest.approx(geometry.pixel(0.0, focus_mm)[1], abs=1.0)

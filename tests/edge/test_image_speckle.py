"""Speckle in homogeneous tissue: it changes with the beam's own size, as theory and real scanners have it.

For a Gaussian beam of width w (FWHM, two-way amplitude) the intensity's correlation after a shift d across it is
exp(-d^2 / (2 s^2)), s = w / 2.355: half after half a width, 0.06 after a whole one (Wagner 1983, fully developed
speckle). Log compression bends the numbers a little; here the uncompressed intensity is compared.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import pytest

from devices.drivers.images.anatomy import ABSORB_OFFSET_DB_MM, ABSORB_STEPS, Volume
from devices.drivers.images.beam import Beam
from devices.drivers.images.bmode import Renderer
from devices.drivers.images.geometry import Geometry
from devices.drivers.images.presets import PRESETS, Look
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import quaternion_of, rotation_of

Intensity = npt.NDArray[np.float64]
GEOMETRY = Geometry(depth_mm=160.0)
LOOK = Look()
# Held askew, so that no axis of the scatterers' block is special.
ASKEW = np.array([0.21, 0.93, -0.13, 0.27]) / np.linalg.norm([0.21, 0.93, -0.13, 0.27])


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    """The renderer over a block of nothing but liver."""
    shape = (4, 4, 4)
    packed = np.full(shape, 150 | (130 << 16), dtype=np.uint32)
    absorb = np.full(shape, round(ABSORB_OFFSET_DB_MM * ABSORB_STEPS), dtype=np.uint8)
    labels = np.zeros(shape, dtype=np.uint8)
    return Renderer(Volume(packed, absorb, (-2.0, -2.0, -2.0), 1.25, labels, ("",)), GEOMETRY)


def pose(x_mm: float = 0.0, y_mm: float = 0.0, turn_deg: float = 0.0) -> ProbePose:
    """Inside the torso, far from the wires, shifted in the probe's own frame and turned about the beam."""
    rotation = rotation_of((float(ASKEW[0]), float(ASKEW[1]), float(ASKEW[2]), float(ASKEW[3])))
    turn = math.radians(turn_deg)
    about = np.array(
        [[math.cos(turn), -math.sin(turn), 0.0], [math.sin(turn), math.cos(turn), 0.0], [0.0, 0.0, 1.0]]
    )
    tip = np.array([0.0, -280.0, -100.0]) + rotation @ np.array([x_mm, y_mm, 0.0])
    where = (float(tip[0]), float(tip[1]), float(tip[2]))
    return ProbePose(0, where, quaternion_of(rotation @ about), 0.0, True, 0.0)


def intensity(renderer: Renderer, where: ProbePose, look: Look = LOOK) -> Intensity:
    return renderer.envelope(where, look).astype(np.float64) ** 2


def band(found: Intensity, low_mm: float, high_mm: float) -> Intensity:
    """All lines but the outer ones, at a depth."""
    first, last = (round(mm / GEOMETRY.depth_mm * (GEOMETRY.samples - 1)) for mm in (low_mm, high_mm))
    return found[12:-12, first:last]


def likeness(a: Intensity, b: Intensity) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_it_is_fully_developed_speckle(renderer: Renderer) -> None:
    found = np.concatenate(
        [band(intensity(renderer, pose(y_mm=step)), 60, 110).ravel() for step in (0, 20, 40)]
    )
    amplitude = np.sqrt(found)
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.91, abs=0.12), "Rayleigh: 1.91"


@pytest.mark.parametrize("preset", ["abdomen", "abdomen_large", "vessel"])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_across_the_slice_it_changes_with_the_slices_thickness(
    renderer: Renderer, preset: str, share: float
) -> None:
    look = dataclasses.replace(PRESETS[preset], depth_mm=160.0)
    step_mm = share * Beam(GEOMETRY, look).elevation_mm
    here, there = (intensity(renderer, pose(y_mm=y), look) for y in (0.0, step_mm))
    theory = math.exp(-((share * 2.355) ** 2) / 2)
    assert likeness(band(here, 50, 120), band(there, 50, 120)) == pytest.approx(theory, abs=0.16)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_along_the_lines_it_changes_with_the_beams_width_at_the_focus(
    renderer: Renderer, share: float
) -> None:
    beam = Beam(GEOMETRY, LOOK)
    middle = int(np.argmin(beam.width_mm))
    step_mm = share * float(beam.width_mm[middle])
    here, there = (intensity(renderer, pose(x_mm=x)) for x in (0.0, step_mm))
    # Only the middle lines look straight down: there a slide is a shift across the beam and nothing else.
    window = slice(middle - 45, middle + 45)
    a, b = here[40:120, window], there[40:120, window]
    theory = math.exp(-((share * 2.355) ** 2) / 2)
    assert likeness(a, b) == pytest.approx(theory, abs=0.2)


def test_it_moves_with_the_tissue_so_following_it_keeps_it_alike(renderer: Renderer) -> None:
    line_mm = 140.0 * float(GEOMETRY.angles[1] - GEOMETRY.angles[0])
    here = intensity(renderer, pose())
    slid = intensity(renderer, pose(x_mm=4 * line_mm))
    middle = slice(225, 255)
    stayed = likeness(here[60:100, middle], slid[60:100, middle])
    # The probe slid towards its marker, so the same tissue is four lines further to the right.
    followed = likeness(here[60:100, middle], slid[64:104, middle])
    assert stayed < 0.2 < 0.6 < followed


def test_turning_the_probe_changes_it_more_the_farther_from_the_axis(renderer: Renderer) -> None:
    here, turned = intensity(renderer, pose()), intensity(renderer, pose(turn_deg=2.0))
    slow, quick = slice(72, 88), slice(4, 24)
    near = likeness(here[slow, 150:330], turned[slow, 150:330])
    far = likeness(here[quick, 150:330], turned[quick, 150:330])
    assert near > 0.8
    assert far < near - 0.2
    large = intensity(renderer, pose(turn_deg=30.0))
    assert likeness(here[quick, 150:330], large[quick, 150:330]) < 0.2


def grain_mm(found: Intensity, centre_mm: float) -> float:
    """Width across the lines over which intensity stays alike by half, at a depth."""
    part = band(found, centre_mm - 12, centre_mm + 12)
    part = part - part.mean()
    alike = [float((part[: len(part) - k] * part[k:]).mean() / (part * part).mean()) for k in range(12)]
    first = next(k for k, value in enumerate(alike) if value < 0.5)
    between = first - 1 + (alike[first - 1] - 0.5) / (alike[first - 1] - alike[first])
    return between * (60.0 + centre_mm) * float(GEOMETRY.angles[1] - GEOMETRY.angles[0])


@pytest.mark.parametrize(("focus_mm", "best_mm", "worse_mm"), [(50.0, 50.0, 130.0), (130.0, 130.0, 45.0)])
def test_the_grain_is_finest_at_the_focus(
    renderer: Renderer, focus_mm: float, best_mm: float, worse_mm: float
) -> None:
    look = dataclasses.replace(LOOK, focus_mm=focus_mm)
    other = dataclasses.replace(LOOK, focus_mm=worse_mm)
    with_focus = intensity(renderer, pose(), look)
    assert grain_mm(with_focus, best_mm) < 0.8 * grain_mm(intensity(renderer, pose(), other), best_mm)
    beam = Beam(GEOMETRY, look)
    assert GEOMETRY.depths[int(np.argmin(beam.width_mm))] == pytest.approx(focus_mm, abs=1.0)


def test_a_higher_frequency_has_the_finer_grain_and_the_lower_one_goes_deeper(renderer: Renderer) -> None:
    deep = Geometry(depth_mm=240.0)
    high, low = (dataclasses.replace(LOOK, frequency_mhz=f) for f in (4.5, 2.2))
    assert grain_mm(intensity(renderer, pose(), high), 80.0) < 0.8 * grain_mm(
        intensity(renderer, pose(), low), 80.0
    )
    noise_db = [20 * math.log10(float(Beam(deep, look).noise[-1])) for look in (high, low)]
    assert noise_db[0] > noise_db[1] + 40, "0.1 dB/(mm MHz) there and back over 240 mm"


def test_each_slider_of_the_time_gain_lifts_its_own_depth(renderer: Renderer) -> None:
    flat = renderer.render(pose(), LOOK).astype(float)
    for slider in (1, 4, 7):
        tgc_db = tuple(8.0 if i == slider else 0.0 for i in range(8))
        lifted = renderer.render(pose(), dataclasses.replace(LOOK, tgc_db=tgc_db)).astype(float)
        rows = [round(GEOMETRY.pixel(0.0, (i + 0.5) * 20.0)[1]) for i in range(8)]
        change = [(lifted - flat)[row - 5 : row + 6, 280:360].mean() for row in rows]
        assert int(np.argmax(change)) == slider
        assert change[slider] > 20.0
        assert all(abs(value) < 5.0 for i, value in enumerate(change) if abs(i - slider) > 1)


def test_near_the_probe_there_is_clutter_that_stays_when_the_tissue_moves(renderer: Renderer) -> None:
    quiet = dataclasses.replace(LOOK, tgc_db=(0.0,) * 8)
    here, there = (intensity(renderer, pose(y_mm=y), quiet) for y in (0.0, 30.0))
    assert likeness(here[12:-12, 10:24], there[12:-12, 10:24]) > 0.25
    assert abs(likeness(band(here, 60, 110), band(there, 60, 110))) < 0.1

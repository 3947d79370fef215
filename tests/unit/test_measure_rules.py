from __future__ import annotations

import math

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from hospital.records.rules import NotMeasurable, Region, measured, regions

SQUARE = [Region((0, 0, 1000, 1000), 0.5, 0.5)]
TALL = [Region((0, 0, 1000, 1000), 0.5, 0.25)]
inside = st.floats(min_value=0, max_value=1000, allow_nan=False)
point = st.tuples(inside, inside).map(list)


def test_a_circle_has_the_circumference_and_area_of_its_diameter() -> None:
    values = measured("ellipse", [[100, 100], [300, 100], [200, 200]], [SQUARE])
    assert values["axis1_mm"] == values["axis2_mm"] == 100.0
    assert values["circumference_mm"] == pytest.approx(math.pi * 100, abs=0.01)
    assert values["area_cm2"] == pytest.approx(math.pi * 25, abs=0.01)


def test_an_ellipses_circumference_agrees_with_the_integral() -> None:
    """4 a E(e) by the trapezoid rule, axes 200 and 50 mm."""
    values = measured("ellipse", [[100, 100], [500, 100], [300, 150]], [SQUARE])
    a, b, n = 100.0, 25.0, 4000
    arc = sum(
        math.hypot(a * math.sin(2 * math.pi * i / n), b * math.cos(2 * math.pi * i / n)) for i in range(n)
    )
    assert values["circumference_mm"] == pytest.approx(arc * 2 * math.pi / n, rel=4e-4)


def test_a_picture_with_two_scales_is_measured_in_millimetres_not_in_pixels() -> None:
    assert measured("distance", [[0, 0], [0, 400]], [TALL]) == {"distance_mm": 100.0}
    values = measured("ellipse", [[0, 0], [200, 0], [100, 200]], [TALL])
    assert (values["axis1_mm"], values["axis2_mm"]) == (100.0, 100.0)


@given(st.lists(point, min_size=2, max_size=2))
def test_a_distance_does_not_depend_on_which_end_comes_first(points: list[list[float]]) -> None:
    assert measured("distance", points, [TALL]) == measured("distance", points[::-1], [TALL])


@given(st.lists(point, min_size=3, max_size=3))
def test_an_ellipses_area_is_that_of_its_axes(points: list[list[float]]) -> None:
    try:
        values = measured("ellipse", points, [TALL])
    except NotMeasurable:
        reject()
    expected = math.pi / 400 * values["axis1_mm"] * values["axis2_mm"]
    assert values["area_cm2"] == pytest.approx(
        expected, abs=0.01 + 0.01 * (values["axis1_mm"] + values["axis2_mm"]) / 100
    )


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("ellipse", [[1, 1], [1, 1], [5, 5]]),
        ("ellipse", [[1, 1], [9, 1], [5, 1]]),
        ("ellipse", [[1, 1], [9, 1]]),
        ("volume", [[1, 1], [9, 1], [1, 1], [9, 1], [4, 4], [4, 4]]),
        ("volume", [[1, 1], [9, 1]]),
    ],
)
def test_a_shape_without_extent_is_no_measurement(kind: str, points: list[list[float]]) -> None:
    with pytest.raises(NotMeasurable, match="points_wrong"):
        measured(kind, points, [SQUARE] * 3)


def test_each_axis_of_a_volume_belongs_to_one_region_of_its_own_frame() -> None:
    split = regions(
        mm_per_px_x=0.5,
        mm_per_px_y=0.5,
        region=[0, 0, 100, 100],
        more=[{"box": [101, 0, 200, 100], "mm_per_px_x": 0.1, "mm_per_px_y": 0.1}],
    )
    axes = [[0, 0], [40, 0], [110, 0], [160, 0], [0, 0], [0, 40]]
    assert measured("volume", axes, [split] * 3)["axis2_mm"] == 5.0
    with pytest.raises(NotMeasurable, match="points_two_regions"):
        measured("volume", [[0, 0], [160, 0], *axes[2:]], [split] * 3)

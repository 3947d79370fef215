"""Ellipses, volumes and split screens, kept with the record."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import pytest

from hospital.access.principals import Principal
from hospital.common.errors import Invalid

from .record import doctor, exam_id, freeze, measure

__all__ = ["doctor", "exam_id"]
pytestmark = pytest.mark.django_db


def test_an_ellipse_and_a_volume_are_computed_from_the_stored_calibrations(
    exam_id: UUID, doctor: Principal
) -> None:
    freeze(exam_id)
    freeze(exam_id, frame_id=78, mm_per_px_x=0.2, mm_per_px_y=0.2)
    oval = measure(exam_id, doctor, [[100, 100], [200, 100], [150, 200]], kind="ellipse")
    assert oval.values["axis1_mm"] == 40.0
    assert oval.value_mm is None
    axes = [[100, 100], [200, 100], [100, 100], [100, 300], [100, 100], [200, 100]]
    egg = measure(exam_id, doctor, axes, kind="volume", frame_ids=[77, 77, 78])
    assert (egg.values["axis1_mm"], egg.values["axis2_mm"], egg.values["axis3_mm"]) == (40.0, 40.0, 20.0)
    assert egg.values["volume_ml"] == round(math.pi / 6 * 40 * 40 * 20 / 1000, 2)


def test_points_in_two_regions_of_a_split_screen_are_refused(exam_id: UUID, doctor: Principal) -> None:
    other = {"box": [605, 10, 640, 400], "mm_per_px_x": 0.1, "mm_per_px_y": 0.1}
    freeze(exam_id, more_regions=[other])
    with pytest.raises(Invalid, match="points_two_regions"):
        measure(exam_id, doctor, [[20, 20], [610, 20]])
    assert measure(exam_id, doctor, [[610, 20], [620, 20]]).value_mm == 1.0
    with pytest.raises(Invalid, match="points_outside"):
        measure(exam_id, doctor, [[602, 20], [620, 20]])


@pytest.mark.parametrize(
    "changes",
    [{"kind": "volume"}, {"kind": "ellipse", "frame_ids": [77, 77]}, {"kind": "angle"}, {"frame_ids": []}],
)
def test_a_kind_needs_its_own_number_of_frames(
    exam_id: UUID, doctor: Principal, changes: dict[str, Any]
) -> None:
    freeze(exam_id)
    with pytest.raises(Invalid, match="invalid"):
        measure(exam_id, doctor, [[20, 20], [30, 30]], **changes)

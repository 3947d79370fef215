"""Frozen frames and what is measured on them."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from hospital.access.principals import Principal
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.ids import uuid7
from hospital.records import descriptions, rules, selectors, services
from hospital.records.models import FrozenFrame, Measurement

from .record import FRAME, doctor, exam_id, freeze, measure, png

__all__ = ["doctor", "exam_id"]
pytestmark = pytest.mark.django_db


def test_a_frozen_frame_sent_twice_is_one_and_other_bytes_are_refused(exam_id: UUID) -> None:
    first = freeze(exam_id)
    assert freeze(exam_id).id == first.id
    with pytest.raises(Conflict, match="frame_conflict"):
        services.frozen_store(exam_id=exam_id, meta=FRAME, data=png() + b"other")
    assert selectors.frozen_data(exam_id=exam_id, frame_id=77) == png()


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" * 9, png(320, 240), png(480, 640)])
def test_a_frame_must_be_a_png_of_the_described_size(exam_id: UUID, data: bytes) -> None:
    with pytest.raises(Invalid, match="bad_meta"):
        services.frozen_store(exam_id=exam_id, meta=FRAME, data=data)


def test_postgresql_refuses_to_change_a_frames_calibration(exam_id: UUID) -> None:
    freeze(exam_id)
    with pytest.raises(IntegrityError, match="frozen frame"), transaction.atomic():
        FrozenFrame.objects.update(mm_per_px_x=9.0)
    with pytest.raises(IntegrityError, match="frozen frame"), transaction.atomic():
        FrozenFrame.objects.all().delete()


def test_a_distance_uses_each_directions_own_spacing(exam_id: UUID, doctor: Principal) -> None:
    freeze(exam_id)
    assert measure(exam_id, doctor, [[100, 100], [225, 100]]).value_mm == 50.0
    assert measure(exam_id, doctor, [[100, 100], [100, 350]]).value_mm == 50.0
    assert measure(exam_id, doctor, [[100, 100], [130.0, 180.0]]).value_mm == 20.0
    assert measure(exam_id, doctor, [[10, 10], [600, 400]]).value_mm == round(math.hypot(236, 78), 2)


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([[9.9, 20], [20, 20]], "points_outside"),
        ([[20, 20], [20, 400.1]], "points_outside"),
        ([[math.nan, 20], [20, 20]], "points_outside"),
        ([[math.inf, 20], [20, 20]], "points_outside"),
        ([[10**400, 20], [20, 20]], "points_outside"),
        ([[20, 20]], "points_wrong"),
        ([[20, 20], [30, 30], [40, 40]], "points_wrong"),
        ([[20], [30, 30]], "points_wrong"),
        ([["20", 20], [30, 30]], "points_wrong"),
        ([[True, 20], [30, 30]], "points_wrong"),
        ("20,20", "points_wrong"),
        (None, "points_wrong"),
    ],
)
def test_wrong_points_are_refused_and_nothing_is_kept(
    exam_id: UUID, doctor: Principal, points: Any, code: str
) -> None:
    freeze(exam_id)
    with pytest.raises(Invalid, match=code):
        measure(exam_id, doctor, points)
    assert Measurement.objects.count() == 0


@pytest.mark.parametrize("missing", ["mm_per_px_x", "mm_per_px_y", "region"])
def test_without_calibration_nothing_is_measured(exam_id: UUID, doctor: Principal, missing: str) -> None:
    freeze(exam_id, **{missing: None})
    with pytest.raises(Invalid, match="not_calibrated"):
        measure(exam_id, doctor, [[20, 20], [30, 30]])


def test_a_frame_of_another_exam_cannot_be_measured(exam_id: UUID, doctor: Principal) -> None:
    freeze(uuid7())
    with pytest.raises(Invalid, match="frame_unknown"):
        measure(exam_id, doctor, [[20, 20], [30, 30]])


def test_a_removed_measurement_is_gone_from_the_list_but_not_from_the_record(
    exam_id: UUID, doctor: Principal
) -> None:
    freeze(exam_id)
    measurement = measure(exam_id, doctor, [[20, 20], [30, 30]])
    services.measurement_remove(measurement_id=measurement.id, principal=doctor)
    assert selectors.measurements_of(exam_id) == []
    measurement.refresh_from_db()
    assert measurement.removed_by_id == doctor.id
    with pytest.raises(NotFound):
        services.measurement_remove(measurement_id=measurement.id, principal=doctor)


def test_postgresql_refuses_to_change_a_measured_value(exam_id: UUID, doctor: Principal) -> None:
    freeze(exam_id)
    measure(exam_id, doctor, [[20, 20], [30, 30]])
    changes: list[dict[str, Any]] = [{"value_mm": 1.0}, {"points": []}, {"frame_id": 1}]
    for change in changes:
        with pytest.raises(IntegrityError, match="measurement never changes"), transaction.atomic():
            Measurement.objects.update(**change)


def test_measuring_and_describing_know_no_database() -> None:
    where = rules.regions(mm_per_px_x=1, mm_per_px_y=1, region=[0, 0, 5, 5])
    assert rules.measured("distance", [[0.0, 0.0], [3.0, 4.0]], [where]) == {"distance_mm": 5.0}
    assert descriptions.calibration(FRAME)["region"] == [10, 10, 600, 400]

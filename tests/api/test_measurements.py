"""Measuring through the door, as the console does."""

from __future__ import annotations

from typing import Any

import pytest

from hospital.records import services as records
from tests.access.house import META, client_for
from tests.access.house_rows import PNG
from tests.factories import make_world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ({"kind": "distance", "points": [[100, 100], [225, 100]]}, {"distance_mm": 50.0}),
        ({"points": [[100, 100], [225, 100]]}, {"distance_mm": 50.0}),
        (
            {"kind": "ellipse", "points": [[100, 100], [200, 100], [150, 150]]},
            {"axis1_mm": 40.0, "axis2_mm": 40.0},
        ),
        (
            {"kind": "volume", "frame_ids": [77, 77, 77], "points": [[0, 0], [100, 0]] * 3},
            {"axis1_mm": 40.0, "volume_ml": 33.51},
        ),
    ],
)
def test_each_kind_is_answered_with_its_values_at_once(
    body: dict[str, Any], values: dict[str, float]
) -> None:
    world = make_world()
    exam = world.live()
    records.frozen_store(exam_id=exam.id, meta=META, data=PNG)
    client = client_for(user=world.users["expert"])
    path = f"/api/v1/exams/{exam.id}/measurements"
    answer = client.post(path, {"frame_id": 77, "label": ""} | body, format="json")
    assert answer.status_code == 201, answer.json()
    found = answer.json()
    assert found["id"]
    assert {name: found["values"][name] for name in values} == values
    assert [row["id"] for row in client.get(f"/api/v1/exams/{exam.id}/frozen").json()["measurements"]] == [
        found["id"]
    ]

"""Pictures of the record, without an exam above it: what is stored stays."""

from __future__ import annotations

import hashlib
import math
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from hospital.access.principals import Principal
from hospital.common.errors import Conflict, Invalid
from hospital.common.ids import uuid7
from hospital.records import selectors, services
from hospital.records.models import Image

from .record import doctor, exam_id, patient_id, store

__all__ = ["doctor", "exam_id", "patient_id"]
pytestmark = pytest.mark.django_db


def test_a_picture_sent_twice_is_stored_once_and_quietly(exam_id: UUID, patient_id: UUID) -> None:
    first, new = store(exam_id, patient_id)
    again, new_again = store(exam_id, patient_id)
    assert (new, new_again) == (True, False)
    assert first.id == again.id
    assert first.sha256 == hashlib.sha256(b"dicom").hexdigest()
    assert selectors.image_data(first) == b"dicom"


@pytest.mark.parametrize("other", ["bytes", "exam", "patient"])
def test_one_identifier_never_names_two_pictures(exam_id: UUID, patient_id: UUID, other: str) -> None:
    image, _ = store(exam_id, patient_id)
    changed = {
        "bytes": lambda: store(exam_id, patient_id, data=b"other"),
        "exam": lambda: store(uuid7(), patient_id),
        "patient": lambda: store(exam_id, uuid7()),
    }
    with pytest.raises(Conflict, match="sop_uid_conflict"):
        changed[other]()
    assert selectors.image_data(image) == b"dicom"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "film"}, "kind"),
        ({"sop_uid": None}, "sop_uid"),
        ({"sop_uid": ""}, "sop_uid"),
        ({"sop_uid": "2.25.x"}, "sop_uid"),
        ({"sop_uid": "1." + "2" * 63}, "sop_uid"),
        ({"sop_uid": "01.2"}, "sop_uid"),
        ({"view": "x" * 65}, "view"),
        ({"view": ["liver"]}, "view"),
        ({"frames": 0}, "frames"),
        ({"frames": True}, "frames"),
        ({"frames": 1.0}, "frames"),
        ({"frame_id": -1}, "frame_id"),
        ({"width": 8193}, "width"),
        ({"height": "480"}, "height"),
        ({"mm_per_px_x": math.nan}, "mm_per_px_x"),
        ({"mm_per_px_x": 0}, "mm_per_px_x"),
        ({"mm_per_px_y": "0.4"}, "mm_per_px_y"),
        ({"mm_per_px_y": 11}, "mm_per_px_y"),
        ({"region": [0, 0, 641, 480]}, "region"),
        ({"region": [10, 10, 10, 20]}, "region"),
        ({"region": [0, 0, math.nan, 480]}, "region"),
        ({"region": [0, 0, 640]}, "region"),
        ({"region": [False, 0, 640, 480]}, "region"),
        ({"region": "0,0,1,1"}, "region"),
        ({"offset": [0]}, "offset"),
        ({"offset": [0, 480]}, "offset"),
        ({"offset": [-1, 0]}, "offset"),
        ({"offset": [True, 0]}, "offset"),
    ],
)
def test_a_wrong_description_is_refused_and_its_field_named(
    exam_id: UUID, patient_id: UUID, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid, match="bad_meta") as refused:
        store(exam_id, patient_id, **change)
    assert refused.value.data == {"field": field}
    assert Image.objects.count() == 0


def test_a_picture_is_removed_with_a_reason_once(exam_id: UUID, patient_id: UUID, doctor: Principal) -> None:
    image, _ = store(exam_id, patient_id)
    with pytest.raises(Invalid, match="reason_required"):
        services.image_remove(image_id=image.id, reason="  ", principal=doctor)
    removed = services.image_remove(image_id=image.id, reason=" 伪影 ", principal=doctor)
    assert (removed.removed_reason, removed.removed_by_id) == ("伪影", doctor.id)
    with pytest.raises(Conflict, match="already_removed"):
        services.image_remove(image_id=image.id, reason="again", principal=doctor)
    assert selectors.image_data(image) == b"dicom"


def test_postgresql_refuses_to_bring_a_removed_picture_back(
    exam_id: UUID, patient_id: UUID, doctor: Principal
) -> None:
    image, _ = store(exam_id, patient_id)
    services.image_remove(image_id=image.id, reason="伪影", principal=doctor)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Image.objects.filter(id=image.id).update(removed_at=None, removed_reason="")


@pytest.mark.parametrize("column", ["sha256", "path", "sop_uid", "exam_id", "mm_per_px_x", "taken_at"])
def test_postgresql_refuses_to_change_what_a_picture_is(exam_id: UUID, patient_id: UUID, column: str) -> None:
    image, _ = store(exam_id, patient_id)
    values = {"exam_id": uuid7(), "mm_per_px_x": 9.0, "taken_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Image.objects.filter(id=image.id).update(**{column: values.get(column, "changed")})

"""Reads of the record. Scope (own exam, own patient) is decided by the exam, above."""

from __future__ import annotations

import json
from uuid import UUID

from hospital.common import objects
from hospital.common.errors import Invalid, NotFound

from . import rules
from .models import FrozenFrame, Image, Measurement, MissingView, Report


def image_get(image_id: UUID) -> Image:
    found = Image.objects.filter(id=image_id).first()
    if found is None:
        raise NotFound()
    return found


def images_of(exam_id: UUID) -> list[Image]:
    return list(Image.objects.filter(exam_id=exam_id).order_by("taken_at", "id"))


def images_in(report: Report) -> list[Image]:
    """The pictures a signature covers, in the signed order; none for a draft. What arrived later is not among them."""
    named = [UUID(row["id"]) for row in json.loads(report.content)["images"]] if report.content else []
    found = Image.objects.in_bulk(named)
    return [found[ident] for ident in named if ident in found]


def object_named(path: str) -> bool:
    """Whether a picture or frame stands on this stored object."""
    return Image.objects.filter(path=path).exists() or FrozenFrame.objects.filter(path=path).exists()


def object_paths() -> set[str]:
    """Every stored object that a picture or frame stands on."""
    return {path for model in (Image, FrozenFrame) for path in model.objects.values_list("path", flat=True)}


def image_data(image: Image) -> bytes:
    return objects.read(image.path)


def frozen_get(*, exam_id: UUID, frame_id: int) -> FrozenFrame:
    found = FrozenFrame.objects.filter(exam_id=exam_id, frame_id=frame_id).first()
    if found is None:
        raise Invalid("frame_unknown", field="frame_id")
    return found


def frozen_regions(*, exam_id: UUID, frame_id: int) -> list[rules.Region]:
    """What is calibrated in a frozen frame. Invalid `frame_unknown`."""
    frame = frozen_get(exam_id=exam_id, frame_id=frame_id)
    return rules.regions(
        mm_per_px_x=frame.mm_per_px_x,
        mm_per_px_y=frame.mm_per_px_y,
        region=frame.region,
        more=frame.more_regions,
    )


def frozen_find(*, exam_id: UUID, frame_id: int) -> FrozenFrame | None:
    """A frozen frame, if it has arrived."""
    return FrozenFrame.objects.filter(exam_id=exam_id, frame_id=frame_id).first()


def frozen_data(*, exam_id: UUID, frame_id: int) -> bytes:
    found = FrozenFrame.objects.filter(exam_id=exam_id, frame_id=frame_id).first()
    if found is None:
        raise NotFound()
    return objects.read(found.path)


def measurements_of(exam_id: UUID) -> list[Measurement]:
    return list(Measurement.objects.filter(exam_id=exam_id, removed_at=None).order_by("at", "id"))


def missing_views_of(exam_id: UUID) -> list[MissingView]:
    return list(MissingView.objects.filter(exam_id=exam_id).order_by("at", "id"))


def measurement_get(measurement_id: UUID) -> Measurement:
    found = Measurement.objects.filter(id=measurement_id, removed_at=None).first()
    if found is None:
        raise NotFound()
    return found


def report_get(report_id: UUID) -> Report:
    found = Report.objects.select_related("author", "signed_by").filter(id=report_id).first()
    if found is None:
        raise NotFound()
    return found


def report_versions(exam_id: UUID) -> list[Report]:
    return list(
        Report.objects.select_related("author", "signed_by").filter(exam_id=exam_id).order_by("version")
    )


def report_current(exam_id: UUID) -> Report | None:
    """The newest version, draft or signed."""
    return (
        Report.objects.select_related("author", "signed_by")
        .filter(exam_id=exam_id)
        .order_by("-version")
        .first()
    )


def report_signed(exam_id: UUID) -> Report | None:
    """The version in force: signed and not superseded."""
    return (
        Report.objects.select_related("author", "signed_by").filter(exam_id=exam_id, status="signed").first()
    )

"""Counting and erasing what the record holds of some exams. When that may be is decided above; triggers ask again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from hospital.common import objects

from .models import FrozenFrame, Image, Measurement, MissingView, Report

MODELS: dict[str, type[Report | Image | FrozenFrame | Measurement | MissingView]] = {
    "report": Report,
    "measurement": Measurement,
    "image": Image,
    "frozen": FrozenFrame,
    "missing_view": MissingView,
}


def _rows(what: str, exam_ids: Iterable[UUID]) -> Any:
    return MODELS[what]._base_manager.filter(exam_id__in=list(exam_ids))


def count(what: str, exam_ids: Iterable[UUID]) -> int:
    found: int = _rows(what, exam_ids).count()
    return found


def erase(what: str, exam_ids: Iterable[UUID]) -> int:
    """In the caller's transaction; files of pictures and frames go from the disk once that is committed."""
    rows = _rows(what, exam_ids)
    paths = set(rows.values_list("path", flat=True)) if what in ("image", "frozen") else set()
    done = 0
    if what == "report":
        for report in rows.order_by("-version"):  # each names the one before
            done += report.delete()[0]
    else:
        done = rows.delete()[0]
    for path in sorted(paths):
        objects.erase(path)
    return done

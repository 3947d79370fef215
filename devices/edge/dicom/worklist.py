"""Whose picture it is, and what its views are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom.uid import UID

SIDES = {"left": "L", "right": "R", "": "U"}
"""Side of a standard view -> Image Laterality (0020,0062); U is a part of the body that is not paired."""
_TEXTS = (
    "exam_id",
    "patient_name",
    "patient_name_pinyin",
    "patient_id",
    "issuer",
    "birth_date",
    "sex",
    "study_uid",
    "accession",
    "exam_type",
    "institution",
    "physician",
)


class WorklistIncomplete(ValueError):
    """The worklist item lacks what an object must name; ``args[0]`` is the field."""


@dataclass(frozen=True, slots=True)
class View:
    """A standard view; ``laterality`` is R, L, U, or empty when nobody said which side."""

    code: str
    name: str = ""
    laterality: str = ""


@dataclass(frozen=True, slots=True)
class Worklist:
    """Whose picture it is, as the server sent it at *ready* (contract: signalling, ``worklist``)."""

    exam_id: str
    patient_name: str
    patient_name_pinyin: str
    patient_id: str
    issuer: str
    birth_date: str
    sex: str
    study_uid: str
    accession: str
    exam_type: str
    institution: str
    physician: str
    views: tuple[View, ...] = ()
    study_started_at: datetime | None = None

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Worklist:
        """Read the message. Raises WorklistIncomplete, also for values DICOM cannot hold (DCM-03)."""
        values = {name: str(message.get(name) or "") for name in _TEXTS}
        for name in ("exam_id", "patient_id", "study_uid"):
            if not values[name]:
                raise WorklistIncomplete(name)
        for name, most in (
            ("accession", 16),
            ("patient_id", 64),
            ("study_uid", 64),
            ("issuer", 64),
        ):
            if len(values[name]) > most:
                raise WorklistIncomplete(name)
        if not UID(values["study_uid"]).is_valid:
            raise WorklistIncomplete("study_uid")
        return cls(
            **values,
            views=_views(message.get("views")),
            study_started_at=_aware(message.get("study_started_at")),
        )

    def view(self, code: str) -> View:
        """The view of this code; one that the exam's type does not know has its code for a name, and no side."""
        return next((view for view in self.views if view.code == code), View(code, code))


def _aware(text: object) -> datetime | None:
    """A time with its zone; an older server sends none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _views(rows: object) -> tuple[View, ...]:
    """Rows ``{code, name_zh, side}``; an older server sends none."""
    found = (
        [row for row in rows if isinstance(row, dict) and row.get("code")] if isinstance(rows, list) else []
    )
    return tuple(
        View(
            str(row["code"])[:64],
            str(row.get("name_zh") or row["code"])[:64],
            SIDES.get(row["side"], "") if isinstance(row.get("side"), str) else "",
        )
        for row in found
    )

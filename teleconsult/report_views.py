"""Reports, pictures and measurements as JSON."""

from __future__ import annotations

import json
from typing import Any

from hospital.records import selectors as records
from hospital.records.models import FrozenFrame, Image, Measurement, Report

from .models import Exam
from .reporting import missing_views


def image_json(image: Image) -> dict[str, Any]:
    return {
        "id": str(image.id),
        "kind": image.kind,
        "view": image.view,
        "frame_id": image.frame_id,
        "frames": image.frames,
        "width": image.width,
        "height": image.height,
        "mm_per_px_x": image.mm_per_px_x,
        "mm_per_px_y": image.mm_per_px_y,
        "region": image.region,
        "offset": [image.offset_x, image.offset_y],
        "sop_uid": image.sop_uid,
        "sha256": image.sha256,
        "taken_at": image.taken_at.isoformat(),
        "removed": image.removed_at is not None,
        "removed_reason": image.removed_reason,
        "url": f"/api/v1/images/{image.id}",
    }


def values_of(measurement: Measurement) -> dict[str, float]:
    """The computed values; rows from before other kinds existed hold only their distance."""
    return dict(measurement.values) or {"distance_mm": measurement.value_mm or 0.0}


def measurement_json(measurement: Measurement) -> dict[str, Any]:
    return {
        "id": str(measurement.id),
        "kind": measurement.kind,
        "frame_id": measurement.frame_id,
        "points": measurement.points,
        "frame_ids": measurement.frame_ids or [measurement.frame_id],
        "value_mm": measurement.value_mm,
        "values": values_of(measurement),
        "label": measurement.label,
    }


def frozen_json(frame: FrozenFrame) -> dict[str, Any]:
    """A frozen frame for the console: where it is and what its pixels are."""
    return {
        "frame_id": frame.frame_id,
        "url": f"/api/v1/exams/{frame.exam_id}/frozen/{frame.frame_id}",
        "width": frame.width,
        "height": frame.height,
        "mm_per_px_x": frame.mm_per_px_x,
        "mm_per_px_y": frame.mm_per_px_y,
        "region": frame.region,
        "more_regions": frame.more_regions,
    }


def _pictures(exam: Exam) -> dict[str, Any]:
    return {
        "images": [image_json(image) for image in records.images_of(exam.id)],
        "measurements": [measurement_json(row) for row in records.measurements_of(exam.id)],
        "missing_views": missing_views(exam),
    }


def report_json(exam: Exam, report: Report | None) -> dict[str, Any]:
    """The report for its physicians; without one, an empty text at revision 0 that the first PUT will open."""
    versions = [
        {"id": str(row.id), "version": row.version, "status": row.status, "signed_at": _iso(row.signed_at)}
        for row in records.report_versions(exam.id)
    ]
    if report is None:
        empty = {"id": None, "version": 0, "status": "none", "findings": "", "impression": "", "revision": 0}
        return {"exam_id": str(exam.id), **empty, "versions": versions, **_pictures(exam)}
    return {
        "exam_id": str(exam.id),
        "id": str(report.id),
        "version": report.version,
        "status": report.status,
        "findings": report.findings,
        "impression": report.impression,
        "revision": report.revision,
        "author": report.author.name,
        "signed_at": _iso(report.signed_at),
        "signed_by": report.signed_by.name if report.signed_by else None,
        "content": report.content,
        "content_sha256": report.content_sha256,
        "previous_id": str(report.previous_id) if report.previous_id else None,
        "amend_reason": report.amend_reason,
        "versions": versions,
        **_pictures(exam),
    }


def earlier_json(exam: Exam, report: Report) -> dict[str, Any]:
    """A signed report of another exam, as text beside the picture."""
    return {
        "report_id": str(report.id),
        "exam_id": str(exam.id),
        "starts_at": _iso(exam.starts_at),
        "signed_at": _iso(report.signed_at),
        "signed_by": report.signed_by.name if report.signed_by else None,
        "exam_type": {"name_zh": exam.exam_type.name_zh, "name_en": exam.exam_type.name_en},
        "performing_institution": exam.performing_institution.name,
        "clinical_question": exam.clinical_question,
        "findings": report.findings,
        "impression": report.impression,
        "version": report.version,
    }


def report_for_patient(exam: Exam, report: Report) -> dict[str, Any]:
    """The signed text and its pictures; no drafts, no removed pictures, no staff remarks."""
    return {
        "id": str(report.id),
        "exam_id": str(exam.id),
        "version": report.version,
        "status": report.status,
        "amends": str(report.previous_id) if report.previous_id else None,
        "findings": report.findings,
        "impression": report.impression,
        "signed_at": _iso(report.signed_at),
        "signed_by": report.signed_by.name if report.signed_by else None,
        "requesting_institution": exam.requesting_institution.name,
        "performing_institution": exam.performing_institution.name,
        "content_sha256": report.content_sha256,
        "measurements": [
            {"label": row.label, "kind": row.kind, "value_mm": row.value_mm, "values": values_of(row)}
            for row in records.measurements_of(exam.id)
        ],
        "missing_views": (json.loads(report.content) if report.content else {}).get("missing_views", []),
        "images": [
            {"id": str(image.id), "kind": image.kind, "view": image.view, "url": f"/api/v1/images/{image.id}"}
            for image in records.images_in(report)
        ],
    }


def report_for_peer(exam: Exam, report: Report) -> dict[str, Any]:
    """The signed report for another institution: as the patient has it, with whose it is by our own number."""
    body = report_for_patient(exam, report)
    pictures = [row | {"url": f"/api/v1/peer/images/{row['id']}"} for row in body["images"]]
    return body | {"mpi": exam.patient.mpi, "images": pictures}


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None

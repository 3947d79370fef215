"""Writes of the record: pictures, measurements, reports. Who may is decided by the exam, above."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from hospital.access.principals import Principal
from hospital.common import objects
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid

from . import rules, selectors
from .models import FrozenFrame, Image, Measurement, Report

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def _int(meta: dict[str, Any], name: str, low: int, high: int) -> int:
    value = meta.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Invalid("bad_meta", field=name)
    return value


def _spacing(meta: dict[str, Any], name: str) -> float | None:
    value = meta.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.001 <= value <= 10:
        raise Invalid("bad_meta", field=name)
    return float(value)


def _calibration(meta: dict[str, Any]) -> dict[str, Any]:
    """Size, spacing and region of a picture, each checked; a region that leaves the picture is refused."""
    width, height = _int(meta, "width", 1, 8192), _int(meta, "height", 1, 8192)
    region = meta.get("region")
    if region is not None:
        good = isinstance(region, list) and len(region) == 4 and all(isinstance(n, int | float) for n in region)
        if not good or not (0 <= region[0] < region[2] <= width and 0 <= region[1] < region[3] <= height):
            raise Invalid("bad_meta", field="region")
    return {
        "frame_id": _int(meta, "frame_id", 0, 2**62),
        "width": width,
        "height": height,
        "mm_per_px_x": _spacing(meta, "mm_per_px_x"),
        "mm_per_px_y": _spacing(meta, "mm_per_px_y"),
        "region": region,
    }


@transaction.atomic
def frozen_store(*, exam_id: UUID, meta: dict[str, Any], data: bytes) -> FrozenFrame:
    """Keep the frame once; sent again it is the same frame."""
    fields = _calibration(meta)
    if not data.startswith(PNG_MAGIC):
        raise Invalid("bad_meta", field="file")
    path, _ = objects.put(data)
    frame, _ = FrozenFrame.objects.get_or_create(
        exam_id=exam_id, frame_id=fields.pop("frame_id"), defaults=fields | {"path": path}
    )
    return frame


@transaction.atomic
def image_store(*, exam_id: UUID, patient_id: UUID, meta: dict[str, Any], data: bytes) -> tuple[Image, bool]:
    """(image, new). The same SOP UID with the same bytes is quiet, with other bytes Conflict (DCM-12)."""
    fields = _calibration(meta)
    kind, sop_uid = meta.get("kind"), str(meta.get("sop_uid", ""))
    if kind not in ("still", "loop") or not 1 <= len(sop_uid) <= 64:
        raise Invalid("bad_meta", field="kind, sop_uid")
    path, digest = objects.put(data)
    fields |= {
        "exam_id": exam_id,
        "patient_id": patient_id,
        "kind": kind,
        "view": str(meta.get("view") or "")[:40],
        "frames": _int(meta, "frames", 1, 100_000),
        "path": path,
        "sha256": digest,
        "size": len(data),
    }
    image, new = Image.objects.get_or_create(sop_uid=sop_uid, defaults=fields)
    if not new and (image.sha256 != digest or image.exam_id != exam_id):
        raise Conflict("sop_uid_conflict")
    return image, new


@transaction.atomic
def image_remove(*, image_id: UUID, reason: str, principal: Principal) -> Image:
    """A bad picture leaves the report, not the archive; the reason stays."""
    image = Image.objects.select_for_update().get(id=image_id)
    if image.removed_at is not None:
        raise Conflict("already_removed")
    image.removed_at, image.removed_by_id, image.removed_reason = now(), principal.id, reason
    image.save(update_fields=["removed_at", "removed_by", "removed_reason"])
    return image


@transaction.atomic
def measurement_add(
    *, exam_id: UUID, frame_id: int, points: list[list[float]], label: str, principal: Principal
) -> Measurement:
    """Points in pixels of the frozen frame; the millimetres are computed here, from the stored calibration."""
    frame = selectors.frozen_get(exam_id=exam_id, frame_id=frame_id)
    try:
        value = rules.distance_mm(
            points, mm_per_px_x=frame.mm_per_px_x, mm_per_px_y=frame.mm_per_px_y, region=frame.region
        )
    except rules.NotMeasurable as error:
        raise Invalid(error.code) from error
    return Measurement.objects.create(
        exam_id=exam_id, frame_id=frame_id, points=points, value_mm=round(value, 2), label=label, by_id=principal.id
    )


def measurement_remove(*, measurement_id: UUID, principal: Principal) -> None:
    if not Measurement.objects.filter(id=measurement_id, removed_at=None).update(removed_at=now()):
        raise Conflict("already_removed")


@transaction.atomic
def report_open(*, exam_id: UUID, principal: Principal) -> Report:
    """The exam's draft, or the first one. Conflict `report_signed` when only an amendment may follow."""
    rows = Report.objects.select_for_update().filter(exam_id=exam_id)
    draft = rows.filter(status="draft").first()
    if draft is not None:
        return draft
    if rows.exists():
        raise Conflict("report_signed")
    try:
        with transaction.atomic():
            return Report.objects.create(exam_id=exam_id, version=1, author_id=principal.id)
    except IntegrityError:
        return Report.objects.get(exam_id=exam_id, status="draft")


@transaction.atomic
def report_save(*, report_id: UUID, findings: str, impression: str, revision: int, principal: Principal) -> Report:
    """Save the draft if nobody saved since `revision`; returns it with the next revision."""
    report = Report.objects.select_for_update(of=("self",)).get(id=report_id)
    if report.status != "draft":
        raise Conflict("report_signed")
    if report.revision != revision:
        raise Conflict("stale_revision", revision=report.revision)
    report.findings, report.impression = findings, impression
    report.revision, report.saved_at = report.revision + 1, now()
    report.save(update_fields=["findings", "impression", "revision", "saved_at"])
    return report


def _content(report: Report, extra: dict[str, Any]) -> str:
    """The signed bytes: canonical JSON (sorted keys, no blanks) of text, pictures and measurements."""
    images = [{"id": str(i.id), "sop_uid": i.sop_uid, "sha256": i.sha256} for i in selectors.images_of(report.exam_id) if not i.removed_at]
    measured = [
        {"label": m.label, "value_mm": m.value_mm, "frame_id": m.frame_id, "points": m.points}
        for m in selectors.measurements_of(report.exam_id)
    ]
    body = extra | {
        "report": {
            "id": str(report.id),
            "version": report.version,
            "previous_id": str(report.previous_id) if report.previous_id else None,
            "findings": report.findings,
            "impression": report.impression,
            "amend_reason": report.amend_reason,
            "signed_at": report.signed_at.isoformat() if report.signed_at else None,
        },
        "images": images,
        "measurements": measured,
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@transaction.atomic
def report_sign(*, report_id: UUID, content_extra: dict[str, Any], principal: Principal) -> Report:
    """Draft -> signed; the version it amends becomes superseded. Invalid `report_incomplete` for empty texts."""
    report = Report.objects.select_for_update(of=("self",)).get(id=report_id)
    if report.status != "draft":
        raise Conflict("report_signed")
    if not report.findings.strip() or not report.impression.strip():
        raise Invalid("report_incomplete")
    if report.previous_id is not None:
        Report.objects.filter(id=report.previous_id, status="signed").update(status="superseded")
    report.status, report.signed_at, report.signed_by_id = "signed", now(), principal.id
    report.content = _content(report, content_extra)
    report.content_sha256 = hashlib.sha256(report.content.encode()).hexdigest()
    report.save()
    return report


@transaction.atomic
def report_amend(*, report_id: UUID, reason: str, principal: Principal) -> Report:
    """A new draft that starts from the signed text and names it."""
    old = Report.objects.select_for_update(of=("self",)).get(id=report_id)
    if old.status != "signed":
        raise Conflict("report_not_signed", status=old.status)
    if Report.objects.filter(exam_id=old.exam_id, status="draft").exists():
        raise Conflict("draft_exists")
    return Report.objects.create(
        exam_id=old.exam_id,
        version=old.version + 1,
        previous=old,
        findings=old.findings,
        impression=old.impression,
        amend_reason=reason,
        author_id=principal.id,
    )

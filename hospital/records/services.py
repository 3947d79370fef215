"""Writes of the record: pictures, measurements, reports. Who may is decided by the exam, above.

What a signature covers stays as it was signed: pictures and measurements change only while a report is being written.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from hospital.access.principals import Principal
from hospital.common import objects
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound

from . import descriptions, rules, selectors
from .models import FrozenFrame, Image, Measurement, MissingView, Report
from .states import DRAFT, IllegalStep, advance

LABEL_MAX = 80
CONTENT_FORMAT = 1  # of the signed JSON


@transaction.atomic
def frozen_store(*, exam_id: UUID, meta: dict[str, Any], data: bytes) -> FrozenFrame:
    """Keep the lossless frame once; the same bytes again are quiet, other bytes are Conflict `frame_conflict`."""
    fields = descriptions.frozen(meta)
    descriptions.check_png(data, width=fields["width"], height=fields["height"])
    path, _ = objects.put(data)
    frame, new = FrozenFrame.objects.get_or_create(
        exam_id=exam_id, frame_id=fields.pop("frame_id"), defaults=fields | {"path": path}
    )
    if not new and frame.path != path:  # paths are content addresses
        raise Conflict("frame_conflict")
    return frame


@transaction.atomic
def image_store(*, exam_id: UUID, patient_id: UUID, meta: dict[str, Any], data: bytes) -> tuple[Image, bool]:
    """(image, new). The same SOP UID with the same bytes is quiet, with other bytes Conflict (DCM-12)."""
    fields = descriptions.picture(meta)
    path, digest = objects.put(data)
    fields |= {
        "exam_id": exam_id,
        "patient_id": patient_id,
        "path": path,
        "sha256": digest,
        "size": len(data),
    }
    image, new = Image.objects.get_or_create(sop_uid=fields.pop("sop_uid"), defaults=fields)
    if not new and (image.sha256, image.exam_id, image.patient_id) != (digest, exam_id, patient_id):
        raise Conflict("sop_uid_conflict")
    return image, new


def _writing(exam_id: UUID) -> None:
    """Conflict `report_signed` when a signature covers the exam and no amendment is open.

    The lock keeps a draft from being signed between this look and the caller's write.
    """
    rows = Report.objects.select_for_update().filter(exam_id=exam_id).order_by("version")
    statuses = list(rows.values_list("status", flat=True))
    if statuses and DRAFT not in statuses:
        raise Conflict("report_signed")


def _reason(reason: str, *, field: str = "reason") -> str:
    if not reason.strip():
        raise Invalid("reason_required", field=field)
    return reason.strip()


@transaction.atomic
def image_remove(*, image_id: UUID, reason: str, principal: Principal) -> Image:
    """A bad picture leaves the report, not the archive; the reason stays."""
    kept = _reason(reason)
    _writing(selectors.image_get(image_id).exam_id)
    image = Image.objects.select_for_update().get(id=image_id)
    if image.removed_at is not None:
        raise Conflict("already_removed")
    image.removed_at, image.removed_by_id, image.removed_reason = now(), principal.id, kept
    image.save(update_fields=["removed_at", "removed_by", "removed_reason"])
    return image


@transaction.atomic
def measurement_add(
    *,
    exam_id: UUID,
    frame_ids: list[int],
    kind: str,
    points: list[list[float]],
    label: str,
    principal: Principal,
) -> Measurement:
    """Points in pixels of frozen frames; the values are computed here, from the stored calibrations.

    Invalid `frame_unknown`, `points_wrong`, `points_outside`, `points_two_regions`, `not_calibrated`.
    """
    _writing(exam_id)
    if len(label) > LABEL_MAX or kind not in rules.POINTS_N:
        raise Invalid("invalid", field="label" if kind in rules.POINTS_N else "kind")
    if len(frame_ids) != (3 if kind == "volume" else 1):
        raise Invalid("invalid", field="frame_ids")
    frames = [selectors.frozen_regions(exam_id=exam_id, frame_id=frame_id) for frame_id in frame_ids]
    try:
        values = rules.measured(kind, points, frames)
    except rules.NotMeasurable as error:
        raise Invalid(error.code, field="points") from error
    return Measurement.objects.create(
        exam_id=exam_id,
        frame_id=frame_ids[0],
        frame_ids=frame_ids,
        kind=kind,
        points=points,
        value_mm=values.get("distance_mm"),
        values=values,
        label=label,
        by_id=principal.id,
    )


@transaction.atomic
def measurement_remove(*, measurement_id: UUID, principal: Principal) -> None:
    _writing(selectors.measurement_get(measurement_id).exam_id)
    rows = Measurement.objects.filter(id=measurement_id, removed_at=None)
    if not rows.update(removed_at=now(), removed_by_id=principal.id):
        raise Conflict("already_removed")


@transaction.atomic
def views_missing(*, exam_id: UUID, views: list[str], reason: str, text: str, principal: Principal) -> None:
    """Why these views have no picture; an empty reason takes it back. Invalid `invalid`, `reason_required`."""
    _writing(exam_id)
    if not reason:
        MissingView.objects.filter(exam_id=exam_id, view__in=views).delete()
        return
    if reason not in rules.MISSING_REASONS:
        raise Invalid("invalid", field="reason")
    words = _reason(text, field="text") if reason == "other" else text.strip()
    for view in views:
        MissingView.objects.update_or_create(
            exam_id=exam_id,
            view=view,
            defaults={
                "reason": reason, "text": words, "explained": bool(words), "by_id": principal.id, "at": now()
            },
        )  # fmt: skip


@transaction.atomic
def report_open(*, exam_id: UUID, principal: Principal) -> Report:
    """The exam's draft, or the first one. Conflict `report_signed` when only an amendment may follow."""
    rows = Report.objects.select_for_update().filter(exam_id=exam_id).order_by("version")
    by_status = {
        report.status: report for report in rows
    }  # one look: a second could see another page's new draft
    if DRAFT in by_status:
        return by_status[DRAFT]
    if by_status:
        raise Conflict("report_signed")
    try:
        with transaction.atomic():
            return Report.objects.create(exam_id=exam_id, version=1, author_id=principal.id)
    except IntegrityError:  # another page opened it in the same moment
        return rows.get(version=1)


def _step(report_id: UUID, command: str) -> tuple[Report, str]:
    """The locked report and its next status. Conflict `report_signed` or `report_not_signed` for an illegal step."""
    report = Report.objects.select_for_update(of=("self",)).filter(id=report_id).first()
    if report is None:
        raise NotFound()
    try:
        return report, advance(report.status, command)
    except IllegalStep as error:
        code = "report_not_signed" if command == "amend" else "report_signed"
        raise Conflict(code, status=report.status) from error


@transaction.atomic
def report_save(
    *, report_id: UUID, findings: str, impression: str, revision: int, principal: Principal
) -> Report:
    """Save the draft if nobody saved since `revision`; returns it with the next revision."""
    report, _ = _step(report_id, "save")
    if report.revision != revision:
        raise Conflict("stale_revision", revision=report.revision)
    report.findings, report.impression = findings, impression
    report.revision, report.saved_at = report.revision + 1, now()
    report.save(update_fields=["findings", "impression", "revision", "saved_at"])
    return report


def canonical_json(body: dict[str, Any]) -> str:
    """The one spelling of `body`: sorted keys, no blanks, text as it is (UTF-8). ValueError for NaN and infinity."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _content(report: Report, extra: dict[str, Any], principal: Principal) -> str:
    """The signed bytes: text, pictures (by hash) and measurements, beside what the exam says in `extra`."""
    images = [
        {
            "id": str(image.id),
            "sop_uid": image.sop_uid,
            "sha256": image.sha256,
            "kind": image.kind,
            "view": image.view,
        }
        for image in selectors.images_of(report.exam_id)
        if image.removed_at is None
    ]
    measured = [
        {
            "id": str(m.id),
            "label": m.label,
            "kind": m.kind,
            "value_mm": m.value_mm,
            "values": m.values,
            "frame_id": m.frame_id,
            "frame_ids": m.frame_ids,
            "points": m.points,
        }
        for m in selectors.measurements_of(report.exam_id)
    ]
    text = {
        "id": str(report.id),
        "version": report.version,
        "previous_id": str(report.previous_id) if report.previous_id else None,
        "findings": report.findings,
        "impression": report.impression,
        "amend_reason": report.amend_reason,
        "signed_at": report.signed_at.isoformat() if report.signed_at else None,
        "signed_by": {"id": str(principal.id), "name": principal.name},
    }
    own = {"format": CONTENT_FORMAT, "report": text, "images": images, "measurements": measured}
    return canonical_json(extra | own)


def report_revision(*, report_id: UUID) -> int:
    """How often the text was saved; nobody saves again before the caller's transaction ends."""
    exam_id = selectors.report_get(report_id).exam_id
    rows = Report.objects.select_for_update().filter(exam_id=exam_id).order_by("version")
    return dict(rows.values_list("id", "revision"))[report_id]


@transaction.atomic
def report_sign(*, report_id: UUID, content_extra: dict[str, Any], principal: Principal) -> Report:
    """Draft -> signed; the version it amends becomes superseded. Invalid `report_incomplete` for empty texts."""
    _writing(selectors.report_get(report_id).exam_id)  # locks all versions in one order, then these two
    report, signed = _step(report_id, "sign")
    if not report.findings.strip() or not report.impression.strip():
        raise Invalid("report_incomplete")
    if report.previous_id is not None:
        previous, superseded = _step(report.previous_id, "supersede")
        previous.status = superseded
        previous.save(update_fields=["status"])
    report.status, report.signed_at, report.signed_by_id = signed, now(), principal.id
    report.content = _content(report, content_extra, principal)
    report.content_sha256 = hashlib.sha256(report.content.encode()).hexdigest()
    report.save()
    return report


@transaction.atomic
def report_amend(*, report_id: UUID, reason: str, principal: Principal) -> Report:
    """A new draft that starts from the signed text and names it. Conflict `draft_exists`, `report_not_signed`."""
    kept = _reason(reason)
    old, _ = _step(report_id, "amend")
    if Report.objects.filter(exam_id=old.exam_id, status=DRAFT).exists():
        raise Conflict("draft_exists")
    return Report.objects.create(
        exam_id=old.exam_id,
        version=old.version + 1,
        previous=old,
        findings=old.findings,
        impression=old.impression,
        amend_reason=kept,
        author_id=principal.id,
    )

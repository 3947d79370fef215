"""The printed report: a signed version prints what was signed, not what the database says today."""

from __future__ import annotations

import json
from typing import Any

from .texts import text


def _signed(report: dict[str, Any]) -> dict[str, Any]:
    """The signed content as a dictionary; empty for a draft."""
    content = report.get("content")
    if not content:
        return {}
    loaded = json.loads(content) if isinstance(content, str) else content
    return loaded if isinstance(loaded, dict) else {}


def _exam_facts(exam: dict[str, Any], signed: dict[str, Any], language: str) -> dict[str, Any]:
    """Exam and patient as signed; from the booking while nothing is signed."""
    patient = exam["patient"] | signed.get("patient", {})
    return exam | {
        "patient": patient,
        "performing_name": signed.get("performing_institution", exam["performing_institution"]),
        "requesting_name": signed.get("requesting_institution", exam["requesting_institution"]),
        "clinical_question": signed.get("exam", {}).get("clinical_question", exam["clinical_question"]),
        "started_at": signed.get("exam", {}).get("started_at", exam.get("started_at")),
        "remote_name": signed.get("remote_physician", exam["remote_physician"]["name"]),
        "bedside_name": signed.get("bedside_physician", exam["bedside_physician"]["name"]),
        "sex": text(f"sex.{patient['sex']}", language),
        "age": text("unit.age", language, n=patient["age"]),
    }


def _pictures(
    report: dict[str, Any], signed: dict[str, Any], view_name: Any, language: str
) -> list[dict[str, str]]:
    """Pictures that count: those named in the signed content, else all not removed."""
    named = {str(row["id"]) for row in signed.get("images", []) if isinstance(row, dict) and "id" in row}
    rows = [row for row in report["images"] if (row["id"] in named if signed else not row["removed"])]
    return [
        {
            "url": row["url"],
            "label": f"{n} {view_name(row['view'])} · {text('report.picture_' + row['kind'], language)}",
        }
        for n, row in enumerate(rows, start=1)
    ]


def _versions(report: dict[str, Any]) -> dict[str, Any]:
    """Which version this one replaces and which one is valid now."""
    valid = next((row["version"] for row in report["versions"] if row["status"] == "signed"), None)
    before = next(
        (row["version"] for row in report["versions"] if row["id"] == report.get("previous_id")), None
    )
    return {"current_version": valid, "previous_version": before}


def _view_names(exam: dict[str, Any], language: str) -> Any:
    """Names of standard views by code; a view without an entry shows as it is stored."""
    table: dict[str, str] = {}
    for view in exam["exam_type"]["views"]:
        if isinstance(view, dict):
            zh, en = view.get("name_zh") or view.get("zh", ""), view.get("name_en") or view.get("en", "")
            table[str(view.get("code", zh))] = (en or zh) if language == "en" else (zh or en)
    return lambda code: table.get(code, code)


def _measured(row: dict[str, Any], language: str) -> dict[str, str]:
    """{name, text} of a measurement; those signed before other kinds existed hold only their distance."""
    kind, values = (
        row.get("kind", "distance"),
        row.get("values") or {"distance_mm": row.get("value_mm") or 0.0},
    )
    name = row["label"] or text(f"report.measurement_unnamed.{kind}", language)
    axes = {
        letter: f"{values[f'axis{n}_mm']:.1f}"
        for n, letter in ((1, "a"), (2, "b"), (3, "c"))
        if f"axis{n}_mm" in values
    }
    if kind == "ellipse":
        more = {"around": f"{values['circumference_mm']:.1f}", "area": f"{values['area_cm2']:.2f}"}
        return {"name": name, "text": text("measure.ellipse", language, **axes, **more)}
    if kind == "volume":
        return {
            "name": name,
            "text": text("measure.volume", language, **axes, ml=f"{values['volume_ml']:.1f}"),
        }
    return {"name": name, "text": f"{values['distance_mm']:.1f} mm"}


def _missing(rows: list[dict[str, str]], language: str) -> list[str]:
    """`Pancreas (bowel gas)`, in the page's language, with the physician's own words."""
    lines = []
    for row in rows:
        name = row["name_en"] if language == "en" else row["name_zh"]
        why = text(f"view.reason.{row['reason']}", language)
        lines.append(text("view.missing_line", language, name=name, why=f"{why} {row['text']}".strip()))
    return lines


def printed_report(exam: dict[str, Any], report: dict[str, Any], language: str) -> dict[str, Any]:
    """Context of print.html from the API bodies of exam and report."""
    signed = _signed(report)
    return {
        "exam": _exam_facts(exam, signed, language),
        "report": report
        | _versions(report)
        | {
            "findings": signed.get("report", report)["findings"],
            "impression": signed.get("report", report)["impression"],
            "measurements": [
                _measured(row, language) for row in signed.get("measurements", report["measurements"])
            ],
        },
        "missing_views": _missing(
            signed.get("missing_views", []) if signed else report["missing_views"], language
        ),
        "pictures": _pictures(report, signed, _view_names(exam, language), language),
    }

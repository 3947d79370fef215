"""The figures as a comma-separated file that spreadsheets open: UTF-8 with its mark, one table a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

BOM = "\ufeff"  # or Chinese names are unreadable in the spreadsheet most desks have
_SPREADS = ("wait_days", "wait_in_house_min", "scan_min", "report_min", "delay_ms")
_COUNTS = (
    "exams",
    "done",
    "no_show",
    "cancelled",
    "aborted",
    "scanned",
    "stops_per_100",
    "poor_links_per_100",
)
PARTS = ("months", "causes", "operators", "uses")


def _flat(row: Mapping[str, Any], spreads: Iterable[str]) -> dict[str, Any]:
    return {f"{name}_{part}": row[name][part] for name in spreads for part in ("n", "p50", "p90")}


def _months(found: dict[str, Any]) -> list[dict[str, Any]]:
    names = found["institutions"]
    return [
        {
            "month": row["month"],
            "institution": names[row["institution_id"]]["name"],
            "institution_en": names[row["institution_id"]]["name_en"],
            **{name: row[name] for name in _COUNTS},
            **_flat(row, _SPREADS),
        }
        for row in found["rows"]
    ]


def _causes(found: dict[str, Any]) -> list[dict[str, Any]]:
    names = found["institutions"]
    return [
        {"month": row["month"], "institution": names[row["institution_id"]]["name"], **cause}
        for row in found["rows"]
        for cause in row["causes"]
    ]


def _operators(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": row["name"], **_flat(row, ("scan_min", "report_min"))} for row in found["operators"]]


def rows(found: dict[str, Any], part: str) -> list[dict[str, Any]]:
    """One of PARTS as flat rows with the same keys."""
    if part == "uses":
        return list(found["uses"])
    return {"months": _months, "causes": _causes, "operators": _operators}[part](found)


def _harmless(value: Any) -> Any:
    """A name that begins like a formula would be calculated by a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def written(table: list[dict[str, Any]]) -> str:
    """The file's text; empty of rows it is empty but for its mark."""
    out = io.StringIO()
    out.write(BOM)
    if table:
        writer = csv.DictWriter(out, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows({key: _harmless(value) for key, value in row.items()} for row in table)
    return out.getvalue()

"""A day is Shanghai's: a moment's own `date()` is the day in UTC, another one from midnight to eight in the morning."""

from __future__ import annotations

import ast

import pytest

from .files import ROOT, our_files


def _utc_days(source: str) -> list[int]:
    """Lines where the date is taken from a column's moment or from the clock as they are, in UTC."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "date"
        and _in_utc(node.func.value)
    ]


def _in_utc(moment: ast.expr) -> bool:
    if isinstance(moment, ast.BinOp):
        return _in_utc(moment.left)
    if isinstance(moment, ast.Call):
        return isinstance(moment.func, ast.Name) and moment.func.id == "now"
    return isinstance(moment, ast.Attribute) and moment.attr.endswith(("_at", "_from", "_until"))


def test_no_day_is_taken_from_a_moment_in_utc() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in our_files(".py")
        for line in _utc_days(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("exam.starts_at.date()", True),
        ("now().date()", True),
        ("(now() + timedelta(days=1)).date()", True),
        ("(row.ends_at - DAY).date()", True),
        ("exam.starts_at.astimezone(SHANGHAI).date()", False),
        ("local.date()", False),
        ("datetime.now(SHANGHAI).date()", False),
    ],
)
def test_a_day_in_utc_would_be_seen(source: str, seen: bool) -> None:
    assert bool(_utc_days(source)) is seen

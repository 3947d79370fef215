"""Interval arithmetic against a naive grid: every answer is also found minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hospital.scheduling.intervals import (
    Span,
    Spans,
    covers,
    holds,
    intersect,
    marks,
    normal,
    starts,
    subtract,
)

LAST = 120
RAW = st.lists(st.tuples(st.integers(0, LAST), st.integers(0, LAST)), max_size=8)
SPANS = RAW.map(normal)
SMALL = st.integers(0, 9)


def grid(spans: Iterable[Span]) -> set[int]:
    """Every minute that lies in one of them."""
    return {minute for start, end in spans for minute in range(start, end)}


def is_normal(spans: Spans) -> bool:
    return all(start < end for start, end in spans) and all(
        before[1] < after[0] for before, after in pairwise(spans)
    )


@given(RAW)
def test_normal_keeps_every_minute_and_nothing_touches(raw: Spans) -> None:
    assert grid(normal(raw)) == grid(raw)
    assert is_normal(normal(raw))


@given(SPANS, SPANS)
def test_intersection_and_difference_are_those_of_the_minutes(first: Spans, second: Spans) -> None:
    assert grid(intersect(first, second)) == grid(first) & grid(second)
    assert grid(subtract(first, second)) == grid(first) - grid(second)
    assert is_normal(subtract(first, second))


@given(SPANS, RAW, st.integers(1, 30), SMALL, SMALL)
def test_a_start_is_free_when_each_of_its_minutes_is(
    open_: Spans, busy: Spans, length: int, before: int, after: int
) -> None:
    """The exam itself lies in open minutes; it and its buffers meet no busy one."""
    opened, taken = grid(open_), grid(busy)
    naive = {
        t
        for t in range(LAST)
        if opened.issuperset(range(t, t + length)) and taken.isdisjoint(range(t - before, t + length + after))
    }
    found = starts(open_, busy, length=length, before=before, after=after)
    assert grid(found) == naive


@given(SPANS, st.integers(0, LAST), st.integers(1, 20))
def test_covering_is_minute_by_minute(spans: Spans, start: int, length: int) -> None:
    assert covers(spans, start, start + length) == grid(spans).issuperset(range(start, start + length))
    assert holds(spans, start) == (start in grid(spans))


@given(SPANS, st.integers(1, 15), st.integers(0, 14))
def test_marks_are_the_multiples_that_lie_inside(spans: Spans, step: int, origin: int) -> None:
    found = list(marks(spans, step=step, origin=origin))
    assert found == sorted(t for t in grid(spans) if (t - origin) % step == 0)


def test_an_exam_fits_exactly_between_two_others() -> None:
    assert starts([(0, 60)], [(0, 20), (40, 60)], length=20) == [(20, 21)]
    assert starts([(0, 60)], [(0, 20), (40, 60)], length=20, after=1) == []

"""Stretches of time as sorted, disjoint, half-open pairs of whole numbers. Pure; any unit, here seconds since 1970.

Nothing in this module knows what the numbers mean; a test walks the same questions on a naive grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Span = tuple[int, int]
Spans = list[Span]


def normal(spans: Iterable[Span]) -> Spans:
    """Sorted, without empty ones, what overlaps or touches made one."""
    found: Spans = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def intersect(first: Spans, second: Spans) -> Spans:
    """What lies in both."""
    found: Spans = []
    i = j = 0
    while i < len(first) and j < len(second):
        start, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start < end:
            found.append((start, end))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtract(first: Spans, second: Spans) -> Spans:
    """What lies in the first and not in the second."""
    found: Spans = []
    j = 0
    for start, end in first:
        while j < len(second) and second[j][1] <= start:
            j += 1
        k, at = j, start
        while k < len(second) and second[k][0] < end:
            if at < second[k][0]:
                found.append((at, second[k][0]))
            at = max(at, second[k][1])
            k += 1
        if at < end:
            found.append((at, end))
    return found


def covers(spans: Spans, start: int, end: int) -> bool:
    """Whether [start, end) lies whole in one of the stretches."""
    return any(first <= start and end <= last for first, last in spans)


def holds(spans: Spans, point: int) -> bool:
    return any(first <= point < last for first, last in spans)


def starts(open_: Spans, busy: Spans, *, length: int, before: int = 0, after: int = 0) -> Spans:
    """The moments t at which something of this length can begin: [t, t + length) lies in one open stretch, and
    [t - before, t + length + after) meets nothing busy. Preparing and cleaning may lie outside open hours."""
    fits = [(start, end - length + 1) for start, end in open_ if end - start >= length]
    blocked = normal((start - length - after + 1, end + before) for start, end in busy if start < end)
    return subtract(fits, blocked)


def marks(spans: Spans, *, step: int, origin: int = 0) -> Iterator[int]:
    """The points of the spans that lie a multiple of `step` from `origin`, ascending."""
    for start, end in spans:
        first = start + (origin - start) % step
        yield from range(first, end, step)

"""Shapes on the picture and their words, run in Chromium."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Page

from .test_wire_js_rules import opened, run

__all__ = ["opened"]


def test_an_ellipse_passes_through_its_three_points_also_where_pixels_are_not_square(opened: Page) -> None:
    body = """const { ellipse } = await live("measure-shapes");
      return ellipse([[100, 100], [300, 100], [200, 180]], given[0], given[1]);"""
    outline = run(opened, body, [0.4, 0.2])
    for x, y in ([100, 100], [300, 100], [200, 180]):
        assert min(math.hypot(px - x, py - y) for px, py in outline) < 0.5
    assert (
        run(
            opened,
            'const { ellipse } = await live("measure-shapes"); return ellipse([[1,1],[1,1],[2,2]],1,1).length;',
        )
        == 0
    )


@pytest.mark.parametrize(("kind", "count"), [("distance", 2), ("ellipse", 3), ("volume", 6)])
def test_a_shape_is_drawn_while_its_points_come(opened: Page, kind: str, count: int) -> None:
    body = """const { shape, POINTS } = await live("measure-shapes"); const points = [[0,0],[10,0],[5,4],[5,9],[1,1],[2,2]];
      const lines = []; for (let n = 1; n <= given[1]; n += 1) lines.push(shape(given[0], points.slice(0, n)).lines.length);
      return [POINTS[given[0]], lines];"""
    number, lines = run(opened, body, [kind, count])
    assert number == count
    assert lines == {"distance": [0, 1], "ellipse": [0, 1, 2], "volume": [0, 1, 1, 2, 2, 3]}[kind]

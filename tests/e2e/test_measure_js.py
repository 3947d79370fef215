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


CALIPERS = """
const { Calipers } = await live("calipers"); const asked = []; let views = [];
window.fetch = async (address, options) => { asked.push(JSON.parse(options.body));
  const body = { id: `m${asked.length}`, frame_ids: asked.at(-1).frame_ids ?? [asked.at(-1).frame_id], kind: asked.at(-1).kind,
    points: asked.at(-1).points, values: { distance_mm: 50, axis1_mm: 1, axis2_mm: 2, axis3_mm: 3, volume_ml: 4, circumference_mm: 5, area_cm2: 6 } };
  return new Response(JSON.stringify(body), { status: 201, headers: { "Content-Type": "application/json" } }); };
const overlay = document.createElementNS("http://www.w3.org/1999/xhtml", "canvas");
overlay.setPointerCapture = () => {};
const picture = { overlay, draws: [], view: { clientWidth: 640 }, box: () => ({ left: 0, top: 0, scale: 1 }), redraw() {} };
const calipers = new Calipers({ picture, examId: "x", onError: (error) => views.push(error), onChange: (view) => views.push(view) });
const frame = (id) => ({ frame_id: id, width: 640, height: 480, mm_per_px_x: 0.4, mm_per_px_y: 0.4 });
const click = (x, y) => { for (const type of ["pointerdown", "pointerup"]) {
  const event = new Event(type, { cancelable: true }); Object.assign(event, { clientX: x, clientY: y, pointerId: 1 }); overlay.dispatchEvent(event); } };
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
"""


def test_two_clicks_are_a_distance_with_its_value(opened: Page) -> None:
    body = (
        CALIPERS
        + """calipers.setFrame(frame(7)); calipers.toggle(); click(100, 100); click(225, 100); await settle();
      return [asked.map((one) => [one.kind, one.points.length, one.frame_id]), views.at(-1).rows.map((row) => row.id)];"""
    )
    assert run(opened, body) == [[["distance", 2, 7]], ["m1"]]


def test_the_axes_of_a_volume_may_come_from_two_frames(opened: Page) -> None:
    body = (
        CALIPERS
        + """calipers.setFrame(frame(7)); calipers.toggle(); calipers.choose("volume");
      click(10, 10); click(90, 10); click(10, 50); click(10, 90); calipers.setFrame(null); const waits = views.at(-1).hint;
      calipers.setFrame(frame(8)); click(5, 5); click(50, 50); await settle();
      return [waits !== "", asked[0].frame_ids, asked[0].points.length, views.at(-1).rows.length];"""
    )
    assert run(opened, body) == [True, [7, 7, 8], 6, 1]

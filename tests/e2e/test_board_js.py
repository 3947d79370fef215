"""The board's scripts alone in Chromium: 200 bookings on screen react within 100 ms; overlaps stand side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from teleconsult.console.texts import texts_in

from .browser import static_server

ROOMS, EXAMS, LIMIT_MS = 10, 200, 100.0
DAY = "2026-11-24"
START = datetime(2026, 11, 24, 8, tzinfo=timezone(timedelta(hours=8)))
BODY = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><link rel="stylesheet" href="/static/console/console.css">
<link rel="stylesheet" href="/static/console/board.css"></head>
<body class="desk" data-view="day"><main><div id="now" class="now-strip"></div><div id="board" class="board"></div><div id="day-list"></div></main>
<div id="notices"></div><script type="application/json" id="texts">{texts}</script>
<script type="module">
import {{ Board }} from "/static/console/board.js";
import {{ mover }} from "/static/console/board_move.js";
import {{ drawList }} from "/static/console/desk_list.js";
import {{ drawNow }} from "/static/console/desk_now.js";
const look = {look};
const view = {{ mode: "day", kind: "room", key: "" }};
const board = new Board(document.getElementById("board"), {{ onOpen(id) {{ board.select(id); }} }});
mover({{ board, exam: (id) => look.results.find((one) => one.id === id), view: () => view, day: () => look.day, onMoved: async () => {{}} }});
// As the desk's page draws: grid, list and strip, each time the whole.
window.draw = (now = Date.parse("{now}")) => {{
  board.draw(look, view, now);
  drawList(document.getElementById("day-list"), look.results, {{ filter: "all", selected: null, week: false, now }});
  drawNow(document.getElementById("now"), look, now);
}};
Object.assign(window, {{ look, board, view }});
draw();
window.ready = true;
</script></body></html>"""
# How long until what a deed changed is laid out and painted: the frame after the one it asked for.
MEASURE = """async ([deed, times]) => {
  const run = new Function("n", deed), taken = [];
  const painted = () => new Promise((done) => requestAnimationFrame(() => { const port = new MessageChannel(); port.port1.onmessage = done; port.port2.postMessage(0); }));
  for (let n = 0; n < times; n++) {
    await painted();
    const since = performance.now();
    run(n);
    document.body.offsetHeight;
    const spent = performance.now() - since;
    await painted();
    taken.push(spent);
  }
  return taken;
}"""


def person(number: int, name: str) -> dict[str, str]:
    return {"id": f"{name}{number}", "name": f"{name}{number}", "name_en": f"{name}{number}"}


def exam_row(number: int) -> dict[str, Any]:
    room, start = number % ROOMS, START + timedelta(minutes=25 * (number // ROOMS))
    state = ("booked", "checked_in", "ready", "live", "reported")[number % 5]
    return {
        "id": f"e{number}", "accession": f"E{number}", "state": state, "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=20)).isoformat(), "checked_in_at": None, "started_at": None,
        "ended_at": None, "exam_type": {"code": "abdomen", "name_zh": "上腹部", "name_en": "Abdomen"},
        "patient": {"id": f"p{number}", "name_masked": "王*东", "sex": "1", "age": 76, "document_tail": "0012",
                    "phone_tail": "0001"},
        "room": person(room, "room"), "robot": person(room, "robot"), "remote_physician": person(room, "far"),
        "bedside_physician": person(room, "near"),
        "link": {"console": True, "bedside": True, "good": True, "rtt_p95_ms": 20} if state == "live" else None,
        "allowed": ["move", "cancel"],
    }  # fmt: skip


def look_of(exams: list[dict[str, Any]]) -> dict[str, Any]:
    midnight = int(START.timestamp()) - 8 * 3600
    lines = [
        {
            "kind": kind, "key": f"{name}{room}", "name": f"{name} {room}", "name_en": "", "online": None,
            "problem": None, "busy": [[midnight + 9 * 3600, midnight + 10 * 3600]],
            "closed": [[midnight, midnight + 8 * 3600]],
        }
        for kind, name in (("room", "room"), ("robot", "robot"), ("remote_physician", "far"))
        for room in range(ROOMS)
    ]  # fmt: skip
    return {
        "day": DAY,
        "days": 1,
        "at": START.isoformat(),
        "lines": lines,
        "turnovers": [],
        "results": exams,
        "alarms": [],
        "next": None,
    }


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1366, "height": 900})
    html = BODY.format(
        texts=json.dumps(texts_in("zh")),
        look=json.dumps(look_of([exam_row(number) for number in range(EXAMS)])),
        now=f"{DAY}T11:00:00+08:00",
    )
    with static_server() as address:
        opened.route("**/board", lambda route: route.fulfill(body=html, content_type="text/html"))
        opened.goto(f"{address}/board")
        opened.wait_for_function("window.ready")
        yield opened
    opened.close()


# What a scheduler does or is shown, as code on the page; `n` counts the times.
DEEDS = {
    "news of one booking": """
        const one = look.results[n]; one.state = one.state === "booked" ? "checked_in" : "booked"; draw();""",
    "the same news again": "draw();",
    "another calendar": """view.kind = view.kind === "room" ? "robot" : "room"; draw();""",
    "opening a booking": "board.block(`e${n}`).click();",
    "an arrow key": """
        const to = document.activeElement.closest?.(".block") || board.block("e0");
        to.focus(); to.dispatchEvent(new KeyboardEvent("keydown", { key: n % 2 ? "ArrowRight" : "ArrowDown", bubbles: true }));""",
    "carrying a booking": """
        const block = board.block("e5"); block.focus();
        if (n === 0) block.dispatchEvent(new KeyboardEvent("keydown", { key: "m", code: "KeyM", bubbles: true }));
        block.dispatchEvent(new KeyboardEvent("keydown", { key: n % 2 ? "ArrowUp" : "ArrowDown", bubbles: true }));""",
}


@pytest.mark.alone  # a time in milliseconds
@pytest.mark.parametrize("deed", DEEDS)
def test_two_hundred_bookings_on_screen_react_within_a_tenth_of_a_second(page: Page, deed: str) -> None:
    assert page.locator(".block").count() == EXAMS
    taken = page.evaluate(MEASURE, [DEEDS[deed], 15])
    assert median(taken) < LIMIT_MS, taken


def test_the_measure_sees_a_board_that_is_too_slow(page: Page) -> None:
    slow = "const until = performance.now() + 120; while (performance.now() < until); draw();"
    assert median(page.evaluate(MEASURE, [slow, 3])) > LIMIT_MS


def test_the_same_look_again_touches_no_block(page: Page) -> None:
    changed = page.evaluate("""async () => {
      const seen = [];
      const watch = new MutationObserver((records) => seen.push(...records.map((r) => r.type)));
      watch.observe(document.getElementById("board"), { childList: true, subtree: true, characterData: true });
      draw(); await new Promise((done) => setTimeout(done, 0)); watch.disconnect();
      return seen.length;
    }""")
    assert changed == 0


def test_bookings_that_overlap_stand_side_by_side_and_others_take_the_whole_width(page: Page) -> None:
    rows = page.evaluate(
        """async (exams) => {
          const { lanesOf } = await import("/static/console/board_rows.js");
          return lanesOf(exams).map(({ exam, lane, lanes }) => [exam.id, lane, lanes]);
        }""",
        [
            {"id": name, "starts_at": f"{DAY}T{start}:00+08:00", "ends_at": f"{DAY}T{end}:00+08:00"}
            for name, start, end in (
                ("a", "09:00", "09:30"), ("b", "09:10", "09:40"), ("c", "09:30", "09:50"), ("d", "10:00", "10:20"),
            )
        ],
    )  # fmt: skip
    assert rows == [["a", 0, 2], ["b", 1, 2], ["c", 0, 2], ["d", 0, 1]]


# How much of a block's first words, and of its number alone, can be read; what its tooltip says.
READABLE = """([looks, width]) => {
  document.body.dataset.view = view.mode = "week";
  document.getElementById("board").style.width = `${width}px`;
  look.results = looks;
  draw();
  return looks.map(({ id }) => {
    const block = board.block(id), box = block.getBoundingClientRect(), who = block.querySelector(".block-who");
    const words = document.createRange();
    words.selectNodeContents(who);
    const within = (all) => [...all].every((one) => one.left >= box.left && one.right <= box.right && one.bottom <= box.bottom && one.top >= box.top);
    return [within(words.getClientRects()) && who.scrollWidth <= who.clientWidth, within(block.querySelector(".tag").getClientRects()), block.title];
  });
}"""
LONG = "阿" + "*" * 13 + "孜"  # 阿卜杜热合曼·买买提江·阿卜力孜, as lists show it


@pytest.mark.parametrize("minutes", [(20,), (15,), (20, 20), (20, 20, 20)])
def test_a_long_name_and_its_number_are_read_in_a_weeks_block(page: Page, minutes: tuple[int, ...]) -> None:
    """As wide as the desk leaves it at 1366. Of three that stand side by side the tooltip has the name."""
    rows = []
    for number, length in enumerate(minutes):
        row, start = exam_row(1), START + timedelta(hours=1, minutes=number)
        row["patient"]["name_masked"] = LONG
        ends = start + timedelta(minutes=length)
        rows.append(
            row
            | {
                "id": f"w{number}",
                "queue_number": 108,
                "starts_at": start.isoformat(),
                "ends_at": ends.isoformat(),
            }
        )
    for name, number, title in page.evaluate(READABLE, [rows, 855]):
        assert number
        assert name or len(minutes) > 2
        assert "108" in title and LONG in title
    if folder := os.environ.get("SCREENSHOTS"):
        page.locator("#board").screenshot(path=f"{folder}/week-long-name-{len(minutes)}-{minutes[0]}.png")


def take_up(page: Page, number: int) -> tuple[float, float]:
    """A block in the hand, the mouse pressed on it."""
    block = page.locator(f".block[data-id=e{number}]")
    box = block.bounding_box()
    assert box is not None
    x, y = box["x"] + 20, box["y"] + 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=3)
    expect(page.locator(".ghost")).to_have_count(1)
    return x, y


def test_a_booking_carried_to_the_windows_edge_takes_page_and_board_with_it(page: Page) -> None:
    """In a small window the board ends below it: a later time is reached without letting go."""
    page.set_viewport_size({"width": 1366, "height": 440})
    where = "() => [window.scrollY, document.getElementById('board').scrollTop]"
    assert page.locator("#board").evaluate("node => node.getBoundingClientRect().bottom") > 440
    x, _ = take_up(page, 0)
    for n in range(80):
        page.mouse.move(x, 424 + n % 2)
    scrolled, down = page.evaluate(where)
    assert scrolled > 0 and down > 0
    assert page.locator("#board").evaluate("node => node.getBoundingClientRect().bottom") <= 440
    expect(page.locator(".ghost")).to_be_in_viewport()
    for n in range(120):
        page.mouse.move(x, 8 + n % 2)
    assert page.evaluate(where)[1] == 0
    page.keyboard.press("Escape")
    page.mouse.up()


def test_escape_lets_go_of_a_booking_in_the_hand(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    x, y = take_up(page, 0)
    page.keyboard.press("Escape")
    expect(page.locator(".ghost, .lifted, .dragging")).to_have_count(0)
    page.mouse.move(x, y + 90)
    page.mouse.up()
    expect(page.locator(".ghost")).to_have_count(0)
    page.evaluate("new Promise((done) => setTimeout(done, 0))")
    assert [url for url in asked if "/move" in url] == []


def test_in_english_a_refusal_has_english_names(page: Page) -> None:
    said = page.evaluate(
        """async (taken) => {
          document.documentElement.lang = "en";
          const { errorNode } = await import("/static/console/errors.js");
          return errorNode({ status: 409, code: "taken", data: { taken } }).textContent;
        }""",
        [
            {"kind": "room", "name": "超声 1 室", "name_en": "Ultrasound room 1",
             "starts_at": START.isoformat(), "ends_at": START.isoformat()},
        ],
    )  # fmt: skip
    assert "Ultrasound room 1" in said and "超声" not in said


def test_a_refusal_on_a_festival_says_who_is_closed_and_why(page: Page) -> None:
    refusal = page.evaluate(
        """async (data) => {
          const { errorNode } = await import("/static/console/errors.js");
          return [...errorNode({ status: 409, code: "resource_closed", title: "停诊", data }).querySelectorAll("li")].map((row) => row.textContent);
        }""",
        {
            "closed": [{"kind": "room", "name": "超声 1 室", "name_en": "Ultrasound room 1"}],
            "holiday": {"day": "2026-02-18", "name": "春节", "name_en": "Spring Festival"},
        },
    )
    assert refusal == [
        "检查室 超声 1 室",
        "2026-02-18 是法定节假日（春节），平日的出诊时间不适用；确需当天开诊，请先在“排班”页加班出诊。",
    ]


@pytest.mark.parametrize(
    ("date", "first"),
    [("2026-11-26", "2026-11-23"), ("2026-11-23", "2026-11-23"), ("2026-11-29", "2026-11-23")],
)
def test_a_week_begins_on_its_monday(page: Page, date: str, first: str) -> None:
    monday = "async (date) => (await import('/static/console/board_rows.js')).monday(date)"
    assert page.evaluate(monday, date) == first


def test_who_is_offline_closed_or_busy_is_not_free(page: Page) -> None:
    names = page.evaluate(
        """async (at) => {
          const { freeAt } = await import("/static/console/board_rows.js");
          look.lines[1].online = false; look.lines[2].problem = "licence_unknown";
          return freeAt(look, Date.parse(at)).find((row) => row.kind === "room").free.map(({ line }) => line.key);
        }""",
        f"{DAY}T11:00:00+08:00",
    )
    assert names == [f"room{n}" for n in range(ROOMS) if n not in (1, 2)]
    free = "async (at) => (await import('/static/console/board_rows.js')).freeAt(look, Date.parse(at))[0].free.length"
    assert page.evaluate(free, f"{DAY}T09:30:00+08:00") == 0
    assert page.evaluate(free, f"{DAY}T07:30:00+08:00") == 0

"""The board in two real windows: a drag, a refused drop, the keyboard, news between them, a socket that drops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from hospital.access.models import Institution
from hospital.common.clock import SHANGHAI, now, shanghai_day, today
from teleconsult import telling
from teleconsult.models import Exam
from tests.e2e.asgi import beside_browser
from tests.e2e.browser import chromium
from tests.e2e.key_steps import sign_in_with_code
from tests.e2e.steps_tablet import shot
from tests.e2e.windows import site_of, world_of
from tests.factories import World
from tests.owner import as_owner
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
DAY = today() + timedelta(days=1)
NOON = shanghai_day(DAY)[0] + timedelta(hours=12)
NAMED = {"name": "上海市青浦区朱家角人民医院", "name_en": "Zhujiajiao People's Hospital, Qingpu, Shanghai"}


@pytest.fixture
def world(settings: Any) -> World:
    return world_of(settings, "desk")


@pytest.fixture
def site(world: World, settings: Any) -> Iterator[str]:
    with site_of(settings) as address:
        yield address


# Whether the lower edge of a button can be pressed: nothing lies over it.
SEEN = """node => {
  const box = node.getBoundingClientRect();
  return node.contains(document.elementFromPoint(box.x + box.width / 2, box.bottom - 3));
}"""
Book = Callable[..., Any]


@pytest.fixture
def book(world: World) -> Iterator[Book]:
    """Books while a browser is open."""
    with beside_browser() as beside:
        yield lambda **changes: beside(world.book, **changes)


@pytest.fixture
def context(site: str) -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield window(browser, site)


def window(browser: Browser, site: str) -> BrowserContext:
    return browser.new_context(base_url=site, viewport={"width": 1366, "height": 900})


@pytest.fixture
def board(context: BrowserContext, world: World) -> Page:
    """The board of tomorrow; the desk is signed in."""
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    return opened(page)


def opened(page: Page) -> Page:
    page.goto(f"/console/desk/?day={DAY}")
    expect(page.locator("body[data-news=open]")).to_be_attached()
    return page


def block(page: Page, exam: Any) -> Any:
    return page.locator(f".block[data-id='{exam.id}']")


def drag(page: Page, exam: Any, *, minutes: int, column: str | None = None) -> None:
    """Three pixels a minute, in steps as a hand moves; `column` is the name of the one it goes to."""
    block(page, exam).scroll_into_view_if_needed()
    box = block(page, exam).bounding_box()
    assert box is not None
    x, y = box["x"] + 20, box["y"] + 10
    to = page.get_by_role("group", name=column, exact=True).bounding_box() if column else box
    assert to is not None
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to["x"] + 20, y + minutes * 3, steps=6)
    page.mouse.up()


def stands(exam: Any) -> tuple[datetime, Any]:
    """When and where the database has it."""
    (row,) = as_owner(f"SELECT starts_at, room_id FROM teleconsult_exam WHERE id = '{exam.id}'")
    return row[0], row[1]


def test_a_booking_dragged_to_another_room_and_time_is_moved(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    expect(block(board, exam)).to_contain_text("12:00 王*东")
    drag(board, exam, minutes=30, column="2 室")
    expect(board.get_by_role("group", name="2 室", exact=True).locator(".block")).to_contain_text("12:30")
    assert stands(exam) == (NOON + timedelta(minutes=30), world.room2.id)


def test_a_refused_drop_says_why_beside_the_place_and_the_booking_stays(
    world: World, book: Book, board: Page
) -> None:
    exam = book(starts_at=NOON)
    other = book(starts_at=NOON + timedelta(minutes=60))
    expect(block(board, other)).to_be_visible()
    drag(board, exam, minutes=50)
    reason = board.locator(".refusal")
    expect(reason).to_contain_text("以下已被占用")
    expect(reason).to_contain_text("1 室")
    expect(block(board, exam)).to_contain_text("12:00")
    assert stands(exam) == (NOON, world.room.id)
    reason.get_by_role("button", name="关闭").click()
    expect(reason).to_have_count(0)


def test_a_short_pull_is_a_click_that_opens_the_booking(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    block(board, exam).click()
    expect(board.locator("#panel")).to_contain_text("王小东")
    drag(board, exam, minutes=1)
    assert stands(exam)[0] == NOON


def test_the_keyboard_carries_a_booking_and_can_let_it_go(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    expect(block(board, exam)).to_be_visible()
    block(board, exam).focus()
    for key in ("m", "ArrowDown", "ArrowRight", "Escape"):
        board.keyboard.press(key)
    expect(board.locator(".ghost")).to_have_count(0)
    for key in ("m", "ArrowUp", "ArrowUp", "ArrowRight", "Enter"):
        board.keyboard.press(key)
    expect(board.get_by_role("group", name="2 室", exact=True).locator(".block")).to_contain_text("11:50")
    assert stands(exam) == (NOON - timedelta(minutes=10), world.room2.id)
    expect(block(board, exam)).to_be_focused()
    board.keyboard.press("Enter")
    expect(board.locator("#panel")).to_contain_text("王小东")


def test_arrows_go_from_booking_to_booking(world: World, book: Book, board: Page) -> None:
    first = book(starts_at=NOON)
    second = book(starts_at=NOON + timedelta(minutes=40))
    far = book(starts_at=NOON + timedelta(minutes=80), room_id=world.room2.id)
    expect(block(board, far)).to_be_visible()
    block(board, first).focus()
    for key, next_one in (
        ("ArrowDown", second),
        ("ArrowRight", far),
        ("ArrowLeft", second),
        ("ArrowUp", first),
    ):
        board.keyboard.press(key)
        expect(block(board, next_one)).to_be_focused()


def test_two_windows_see_each_others_changes_within_a_second(
    world: World, book: Book, board: Page, context: BrowserContext
) -> None:
    other = opened(context.new_page())
    exam = book(starts_at=NOON)
    for page in (board, other):
        expect(block(page, exam)).to_be_visible(timeout=1000)
    drag(board, exam, minutes=30)
    expect(block(other, exam)).to_contain_text("12:30", timeout=1000)


def test_after_a_dropped_socket_the_board_is_read_again(
    world: World, book: Book, context: BrowserContext
) -> None:
    """News of the time without a socket are not lost: the board is read when it is back."""
    page = context.new_page()
    sign_in_with_code(page, world, "desk")
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        lost = len(sockets) == 1  # the first one carries nothing but its beginning
        server.on_message(lambda text: None if lost and "changed" in str(text) else socket.send(text))

    page.goto(
        "about:blank"
    )  # or the page after the sign-in might open its socket late, as the first of these
    page.route_web_socket("**/ws/desk/**", through)
    opened(page)
    exam = book(starts_at=NOON)
    sockets[0].close()
    expect(block(page, exam)).to_be_visible(timeout=4000)
    assert len(sockets) == 2
    other = book(starts_at=NOON + timedelta(minutes=60))
    expect(block(page, other)).to_be_visible(timeout=1000)


def test_a_booking_is_found_by_pinyin_and_opened(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    board.locator("#board-q").fill("wang xiaodong")
    board.keyboard.press("Enter")
    board.locator("#panel").get_by_role("button", name="查看").click()
    expect(board.locator("#panel")).to_contain_text("胆囊结石？")
    expect(block(board, exam)).to_have_attribute("aria-current", "true")


def test_who_finds_by_keyboard_goes_on_from_the_booking(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    board.locator("#board-q").fill("wang")
    board.keyboard.press("Enter")
    expect(board.locator("#panel li button")).to_be_focused()
    board.keyboard.press("Enter")
    expect(block(board, exam)).to_be_focused()
    for key in ("m", "ArrowDown", "Enter"):
        board.keyboard.press(key)
    expect(block(board, exam)).to_contain_text("12:05")
    expect(block(board, exam)).to_be_focused()
    cancel = board.locator("#panel").get_by_role("button", name="取消预约")
    expect(cancel).to_be_visible()
    cancel.focus()
    board.keyboard.press("Enter")
    expect(board.locator("dialog .chips button").first).to_be_focused()
    board.keyboard.press("Enter")  # the first of the reasons
    expect(board.locator("dialog textarea")).to_be_focused()
    board.keyboard.press("Tab")
    board.keyboard.press("Enter")
    expect(block(board, exam)).to_have_count(0)
    expect(board.locator("#panel")).to_be_focused()


def test_a_booking_on_another_day_is_found_and_stands_ready_for_the_keyboard(
    world: World, book: Book, board: Page
) -> None:
    exam = book(starts_at=NOON + timedelta(days=1))
    board.locator("#board-q").fill("wang")
    board.keyboard.press("Enter")
    board.locator("#panel").get_by_role("button", name="查看").click()
    expect(block(board, exam)).to_be_focused()
    expect(block(board, exam)).to_be_in_viewport()


def test_news_of_the_open_booking_leave_the_keyboard_where_it_is(
    world: World, book: Book, board: Page, context: BrowserContext
) -> None:
    exam, other = book(starts_at=NOON), opened(context.new_page())
    block(board, exam).click()
    cancel = board.locator("#panel").get_by_role("button", name="取消预约")
    cancel.focus()
    drag(other, exam, minutes=30)
    expect(board.locator("#panel .facts")).to_contain_text("12:30")
    expect(cancel).to_be_focused()


@pytest.mark.parametrize(("minutes", "column"), [(30, None), (0, "2 室")])
def test_a_booking_that_another_desk_changed_meanwhile_is_not_moved_unseen(
    world: World, book: Book, board: Page, context: BrowserContext, minutes: int, column: str | None
) -> None:
    exam = book(starts_at=NOON)
    there = NOON + timedelta(minutes=minutes), (world.room2 if column else world.room).id
    block(board, exam).click()
    board.locator("#panel").get_by_role("button", name="改期").click()
    form = board.locator("dialog[open]")
    form.get_by_label("开始时间").fill("15:00")
    other = opened(context.new_page())
    drag(other, exam, minutes=minutes, column=column)
    until(lambda: stands(exam) == there, timeout_s=10, what="the other desk's change")
    form.locator("form .primary, form .actions button").first.click()
    expect(form.locator("[role=alert]")).to_contain_text("changed_meanwhile")
    shot(board, "desk-changed-meanwhile")
    assert stands(exam) == there
    form.get_by_role("button", name="返回").click()
    panel = board.locator("#panel")
    expect(panel).to_contain_text("12:30" if minutes else "2 室")  # as it is now, to decide from
    panel.get_by_role("button", name="改期").click()
    form.get_by_label("开始时间").fill("15:00")
    form.locator("form .primary").click()
    expect(block(board, exam)).to_contain_text("15:00")
    assert stands(exam) == (NOON + timedelta(hours=3), there[1])


def test_nobody_is_called_missing_before_the_time(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    block(board, exam).click()
    panel = board.locator("#panel")
    expect(panel.get_by_role("button", name="取消预约")).to_be_visible()
    expect(panel.get_by_role("button", name="患者未到")).to_have_count(0)
    with beside_browser() as beside:
        beside(Exam.objects.filter(id=exam.id).update, starts_at=NOON - timedelta(days=2))
    panel.get_by_role("button", name="关闭").click()
    block(board, exam).click()
    expect(panel.get_by_role("button", name="患者未到")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_week_and_its_tools_fit_a_small_window(board: Page, language: str) -> None:
    board.context.add_cookies([{"name": "lang", "value": language, "url": board.url}])
    board.set_viewport_size({"width": 1366, "height": 768})
    board.goto(f"/console/desk/?day={DAY}&view=week")
    expect(board.locator(".board-column")).to_have_count(7)
    assert board.locator("#board").evaluate("node => node.scrollWidth <= node.clientWidth")
    tops = {
        round(box["y"]) for node in board.locator(".board-tools button").all() if (box := node.bounding_box())
    }
    assert len(tops) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (768, 1024)])
def test_the_board_has_most_of_a_small_window_beside_an_alarm_that_is_seen(
    world: World, book: Book, board: Page, width: int, height: int, language: str
) -> None:
    soon = book(starts_at=now() + timedelta(minutes=10))  # its robot is not there
    with beside_browser() as beside:
        home = beside(Institution.objects.filter(id=world.places["home"].id).update, **NAMED)
        beside(telling.late, soon)
    assert home == 1
    for number in range(3):
        book(starts_at=now() + timedelta(minutes=40 + 30 * number))
    board.context.add_cookies([{"name": "lang", "value": language, "url": board.url}])
    board.set_viewport_size({"width": width, "height": height})
    board.goto(f"/console/desk/?day={soon.starts_at.astimezone(SHANGHAI).date()}")
    alarm = board.locator("#alarms .alarm")
    expect(alarm).to_be_in_viewport(ratio=1)
    expect(board.locator("#now section")).to_have_count(4)
    expect(board.locator("#notice-bell")).to_be_visible()
    lines = 1 if width > 1000 else 2
    assert board.locator("header.top").evaluate("node => node.offsetHeight") < lines * 50 + 10
    shot(board, f"desk-small-{width}-{language}")
    seen = "node => { const box = node.getBoundingClientRect(); return Math.min(box.bottom, innerHeight) - box.top; }"
    assert board.locator("#board").evaluate(seen) >= 0.6 * height
    free = board.locator("#now .now-free")
    free.hover()
    expect(free.get_by_text("赵雅琴")).to_be_in_viewport(
        ratio=1
    )  # a group shows the rest when somebody points at it
    shot(board, f"desk-small-open-{width}-{language}")
    for node in (*alarm.locator("li").all(), *board.locator("#now h2").all()):
        expect(node).to_be_in_viewport(ratio=1)


def test_the_week_shows_every_day_and_a_drop_goes_to_another(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    board.get_by_role("button", name="周", exact=True).click()
    expect(board.locator(".board-column")).to_have_count(7)
    expect(block(board, exam)).to_be_visible()
    assert board.locator(f".board-column[data-column='{DAY}']").locator(".block").count() == 1


def test_the_day_is_printed_as_a_list_without_the_tools(world: World, book: Book, board: Page) -> None:
    exam = book(starts_at=NOON)
    expect(block(board, exam)).to_be_visible()
    board.emulate_media(media="print")
    expect(board.locator("#day-list")).to_be_visible()
    expect(board.locator("#day-list")).to_contain_text("王*东")
    for tool in ("#board", "#panel", ".board-tools", "#now"):
        expect(board.locator(tool)).to_be_hidden()
    assert NOON.astimezone(SHANGHAI).strftime("%Y-%m-%d") in board.locator("#print-title").inner_text()


def test_an_emergency_takes_a_taken_time_with_a_reason(world: World, book: Book, board: Page) -> None:
    planned = book(starts_at=NOON)
    expect(block(board, planned)).to_be_visible()
    board.locator("#find-patient").fill("王小东")
    board.locator("#panel form .primary").click()
    board.locator("#panel .picks button").click()
    panel = board.locator("#panel")
    panel.get_by_label("检查目的").fill("急性腹痛")
    for part, name in (
        ("remote_physician", "王思远"),
        ("bedside_physician", "李建国"),
        ("robot", "机器人"),
        ("room", "1 室"),
    ):
        value = panel.locator(f"select[name={part}] option", has_text=name).first.get_attribute("value")
        panel.locator(f"select[name={part}]").select_option(value)
    panel.get_by_label("开始时间").fill("12:00")
    panel.get_by_role("button", name="预约", exact=True).click()
    box = panel.locator(".displace")
    expect(box).to_contain_text("让出时间")
    expect(box.get_by_role("button")).to_be_in_viewport()
    shot(board, "displace")
    box.get_by_role("button").click()
    expect(box.locator("[role=alert]")).to_contain_text("理由")
    assert box.get_by_role("button").evaluate(SEEN)
    box.get_by_label("理由").fill("急性胆囊炎")
    box.get_by_role("button").click()
    expect(board.locator("#notices")).to_contain_text("急诊已预约")
    rows = as_owner("SELECT state, end_code, priority FROM teleconsult_exam ORDER BY created_at")
    assert rows == [("cancelled", "displaced", "routine"), ("booked", "", "stat")]

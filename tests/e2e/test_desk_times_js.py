"""The booking form's search in Chromium: a found time is kept, fills the form and is booked; by hand it is let go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from teleconsult.console.texts import texts_in

from .browser import static_server

SHANGHAI = timezone(timedelta(hours=8))
DAY = (datetime.now(SHANGHAI) + timedelta(days=3)).date().isoformat()
TYPE = {"code": "abdomen", "name_zh": "上腹部", "name_en": "Abdomen", "minutes": 20, "assistant": False}
HELPED = TYPE | {"code": "helped", "name_zh": "需助手", "assistant": True}
PEOPLE = {
    "remote_physician": [("r1", "王思远"), ("r2", "赵雅琴")],
    "bedside_physician": [("b1", "李建国"), ("b2", "徐芳")],
    "assistant": [("a1", "孙洁")],
}
FREE = {"remote_physician": ["r1", "r2"], "bedside_physician": ["b2"], "robot": ["m1"], "room": ["z1"]}
WHO = {one: {"name": name, "name_en": "", "kind": "person"} for rows in PEOPLE.values() for one, name in rows}
HOLD_OVER = {"code": "hold_over", "title": "预留时间已失效，请重新选择。"}
BODY = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><link rel="stylesheet" href="/static/console/console.css"></head>
<body class="desk"><main><div class="split"><section></section><aside class="panel" id="panel"></aside></div></main>
<div id="notices"></div><script type="application/json" id="texts">{texts}</script>
<script type="module">
import {{ bookForm }} from "/static/console/desk_book.js";
const patient = {{ id: "p1", name: "王小东", mpi: "P1", sex: "1", age: 76 }};
const booked = (exam) => {{ window.booked = exam; }};
document.getElementById("panel").append(bookForm({{ patient, day: "{day}", onBooked: booked, onChangePatient() {{}} }}));
</script></body></html>"""


def time_row(clock: str, **free: Any) -> dict[str, Any]:
    start = datetime.fromisoformat(f"{DAY}T{clock}:00+08:00")
    return {
        "starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=20)).isoformat(),
        "institution_id": "i", "institution": "朱家角", "institution_en": "Zhujiajiao", "free": FREE | free,
    }  # fmt: skip


class Form:
    """The form in a page; `asked` is what went to the API, with its body where it has one."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.asked, self.notices = page, list[tuple[str, Any]](), list[dict[str, str]]()
        self.refuse: dict[str, Any] = {}
        html = BODY.format(texts=json.dumps(texts_in("zh")), day=DAY)
        page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", self._answer)
        page.goto(f"{address}/page")
        expect(page.get_by_role("button", name="找空闲时间")).to_be_visible()

    def _people(self, role: str) -> list[dict[str, str]]:
        return [{"id": one, "name": name, "institution": "朱家角"} for one, name in PEOPLE[role]]

    def _get(self, path: str) -> dict[str, Any]:
        things = {"robots": ("m1", "机器人"), "resources": ("z1", "1 室")}
        name, _, query = path.partition("?")
        if name == "exam-types":
            return {"results": [TYPE, HELPED]}
        if name == "practitioners":
            return {"results": self._people(query.removeprefix("role="))}
        if name in things:
            return {"results": [{"id": things[name][0], "name": things[name][1]}]}
        if name == "times":
            more = "page=2" in query
            rows = [time_row("09:40")] if more else [time_row("09:00"), time_row("09:20", assistant=["a1"])]
            after = None if more else "/api/v1/times?page=2"
            return {"results": rows, "next": after, "who": WHO, "notices": self.notices}
        return {"results": [], "next": None}

    def _answer(self, route: Route) -> None:
        path = route.request.url.split("/api/v1/")[1]
        name, method = path.partition("?")[0], route.request.method
        self.asked.append((f"{method} {path if name == 'times' else name}", route.request.post_data_json))
        refused = self.refuse.pop(f"{method} {name}", None)
        if refused:
            route.fulfill(status=409, body=json.dumps(refused), content_type="application/problem+json")
        elif method == "DELETE":
            route.fulfill(status=204)
        elif method == "GET":
            route.fulfill(body=json.dumps(self._get(path)), content_type="application/json")
        else:
            answer = {"id": "h1", "expires_at": f"{DAY}T08:10:00+08:00", "starts_at": f"{DAY}T09:20:00+08:00"}
            answer |= {"patient": {"name": "王小东"}}  # type: ignore[dict-item]
            route.fulfill(status=201, body=json.dumps(answer), content_type="application/json")

    def find(self) -> None:
        self.page.get_by_role("button", name="找空闲时间").click()
        expect(self.page.locator(".picks li")).to_have_count(2)

    def take(self, clock: str) -> None:
        self.page.get_by_role("button", name=f"{clock}–").click()
        expect(self.page.get_by_text("已为您预留到 08:10。")).to_be_visible()

    def book(self) -> Any:
        self.page.get_by_label("检查目的").fill("复查")
        self.page.get_by_role("button", name="预约", exact=True).click()
        self.page.wait_for_function("window.booked")
        return self.bodies("POST exams")[-1]

    def bodies(self, call: str) -> list[Any]:
        return [body for asked, body in self.asked if asked == call]


@pytest.fixture
def form(browser: Browser) -> Iterator[Form]:
    page = browser.new_page()
    with static_server() as address:
        yield Form(page, address)
        page.close()


def test_a_found_time_is_kept_fills_the_form_and_is_booked_in_its_place(form: Form) -> None:
    form.page.locator("select[name=bedside_physician]").select_option("b2")
    form.find()
    (search,) = [asked for asked, _ in form.asked if asked.startswith("GET times")]
    assert "exam_type=abdomen" in search and "person=b2" in search
    form.take("09:20")
    (kept,) = form.bodies("POST holds")
    assert kept["bedside_physician_id"] == "b2" and kept["remote_physician_id"] == "r1"
    expect(form.page.get_by_label("开始时间")).to_have_value("09:20")
    body = form.book()
    assert (body["hold_id"], body["room_id"], body["remote_physician_id"]) == ("h1", "z1", "r1")
    assert "assistant_id" not in body
    assert form.bodies("DELETE holds/h1") == []


def test_who_changes_the_time_by_hand_lets_the_kept_one_go(form: Form) -> None:
    form.find()
    form.take("09:00")
    form.page.get_by_label("开始时间").fill("1000")
    form.page.get_by_label("开始时间").blur()
    expect(form.page.get_by_text("已为您预留到")).to_have_count(0)
    assert "hold_id" not in form.book()
    assert len(form.bodies("DELETE holds/h1")) == 1


def test_more_times_follow_and_a_notice_is_told(form: Form) -> None:
    form.notices.append({"code": "holidays_unknown", "title": "该年度的节假日安排尚未收录。"})
    form.find()
    expect(form.page.get_by_text("该年度的节假日安排尚未收录。")).to_be_visible()
    form.page.get_by_role("button", name="更多").click()
    expect(form.page.locator(".picks li")).to_have_count(3)
    expect(form.page.get_by_role("button", name="更多")).to_be_hidden()


def test_a_time_that_went_meanwhile_is_said_and_the_list_is_fresh(form: Form) -> None:
    form.find()
    form.refuse["POST holds"] = {"code": "resource_closed", "title": "停诊", "closed": [{"name": "王思远"}]}
    form.page.locator(".picks button").first.click()
    expect(form.page.get_by_role("alert")).to_contain_text("停诊")
    expect(form.page.get_by_role("alert")).to_contain_text("王思远")
    assert len([asked for asked, _ in form.asked if asked.startswith("GET times")]) == 2


def test_a_kept_time_that_ended_is_said_and_the_next_try_goes_without_it(form: Form) -> None:
    form.find()
    form.take("09:20")
    form.page.get_by_label("检查目的").fill("复查")
    form.refuse["POST exams"] = HOLD_OVER
    form.page.get_by_role("button", name="预约", exact=True).click()
    expect(form.page.get_by_role("alert")).to_contain_text("预留时间已失效")
    assert "hold_id" not in form.book()


def test_an_assistant_is_asked_for_only_where_the_exam_needs_one(form: Form) -> None:
    helper = form.page.locator("select[name=assistant]")
    expect(helper).to_be_hidden()
    form.page.get_by_label("检查项目").select_option("helped")
    expect(helper).to_be_visible()
    form.find()
    form.take("09:20")
    expect(helper).to_have_value("a1")
    assert form.book()["assistant_id"] == "a1"

"""The keeping page's scripts in Chromium, with a server whose every request is seen and whose answers may fail or wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from teleconsult.console.texts import texts_in

from .browser import static_server

PATIENT: dict[str, Any] = {
    "id": "a", "mpi": "P00000001", "name": "王小东", "name_masked": "王*东", "sex": "1", "birth_date": "1950-03-15",
    "document_tail": "0012", "phone_tail": "0001",
}  # fmt: skip
FORESEEN: dict[str, Any] = {
    "goes": [{"class": "people.message", "zh": "发给本人的消息", "en": "messages", "count": 2}],
    "stays": [{
        "class": "records.report", "zh": "检查报告", "en": "reports", "count": 1, "until": "2041-11-27",
        "why_zh": "保存不少于15年", "why_en": "15 years", "from_zh": "最近一次就诊结束", "from_en": "the last visit",
    }],
    "restricted": True,
}  # fmt: skip
ASKED: dict[str, Any] = FORESEEN | {
    "id": "r1", "status": "answered", "received_at": "2026-11-26T01:00:00Z", "due_at": "2026-12-11T01:00:00Z",
    "waits_for": None, "answered_at": "2026-11-26T01:00:01Z", "on_paper": "P-9", "overdue": False,
}  # fmt: skip
WAITS = ASKED | {
    "id": "r2", "status": "received", "answered_at": None, "waits_for": "report_open", "overdue": True,
    "goes": [], "stays": [], "restricted": False,
}  # fmt: skip
HOLD: dict[str, Any] = {
    "id": "h1", "subject_kind": "patient", "subject_id": "00000000-0000-0000-0000-0000000000ab", "until": None,
    "case_number": "1号", "reason": "诉讼", "set_by": "陈静", "set_at": "2026-11-26T01:00:00Z", "lifted_by": None,
    "lifted_at": None, "lifted_reason": "", "standing": True, "own": False,
}  # fmt: skip
BODY = """<!doctype html><html lang="zh"><body><div id="tabs"></div><section id="panel-ask"></section>
<section id="panel-holds"><select id="holds-which"><option value="?standing=true">a</option><option value="">b</option>
</select><button id="new-hold"></button><div id="holds"></div></section><section id="panel-requests">
<select id="requests-which"><option value=""></option><option value="?waiting=true"></option></select>
<div id="requests"></div></section><section id="panel-reopen"></section><div id="notices"></div>
<script type="application/json" id="texts">{texts}</script>
<script type="application/json" id="page-config">{{"asks": true, "holds": true}}</script>
<script type="module" src="/static/console/keeping.js"></script></body></html>"""
Answer = Any | Callable[[Route], None]


class Opened:
    """The page; `answers` by (method, path) is a body, a (status, body), or a function; `sent` what changed something."""

    def __init__(self, page: Page, address: str, answers: dict[tuple[str, str], Answer], query: str) -> None:
        self.page, self.answers = page, answers
        self.sent = list[tuple[str, Any]]()
        html = BODY.format(texts=json.dumps(texts_in("zh")))
        page.route("**/page*", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", self._answer)
        page.goto(f"{address}/page{query}")
        page.locator("[role=tab]").first.wait_for()

    def _answer(self, route: Route) -> None:
        asked = route.request
        path = asked.url.split("/api/v1/")[1]
        if asked.method == "POST":
            self.sent.append((path, json.loads(asked.post_data or "null")))
        found = self.answers.get((asked.method, path), {"results": [], "next": None})
        if callable(found):
            found(route)
            return
        status, body = found if isinstance(found, tuple) else (200, found)
        route.fulfill(status=status, body=json.dumps(body), content_type="application/json")


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    page = browser.new_page()
    with static_server() as address:
        yield lambda answers, query="": Opened(page, address, answers, query)
        page.close()


def chosen(answer: Answer = FORESEEN, asked: Answer = ASKED) -> dict[tuple[str, str], Answer]:
    return {
        ("GET", "patients/a"): PATIENT,
        ("GET", "patients/a/erasure-requests"): answer,
        ("POST", "patients/a/erasure-requests"): asked,
    }


def test_the_desk_reads_what_will_happen_before_there_is_a_form_and_nothing_goes_unticked(
    opened: Any,
) -> None:
    found = opened(chosen(), "?patient=a#ask")
    page = found.page
    expect(page.locator("#panel-ask")).to_contain_text("2041-11-27")
    expect(page.locator("#panel-ask .warning")).to_contain_text("只存储")
    form = page.locator("#panel-ask form")
    form.locator("button").click()
    form.locator("input").first.fill("P-9")
    form.locator("button").click()
    expect(form.locator(".alert")).to_be_visible()
    assert found.sent == []
    form.locator("#seen").check()
    form.locator("button").click()
    link = page.get_by_role("link", name="打印答复")
    expect(link).to_be_focused()
    assert link.get_attribute("href") == "/console/keeping/requests/r1/print/"
    assert found.sent == [("patients/a/erasure-requests", {"paper": "P-9"})]


def test_a_request_that_waits_says_for_what_and_prints_a_receipt(opened: Any) -> None:
    page = opened(chosen(asked=WAITS | {"overdue": False}), "?patient=a#ask").page
    page.locator("#panel-ask form input").first.fill("P-9")
    page.locator("#seen").check()
    page.locator("#panel-ask form button").click()
    expect(page.locator("#panel-ask .warning")).to_contain_text("报告尚未签发")
    expect(page.get_by_role("link", name="打印回执")).to_be_visible()
    expect(page.locator("#panel-ask .good-note")).to_have_count(0)


def test_a_patient_who_is_not_there_any_more_is_said_beside_the_search(opened: Any) -> None:
    problem = {"status": 404, "code": "not_found", "title": "没有找到。"}
    page = opened({("GET", "patients/a"): (404, problem)}, "?patient=a#ask").page
    expect(page.locator("#panel-ask .alert")).to_contain_text("没有找到")
    expect(page.locator("#find-patient")).to_be_visible()
    page.locator("#find-patient").fill("wang")
    page.locator("#find-patient").press("Enter")
    expect(page.locator("#panel-ask .note")).to_contain_text("请核对后再查")
    assert page.get_by_role("button", name="登记新患者").count() == 0


def test_going_back_from_the_proof_keeps_the_reason_for_lifting(opened: Any) -> None:
    stale = {"status": 403, "code": "step_up_required", "title": "请再次验证。"}
    answers: dict[tuple[str, str], Answer] = {
        ("GET", "legal-holds?standing=true"): {
            "results": [HOLD, HOLD | {"id": "h2", "own": True}],
            "next": None,
        },
        ("POST", "legal-holds/h1/lift"): (403, stale),
    }
    found = opened(answers, "#holds")
    page = found.page
    expect(page.locator("#holds tbody tr")).to_have_count(2)
    assert page.locator("#holds tbody button").count() == 1, "one's own is another's to lift"
    page.locator("#holds tbody button").click()
    page.locator("dialog textarea").fill("案件已审结")
    page.locator("dialog form button.danger").click()
    proof = page.locator("dialog.prove")
    proof.get_by_role("button", name="返回").click()
    expect(proof).to_have_count(0)
    expect(page.locator("dialog textarea")).to_have_value("案件已审结")
    answers["POST", "legal-holds/h1/lift"] = HOLD | {"standing": False}
    page.locator("dialog form button.danger").click()
    expect(page.locator("#notices .good-note")).to_contain_text("保全已解除")
    assert found.sent == [("legal-holds/h1/lift", {"reason": "案件已审结"})] * 2


def test_an_answer_that_comes_late_does_not_take_the_place_of_a_newer_question(opened: Any) -> None:
    kept = list[Route]()
    answers: dict[tuple[str, str], Answer] = {
        ("GET", "legal-holds?standing=true"): kept.append,
        ("GET", "legal-holds"): {"results": [HOLD | {"case_number": "新"}], "next": None},
    }
    page = opened(answers, "#holds").page
    page.locator("#holds-which").select_option("")
    expect(page.locator("#holds tbody")).to_contain_text("新")
    late = {"results": [HOLD | {"case_number": "旧"}], "next": None}
    with page.expect_response("**/legal-holds?standing=true"):
        kept[0].fulfill(body=json.dumps(late), content_type="application/json")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    expect(page.locator("#holds tbody")).to_contain_text("新")


def test_a_list_goes_on_behind_a_button_and_a_failure_is_tried_again(opened: Any) -> None:
    rows = [ASKED | {"id": f"r{n}", "on_paper": f"P-{n}"} for n in range(3)]
    answers: dict[tuple[str, str], Answer] = {
        ("GET", "erasure-requests"): (500, {"status": 500, "code": "unexpected", "title": "系统出错"}),
        ("GET", "erasure-requests?page=2"): {"results": [WAITS], "next": None},
    }
    page = opened(answers, "#requests").page
    expect(page.locator("#requests .alert")).to_contain_text("系统出错")
    answers["GET", "erasure-requests"] = {"results": rows, "next": "/api/v1/erasure-requests?page=2"}
    page.get_by_role("button", name="重试").click()
    expect(page.locator("#requests tbody tr")).to_have_count(3)
    page.get_by_role("button", name="显示更多").click()
    expect(page.locator("#requests tbody tr")).to_have_count(4)
    late = page.locator("#requests tr.overdue")
    expect(late).to_contain_text("报告尚未签发")
    expect(late).to_contain_text("已超期")


def test_arrow_keys_walk_the_tabs_and_no_field_takes_the_focus(opened: Any) -> None:
    page = opened({}, "#holds").page
    page.locator("#tab-holds").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#panel-ask #find-patient")).to_be_visible()
    expect(page.locator("#tab-ask")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-reopen")).to_be_focused()

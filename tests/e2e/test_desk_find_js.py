"""The desk's search and registration in Chromium: rows are masked, whoever is chosen is opened first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from teleconsult.console.texts import texts_in

from .browser import static_server

ROW: dict[str, Any] = {
    "id": "a", "mpi": "P00000001", "name_masked": "王*东", "name_exact": True, "sex": "1", "age": 76,
    "birth_date": "1950-03-15", "document_tail": "0012", "phone_tail": "0001", "verified": True,
}  # fmt: skip
OTHER = ROW | {
    "id": "b", "mpi": "P00000002", "name_masked": "王**", "name_exact": False, "birth_date": "1961-07-02",
    "age": 65, "document_tail": "0417", "phone_tail": "8123",
}  # fmt: skip
RECORD = ROW | {"name": "王小东", "document_type": "01", "document_masked": "310***0012"}
BODY = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><link rel="stylesheet" href="/static/console/console.css"></head>
<body class="desk"><main><div class="split"><section></section><aside class="panel" id="panel"></aside></div></main>
<div id="notices"></div><script type="application/json" id="texts">{texts}</script>
<script type="module">
import {{ findForm }} from "/static/console/desk_find.js";
import {{ registerForm }} from "/static/console/desk_register.js";
const chosen = (patient) => {{ window.chosen = patient; }};
const form = location.hash === "#register"
  ? registerForm({{ onPatient: chosen, onBack() {{}} }}) : findForm({{ onPatient: chosen, onRegister() {{}} }});
document.getElementById("panel").append(form);
</script></body></html>"""


class Desk:
    """The form in a page; `asked` is every request to the API; `known` are the records that can be opened."""

    def __init__(self, page: Page, address: str, form: str) -> None:
        self.page, self.asked, self.known = page, list[str](), {"a": RECORD}
        html = BODY.format(texts=json.dumps(texts_in("zh")))
        page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", self._answer)
        page.goto(f"{address}/page#{form}")

    def _answer(self, route: Route) -> None:
        path = route.request.url.split("/api/v1/")[1]
        self.asked.append(f"{route.request.method} {path.partition('?')[0]}")
        answer: Any = {"results": [ROW, OTHER], "next": None}
        if path.startswith("patients/"):
            answer = self.known.get(path.removeprefix("patients/"))
        problem = {"code": "not_found", "title": "没有找到"}
        route.fulfill(
            status=200 if answer else 404,
            body=json.dumps(answer or problem),
            content_type="application/json" if answer else "application/problem+json",
        )

    def search(self, words: str) -> None:
        self.page.locator("#find-patient").fill(words)
        self.page.get_by_role("button", name="查找").click()
        expect(self.page.locator(".picks li")).to_have_count(2)

    def chosen(self) -> Any:
        return self.page.wait_for_function("window.chosen").json_value()


@pytest.fixture
def desk(browser: Browser) -> Iterator[Any]:
    page = browser.new_page()
    with static_server() as address:
        yield lambda form: Desk(page, address, form)
        page.close()


def test_who_typed_the_whole_name_sees_which_row_it_is_though_it_is_masked(desk: Any) -> None:
    found = desk("find")
    found.search("王小东")
    rows = found.page.locator(".picks li")
    for words in ("王*东", "姓名与输入一致", "76 岁", "1950-03-15", "0012", "0001", "P00000001"):
        expect(rows.nth(0)).to_contain_text(words)
    expect(rows.nth(1)).not_to_contain_text("姓名与输入一致")
    assert "王小东" not in found.page.locator(".picks").inner_text()


def test_choosing_opens_the_record_and_goes_on_with_its_whole_name(desk: Any) -> None:
    found = desk("find")
    found.search("wxd")
    found.page.get_by_role("button", name="选择 王*东 P00000001").click()
    assert found.chosen()["name"] == "王小东"
    assert found.asked == ["GET patients", "GET patients/a"]


def test_a_row_that_cannot_be_opened_is_not_chosen(desk: Any) -> None:
    found = desk("find")
    found.search("wxd")
    found.page.get_by_role("button", name="选择 王** P00000002").click()
    expect(found.page.get_by_role("alert")).to_contain_text("没有找到")
    assert found.page.evaluate("window.chosen") is None


def test_a_namesake_is_pointed_out_masked_and_opened_when_it_is_the_one(desk: Any) -> None:
    found = desk("register")
    page = found.page
    page.get_by_label("姓名").fill("王小东")
    page.get_by_label("证件号码").fill("310229195003150012")
    page.get_by_label("手机号码").fill("13900000001")
    page.get_by_role("button", name="登记", exact=True).click()
    picks = page.locator(".picks li")
    expect(picks).to_have_count(1)
    expect(picks).to_contain_text("王*东")
    picks.get_by_role("button").click()
    assert found.chosen()["name"] == "王小东"
    assert found.asked == ["GET patients", "GET patients/a"]

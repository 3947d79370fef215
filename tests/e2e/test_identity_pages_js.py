"""The identity and corrections pages' scripts in Chromium, with a server whose every request is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from teleconsult.console.texts import texts_in

from .browser import static_server

LEFT: dict[str, Any] = {
    "id": "a", "own": True, "mpi": "P00000001", "name": "王小东", "sex": "1", "birth_date": "1950-03-15",
    "document_type": "01", "document_masked": "310***0012", "document_tail": "0012", "phone_masked": "139***0001",
    "phone_tail": "0001", "institution": "甲医院", "registered_at": "2026-11-24T01:00:00Z",
}  # fmt: skip
LEFT["name_masked"] = "王*东"
RIGHT = LEFT | {
    "id": "b", "mpi": "P00000002", "document_type": "03", "document_masked": "E***678", "document_tail": "5678",
    "registered_at": "2026-11-20T01:00:00Z",
}  # fmt: skip
PAIR: dict[str, Any] = {
    "id": "r1", "kind": "pair", "reasons": ["name_birth"], "status": "open", "may_merge": True, "note": "",
    "opened_at": "2026-11-24T01:00:00Z", "decided_at": None, "merge_id": None, "left": LEFT, "right": RIGHT,
}  # fmt: skip
MASKED = RIGHT | {"id": None, "own": False, "name": None, "name_masked": "王*东", "birth_year": 1950}
ELSEWHERE = PAIR | {"id": "r2", "may_merge": False, "right": MASKED}
CLAIM = PAIR | {"id": "r3", "kind": "claim", "may_merge": False, "reasons": ["document"]}
CORRECTION: dict[str, Any] = {
    "id": "c1", "field": "sex", "now": "1", "wanted": "9", "reason": "写错了", "status": "open", "answer": "",
    "due_at": "2026-12-09T01:00:00Z", "decided_at": None, "overdue": False, "days_left": 3, "has_proof": False,
    "patient": LEFT,
}  # fmt: skip
BODY = """<!doctype html><html lang="zh"><body><form id="search"><input id="identity-q"><button></button></form>
<div id="filters"></div><div id="list"></div><aside id="panel"></aside><div id="notices"></div>
<script type="application/json" id="texts">{texts}</script>
<script type="application/json" id="{name}-data">{rows}</script>
<script type="module" src="/static/console/{script}"></script></body></html>"""


def listed(row: dict[str, Any]) -> dict[str, Any]:
    """As the list has it: masked, without what only the opened one carries."""
    hidden = {"name", "document_masked", "phone_masked", "registered_at"}
    sides = {
        key: {name: value for name, value in row[key].items() if name not in hidden}
        for key in ("left", "right", "patient")
        if key in row
    }
    return {key: value for key, value in row.items() if key not in ("now", "wanted", "note")} | sides


class Opened:
    """A page with these rows; `asked` is every request to the API as (method, path, body)."""

    def __init__(self, page: Page, address: str, name: str, script: str, rows: list[Any]) -> None:
        self.page, self.asked = page, list[tuple[str, str, Any]]()
        self.rows = {row["id"]: row for row in rows}
        data = {
            "name": name,
            "script": script,
            "texts": json.dumps(texts_in("zh")),
            "rows": json.dumps([listed(row) for row in rows]),
        }
        html = BODY.format(**data)
        page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/api/v1/**", self._answer)
        page.goto(f"{address}/page")
        page.locator("tr[data-id]").first.wait_for()

    def _answer(self, route: Route) -> None:
        sent = route.request
        path = sent.url.split("/api/v1/")[1]
        self.asked.append((sent.method, path, json.loads(sent.post_data) if sent.post_data else None))
        answer = self.rows.get(path.rpartition("/")[2], {"results": [], "next": None})
        route.fulfill(body=json.dumps(answer), content_type="application/json")

    def sent(self) -> list[tuple[str, Any]]:
        """What changed something."""
        return [(path, body) for method, path, body in self.asked if method == "POST"]

    def select(self, number: int) -> None:
        self.page.locator("tr[data-id]").nth(number).click()
        self.page.locator("#panel h2").wait_for()

    def prove(self) -> None:
        self.page.locator("dialog input.code").fill("123456")
        self.page.locator("dialog .actions button").first.click()
        self.page.locator("#notices .good-note").wait_for()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    page = browser.new_page()
    with static_server() as address:
        yield lambda *given: Opened(page, address, *given)
        page.close()


def test_what_differs_is_marked_and_the_older_registration_is_offered_to_stay(opened: Any) -> None:
    found = opened("reviews", "identity_page.js", [PAIR])
    found.select(0)
    marked = found.page.locator(".compare tr:has(.differs) th").all_inner_texts()
    assert marked == ["证件类型", "证件号码"]
    assert found.page.locator(".keep input:checked").get_attribute("value") == "b"


def test_names_come_with_what_is_opened_not_with_the_list(opened: Any) -> None:
    for name, script, row, path in (
        ("reviews", "identity_page.js", PAIR, "duplicates/r1"),
        ("corrections", "corrections.js", CORRECTION, "corrections/c1"),
    ):
        found = opened(name, script, [row])
        assert "王*东" in found.page.locator("#list").inner_text()
        assert "王小东" not in found.page.content()
        found.select(0)
        assert "王小东" in found.page.locator("#panel").inner_text()
        assert "王小东" not in found.page.locator("#list").inner_text()
        assert [(method, at) for method, at, _ in found.asked] == [("GET", path)]


def test_a_merge_needs_grounds_then_a_proof_for_this_decision_alone(opened: Any) -> None:
    found = opened("reviews", "identity_page.js", [PAIR])
    found.select(0)
    merge = found.page.locator("#panel .actions button.primary")
    merge.click()
    found.page.locator("#panel .alert").wait_for()
    assert found.sent() == []
    found.page.locator("#identity-note").fill("看过两本证件")
    merge.click()
    found.prove()
    assert found.sent() == [
        (
            "auth/step-up",
            {"totp": "123456", "action": "patient.merge", "object_id": "r1", "version": "same"},
        ),
        ("duplicates/r1/decide", {"verdict": "same", "note": "看过两本证件", "survivor_id": "b"}),
    ]


@pytest.mark.parametrize(
    ("review", "buttons"),
    [
        (ELSEWHERE, ["不是同一人"]),
        (CLAIM, ["是同一人", "不是同一人"]),
        (PAIR, ["是同一人，合并", "不是同一人"]),
    ],
)
def test_only_what_may_be_decided_is_offered(opened: Any, review: dict[str, Any], buttons: list[str]) -> None:
    found = opened("reviews", "identity_page.js", [review])
    found.select(0)
    assert found.page.locator("#panel .actions button").all_inner_texts() == buttons
    assert found.page.locator(".keep").count() == int(review["may_merge"])


def test_a_correction_is_refused_with_a_reason_only(opened: Any) -> None:
    found = opened("corrections", "corrections.js", [CORRECTION])
    found.select(0)
    assert "性别未说明" in found.page.locator("#panel").inner_text()
    refuse = found.page.locator("#panel .actions button.danger")
    refuse.click()
    found.page.locator("#panel .alert").wait_for()
    assert found.sent() == []
    found.page.locator("#panel textarea").fill("与证件不符")
    refuse.click()
    found.prove()
    assert found.sent()[1] == ("corrections/c1/decide", {"accepted": False, "answer": "与证件不符"})

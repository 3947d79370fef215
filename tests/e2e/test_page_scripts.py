"""The pages' own scripts, alone in Chromium: identity hints, times as people type them, autosave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .browser import static_server


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Page]:
    with static_server() as address:
        page = browser.new_page()
        page.goto(f"{address}/static/console/icon.svg")
        yield page


@pytest.fixture
def page(opened: Page) -> Page:
    opened.reload()
    return opened


def run(page: Page, script: str, body: str, argument: Any = None) -> Any:
    """`m` is the module, `given` the argument."""
    source = f"async (given) => {{ const m = await import('/static/console/{script}'); {body} }}"
    return page.evaluate(source, argument)


VALID = [
    ("310229195003150012", "1950-03-15", "1"),
    ("310118202402291013", "2024-02-29", "1"),
    ("320584194802290036", "1948-02-29", "1"),
    ("31022919420901007X", "1942-09-01", "1"),
    ("330421193806300058", "1938-06-30", "1"),
    ("310118202002290062", "2020-02-29", "2"),
    ("320225194507080048", "1945-07-08", "2"),
    ("810000195203030087", "1952-03-03", "2"),
    ("320525194507080044", "1945-07-08", "2"),
    ("820000195203030097", "1952-03-03", "1"),
    ("830000195203030101", "1952-03-03", "2"),
]


@pytest.mark.parametrize(("number", "birth", "sex"), VALID)
def test_a_valid_identity_number_gives_birth_date_and_sex(
    page: Page, number: str, birth: str, sex: str
) -> None:
    found = run(page, "identity.js", "return m.readIdentity(given, '2026-11-24')", number)
    assert (found["ok"], found["birth"], found["sex"]) == (True, birth, sex)


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("310229195002300111", "date"),
        ("310229195013010128", "date"),
        ("310229190002290133", "date"),
        ("310229195003150013", "checksum"),
        ("310229205003150012", "date"),
        ("31022919500315001", "short"),
        ("310229195003150X12", "characters"),
    ],
)
def test_a_wrong_identity_number_says_what_is_wrong(page: Page, number: str, problem: str) -> None:
    found = run(page, "identity.js", "return m.readIdentity(given, '2026-11-24')", number)
    assert (found["ok"], found["problem"]) == (False, problem)


def test_full_width_digits_blanks_and_a_small_x_are_read_as_meant(page: Page) -> None:
    look = "return m.readIdentity(given, '2026-11-24').ok"
    assert run(page, "identity.js", look, "３１０２２９195003150012")
    assert run(page, "identity.js", look, "310229 19420901 007x")


@pytest.mark.parametrize("number", [number for number, _, _ in VALID[:3]])
def test_any_one_changed_digit_is_noticed(page: Page, number: str) -> None:
    changed = [
        number[:place] + digit + number[place + 1 :]
        for place in range(18)
        for digit in "0123456789"
        if digit != number[place]
    ]
    body = "return given.filter((one) => m.readIdentity(one, '2026-11-24').ok)"
    assert run(page, "identity.js", body, changed) == []


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("0930", "09:30"),
        ("9:30", "09:30"),
        ("9：30", "09:30"),
        (" 15:05 ", "15:05"),
        ("24:00", None),
        ("9", None),
    ],
)
def test_times_are_read_as_a_scheduler_types_them(page: Page, typed: str, read: str | None) -> None:
    assert run(page, "when.js", "return m.readClock(given)", typed) == read


def test_times_are_shown_in_shanghai_whatever_the_computers_zone(page: Page) -> None:
    body = "return [m.day(given), m.clock(given), m.moment('2026-11-25', '00:30').toISOString()]"
    found = run(page, "when.js", body, "2026-11-24T16:30:00Z")
    assert found == ["2026-11-25", "00:30", "2026-11-24T16:30:00.000Z"]


# A save that can be held, failed and counted.
SAVER = """
const states = []; const calls = []; let text = "a"; let answer = () => ({ revision: calls.length });
const saver = m.autosave({
  read: () => ({ findings: text }), revision: 0,
  save: async (body, revision) => { calls.push([body.findings, revision]); return answer(); },
  onState: (kind) => states.push(kind),
});
const until = async (condition) => {
  for (let i = 0; i < 600 && !condition(); i++) await new Promise((r) => setTimeout(r, 10));
};
"""


def test_autosave_waits_for_quiet_and_saves_the_newest_text_once(page: Page) -> None:
    body = SAVER + "saver.changed(); text = 'ab'; saver.changed(); text = 'abc'; saver.changed();"
    body += "await until(() => states.includes('saved')); return { calls, unsaved: saver.unsaved };"
    assert run(page, "autosave.js", body) == {"calls": [["abc", 0]], "unsaved": False}


def test_what_is_typed_during_a_save_is_saved_on_the_new_revision(page: Page) -> None:
    body = (
        SAVER
        + """
    let release; answer = () => new Promise((r) => { release = () => r({ revision: 7 }); });
    saver.changed(); const first = saver.flush(); await until(() => release);
    text = "ab"; saver.changed(); const held = states.at(-1);
    answer = () => ({ revision: 8 }); release(); await first; await saver.flush();
    return { calls, held, unsaved: saver.unsaved };"""
    )
    assert run(page, "autosave.js", body) == {
        "calls": [["a", 0], ["ab", 7]],
        "held": "dirty",
        "unsaved": False,
    }


def test_a_failed_save_keeps_the_text_unsaved_and_tries_again(page: Page) -> None:
    body = (
        SAVER
        + """
    answer = () => { throw Object.assign(new Error("no network"), { code: "network" }); };
    saver.changed(); const done = await saver.flush(); const unsaved = saver.unsaved;
    answer = () => ({ revision: 3 }); await until(() => states.includes("saved"));
    return { done, unsaved, tries: calls.length, after: saver.unsaved };"""
    )
    assert run(page, "autosave.js", body) == {"done": False, "unsaved": True, "tries": 2, "after": False}


def test_a_conflict_stops_saving_until_a_person_decides(page: Page) -> None:
    body = (
        SAVER
        + """
    answer = () => { throw Object.assign(new Error("stale"), { code: "stale_revision" }); };
    saver.changed(); const done = await saver.flush();
    saver.changed(); await saver.flush(); const tries = calls.length;
    answer = () => ({ revision: 10 }); saver.goOn(9, true); await until(() => states.includes("saved"));
    return { done, tries, last: calls.at(-1), conflict: states.includes("conflict") };"""
    )
    found = run(page, "autosave.js", body)
    assert found == {"done": False, "tries": 1, "last": ["a", 9], "conflict": True}

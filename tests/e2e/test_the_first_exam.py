"""The first exam, as its people do it: desk, bedside, console and report in Chromium, the patient by API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from . import steps_bedside, steps_console, steps_desk, steps_report
from .conftest import House
from .steps_desk import DOCUMENT, NAME, PHONE

expect.set_options(timeout=20_000)


@contextmanager
def _window(browser: Browser, house: House, role: str, size: tuple[int, int]) -> Iterator[Page]:
    """A window of its own, signed in through the form; script errors in it fail the test at its end."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    context.grant_permissions(["microphone", "camera"], origin=house.base_url)
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        house.sign_in(page, role)
        yield page
    finally:
        context.close()
    assert errors == [], role


@pytest.fixture(scope="module")
def bedside(browser: Browser, house: House) -> Iterator[Page]:
    with _window(browser, house, "bedside_physician", (1024, 768)) as page:
        yield page


@pytest.fixture(scope="module")
def remote(browser: Browser, house: House) -> Iterator[Page]:
    with _window(browser, house, "remote_physician", (1366, 768)) as page:
        yield page


@pytest.fixture(scope="module")
def exam(browser: Browser, bedside: Page, remote: Page, house: House) -> dict[str, Any]:
    """Step 1: the scheduler's window closes when the booking is made."""
    expert, physician = (page.locator(".who-name").inner_text() for page in (remote, bedside))
    with _window(browser, house, "scheduler", (1366, 768)) as desk:
        return steps_desk.book(desk, house, expert=expert, physician=physician)


@pytest.mark.timeout(600)
def test_an_exam_from_booking_to_the_patients_download(
    exam: dict[str, Any], bedside: Page, remote: Page, house: House
) -> None:
    base = house.base_url
    bedside.goto(f"{base}/console/bedside/{exam['id']}/")
    steps_bedside.prepare(bedside, exam)
    steps_bedside.place_and_ready(bedside)
    steps_bedside.until_state(bedside, house, exam, "ready")

    remote.goto(f"{base}/console/my-day/")
    row = remote.locator("article", has_text="进入检查").filter(has_text=NAME).filter(has_text=DOCUMENT[-4:])
    row.get_by_role("link").click()
    steps_console.take_control(remote, house, exam)
    steps_console.touch_down(remote, bedside)
    rest, moved = steps_console.sweep(remote, bedside)
    assert moved > 2 * rest
    still = steps_console.freeze(remote, house, exam)
    assert steps_console.measure(remote, house, exam, still) == pytest.approx(50.0, abs=1.0)
    steps_console.end_exam(remote, house, exam)

    remote.goto(f"{base}/console/exams/{exam['id']}/report/")
    steps_report.write_and_sign(remote, house)
    steps_bedside.until_state(remote, house, exam, "reported")
    steps_report.print_sheet(remote, exam)

    token = steps_report.patient_token(house, PHONE, DOCUMENT)
    status, mine = steps_report.call_api(house, "GET", "me/exams", token=token)
    assert status == 200
    assert [row["id"] for row in json.loads(mine)["results"]] == [exam["id"]]
    status, answer = steps_report.call_api(house, "GET", f"me/exams/{exam['id']}/report", token=token)
    assert status == 200
    report = json.loads(answer)
    assert report["impression"] == "胆囊结石。"
    kinds = {picture["kind"]: picture["url"].removeprefix("/api/v1/") for picture in report["images"]}
    for kind, form, magic in (
        ("still", "png", b"\x89PNG"),
        ("still", "dicom", b"DICM"),
        ("loop", "mp4", b"ftyp"),
    ):
        status, data = steps_report.call_api(house, "GET", f"{kinds[kind]}?as={form}", token=token)
        assert (status, magic in data[:140]) == (200, True), (kind, form)

    other = house.up["patients"][0]
    stranger = steps_report.patient_token(house, other["phone"], other["document_number"])
    assert steps_report.call_api(house, "GET", f"me/exams/{exam['id']}/report", token=stranger)[0] == 404
    assert steps_report.call_api(house, "GET", f"{kinds['still']}?as=png", token=stranger)[0] == 404

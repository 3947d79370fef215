"""What every answer carries, and what no address accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from hospital.access.services import SESSION_KEY
from hospital.common.body_limit import BodyLimit
from hospital.project import asgi
from tests.access.house import client_for
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
APPLICATION: Any = asgi.application  # messages as this file writes them, not as the stubs name them
LANGUAGE = "/console/language/"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def desk(world: World) -> APIClient:
    return client_for(user=world.users["desk"])


def policy(answer: Any) -> dict[str, str]:
    """The Content-Security-Policy as directive -> sources."""
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in parts}


EVERYWHERE = (
    "/console/sign-in/",
    "/console/no-such-page",
    "/api/v1/exams",
    "/api/v1/nowhere",
    "/healthz",
    "/",
)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_is_closed_to_other_sites_and_kept_by_nobody(path: str) -> None:
    answer = Client(HTTP_HOST="localhost").get(path)
    found = policy(answer)
    assert found["default-src"] == "'none'" and found["frame-ancestors"] == "'none'"
    assert "unsafe" not in answer["Content-Security-Policy"] and "*" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def test_data_opened_by_themselves_load_and_run_nothing(desk: APIClient) -> None:
    assert policy(desk.get("/api/v1/exams")) == {
        "default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"
    }  # fmt: skip


def test_the_microphone_opens_on_live_pages_only(world: World) -> None:
    def granted(page: str, username: str) -> set[str]:
        answer = client_for(user=world.users[username]).get(page)
        assert answer.status_code == 200
        return set(re.findall(r"([\w-]+)=\(self\)", answer["Permissions-Policy"]))

    exam = world.book()
    assert "microphone" not in granted("/console/desk/", "desk")
    for page, who in ((f"/console/exams/{exam.id}/", "expert"), (f"/console/bedside/{exam.id}/", "bedside")):
        assert {"microphone", "gamepad"} <= granted(page, who)
        assert not {"camera", "geolocation", "usb", "serial"} & granted(page, who)


def test_no_page_brings_code_or_style_of_its_own(world: World, settings: Any) -> None:
    """What the policy would refuse must not be there: the browser's silence would be a broken page."""
    settings.EMBEDDED = True
    exam = world.book()
    pages = [
        ("desk", "/console/desk/"), ("desk", "/console/account/"), ("desk", "/console/mailbox/"),
        ("expert", "/console/my-day/"), ("expert", f"/console/exams/{exam.id}/"),
        ("expert", f"/console/exams/{exam.id}/report/"), ("bedside", "/console/bedside/"),
        ("bedside", f"/console/bedside/{exam.id}/"),
    ]  # fmt: skip
    for who, page in pages:
        html = client_for(user=world.users[who]).get(page).content.decode()
        for tag in re.findall(r"<script[^>]*>", html):
            assert "src=" in tag or 'type="application/json"' in tag, (page, tag)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), page


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    browser = Client(HTTP_HOST="localhost")
    session = browser.session
    session[SESSION_KEY] = str(world.principals["desk"].token_id)
    session.save()
    answer = browser.post(LANGUAGE, {"lang": "en", "next": "/console/"})
    assert answer.cookies["lang"]["samesite"] == "Lax"
    assert django_settings.SESSION_COOKIE_HTTPONLY
    page = browser.get("/console/desk/")
    assert page.cookies["csrftoken"]["samesite"] == "Lax"


def test_a_foreign_host_is_refused_as_a_problem() -> None:
    answer = Client(HTTP_HOST="evil.example").get("/api/v1/exams")
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"
    assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("query", ["day=%00", "state=%00x", "%00=1", "page=1&day=2026%00"])
def test_nul_in_a_query_is_refused_at_the_gate(desk: APIClient, query: str) -> None:
    answer = desk.get(f"/api/v1/exams?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_nul_spelt_in_a_cookie_is_refused_at_the_gate() -> None:
    browser = Client(HTTP_HOST="localhost", raise_request_exception=False)
    browser.cookies = SimpleCookie()
    answer = browser.get(
        "/console/desk/", HTTP_COOKIE=f'{django_settings.SESSION_COOKIE_NAME}="\\000abcdefghijkl"'
    )
    assert answer.status_code == 400


BAD_BODIES = {
    "too deep": b'{"reason": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "very deep": b"[" * 200_000,
    "not a number": b'{"reason": NaN}',
    "a huge number": b'{"reason": ' + b"9" * 6000 + b"}",
    "not UTF-8": b'{"reason": "\xff\xfe"}',
    "cut off": b'{"reason": ',
    "nothing of JSON": b"reason=x",
    "empty": b" ",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_what_is_no_json_is_refused_before_any_service(world: World, desk: APIClient, body: bytes) -> None:
    exam = world.book()
    answer = desk.post(f"/api/v1/exams/{exam.id}/cancel", data=body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    exam.refresh_from_db()
    assert exam.state == "booked"


@pytest.mark.parametrize("body", [b'{"reason": "a\\u0000b"}', b'{"a\\u0000": 1}', b'{"reason": "\\ud800"}'])
def test_a_text_that_no_database_holds_is_refused_before_any_service(
    world: World, desk: APIClient, body: bytes
) -> None:
    exam = world.book()
    answer = desk.post(f"/api/v1/exams/{exam.id}/cancel", data=body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    exam.refresh_from_db()
    assert exam.state == "booked"


@pytest.mark.parametrize("value", [b"[]", b"null", b"1", b'"x"', b"[[1]]"])
def test_json_that_is_no_object_is_a_wrong_request_and_no_crash(
    world: World, desk: APIClient, value: bytes
) -> None:
    answer = desk.post(f"/api/v1/exams/{world.book().id}/cancel", data=value, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_another_content_type_is_refused(world: World, desk: APIClient) -> None:
    path = f"/api/v1/exams/{world.book().id}/cancel"
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml; charset=rot13"):
        answer = desk.post(path, data=b"reason=x", content_type=content_type)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


class Sent:
    """An ASGI client that brings a body in pieces and keeps what comes back."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces: Iterator[bytes] = iter(pieces)
        self.messages: list[dict[str, Any]] = []
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        piece = next(self.pieces, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])


def scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
        "raw_path": path.encode(), "query_string": b"", "scheme": "http", "server": ("localhost", 80),
        "client": ("127.0.0.1", 9), "headers": [(b"host", b"localhost"), *headers],
    }  # fmt: skip


MIB = b"x" * 1024 * 1024


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    sent = Sent([MIB] * 3)
    await APPLICATION(scope("/api/v1/exams", (b"content-length", b"3145728")), sent.receive, sent.send)
    assert (sent.status, sent.taken) == (413, 0)
    assert json.loads(sent.messages[1]["body"])["code"] == "too_large"


async def test_a_body_that_does_not_say_is_read_up_to_the_limit_only() -> None:
    sent = Sent([MIB] * 50)
    await APPLICATION(scope("/api/v1/exams"), sent.receive, sent.send)
    assert sent.status == 413
    assert sent.taken <= 3 * len(MIB)


async def test_a_robots_pictures_may_be_larger() -> None:
    async def whole(_scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    limit = BodyLimit(whole, limit=1024, larger=(("/api/v1/robot/", 4 * len(MIB)),))
    for path, status in (("/api/v1/robot/exams/x/images", 200), ("/api/v1/exams", 413)):
        sent = Sent([MIB] * 3)
        await limit(scope(path), sent.receive, sent.send)
        assert sent.status == status

"""What must never stand in a log line."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from hospital.common.scrub import ScrubbingFormatter, scrub
from tests.servers import Servers

ROOT = Path(__file__).resolve().parents[2]
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("patient 王小东 booked", "王小东"),
        ("阿卜杜拉·买买提 came", "阿卜杜拉·买买提"),
        ("rare 㛃𬭎 name", "𬭎"),
        ("number 310229195003150012 is known", "310229195003150012"),
        ("number 31022919500315001X is known", "31022919500315001X"),
        ("permit H1234567801", "H1234567801"),
        ("passport EA1234567", "EA1234567"),
        ("call 13900000001 now", "13900000001"),
        ("call +86 139-0000-0001", "0000-0001"),
        ("Key (phone)=(13900000001) already exists", "13900000001"),
        ('"WebSocket /ws/exams/1/console/?ticket=Abc-_123xyz" [accepted]', "Abc-_123xyz"),
        ("Authorization: Bearer aVeryLongOpaqueToken-1234567", "aVeryLongOpaqueToken"),
        (f"Robot {JWT}", "eyJzdWIiOiIxIn0"),
        (f"sent {JWT} back", "c2lnbmF0dXJl"),
        ("{'password': 'correct horse', 'x': 1}", "correct"),
        ("totp=123456", "123456"),
        ("GET /console/sign-in/back/?code=AbC123&state=xyz789 HTTP/1.1", "AbC123"),
        ("GET /console/sign-in/back/?code=AbC123&state=xyz789 HTTP/1.1", "xyz789"),
        ("client_secret=hush code_verifier=quiet", "quiet"),
        ('{"code": "204511"}', "204511"),
        ("redis://:s3cret@127.0.0.1:6379/0", "s3cret"),
    ],
)
def test_a_line_loses_what_names_a_person_or_opens_a_door(line: str, gone: str) -> None:
    assert gone not in scrub(line)


@pytest.mark.parametrize(
    "line",
    [
        "work_failed kind='message' attempts=3 error='OperationalError'",
        "exam 01931f2e-7c3a-7b1e-9c5d-13912345678a accession E000000123 mpi P00000017",
        "took 1391.234567 ms at 1764000000123 sequence 12345678901",
        "refused code=lease_held code: not_found status=404",
    ],
)
def test_what_the_work_needs_stays(line: str) -> None:
    assert scrub(line) == line


def test_a_traceback_is_scrubbed_too() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(ScrubbingFormatter("%(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise ValueError("document 310229195003150012 of 王小东")
    except ValueError:
        logger.exception("failed for %s", "13900000001")
    assert "ValueError" in out.getvalue()
    for secret in ("310229195003150012", "王小东", "13900000001"):
        assert secret not in out.getvalue()


def test_a_structured_event_is_scrubbed_by_key(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        structlog.get_logger("t").info("told", name="Smith John", token="abc", kind="sms", attempts=2)
    said = caplog.text
    assert "Smith" not in said and "abc" not in said
    assert "kind='sms'" in said and "attempts=2" in said


def test_every_handler_of_the_programs_scrubs(settings: Any) -> None:
    used = {handler["formatter"] for handler in settings.LOGGING["handlers"].values()}
    assert used and all(
        settings.LOGGING["formatters"][name]["()"] == "hospital.common.scrub.ScrubbingFormatter"
        for name in used
    )
    assert all(not logger.get("handlers") for logger in settings.LOGGING["loggers"].values())


def _start(servers: Servers, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings in production's way, with one of them changed or missing."""
    env = {
        name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"
    } | servers.environment()
    env |= {"EMBEDDED": "0", "SECRET_KEY": "s" * 50, "SIGNING_KEY": env["FIELD_KEY"]}
    env |= {"BASE_URL": "https://tele.example.org", "ALLOWED_HOSTS": "tele.example.org"}
    env = {name: value for name, value in env.items() if name not in changes} | {
        name: value for name, value in changes.items() if value is not None
    }
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEY", "SIGNING_KEY", "DATABASE_URL", "REDIS_URL"])
def test_outside_the_embedded_default_no_secret_has_a_default(servers: Servers, name: str) -> None:
    done = _start(servers, **{name: None})
    assert done.returncode != 0 and name in done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"FIELD_KEY": "c2hvcnQ="}, "FIELD_KEY"),
        ({"SIGNING_KEY": "c2hvcnQ="}, "SIGNING_KEY"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"FIELD_CIPHER": "des"}, "FIELD_CIPHER"),
    ],
)
def test_a_weak_or_wrong_secret_stops_the_start_and_is_not_repeated(
    servers: Servers, changes: dict[str, str], said: str
) -> None:
    done = _start(servers, **changes)
    assert done.returncode != 0 and said in done.stderr
    assert next(iter(changes.values())) not in done.stderr


def test_with_all_secrets_it_starts(servers: Servers) -> None:
    done = _start(servers)
    assert done.returncode == 0, done.stderr

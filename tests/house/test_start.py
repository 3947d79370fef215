"""A program of the server starts only where everything it needs was chosen, and says in one sentence what is missing."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hospital.project.environment import problem

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "DATABASE_URL": "postgresql://app:x@db.example/hospital",
    "REDIS_URL": "redis://:x@cache.example/0",
    "SECRET_KEY": "pW4-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "FIELD_KEY": KEY,
    "SIGNING_KEY": KEY,
    "ALLOWED_HOSTS": "tele.example.org",
    "BASE_URL": "https://tele.example.org",
}


def _python(code: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A fresh program that knows nothing but `environ`."""
    base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "hospital.project.settings"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=base | environ, capture_output=True, text=True, timeout=60
    )


def _check(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return _python(
        "import sys; from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'check', '--deploy', '--fail-level', 'WARNING'])",
        environ,
    )


def test_djangos_deployment_check_has_nothing_to_say_about_production(tmp_path: Path) -> None:
    done = _check(PRODUCTION | {"DATA_DIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_the_deployment_check_would_speak(tmp_path: Path) -> None:
    done = _check(PRODUCTION | {"DATA_DIR": str(tmp_path), "SECRET_KEY": "a" * 40})
    assert done.returncode != 0 and "security.W009" in done.stderr


@pytest.mark.parametrize("name", PRODUCTION)
def test_what_is_missing_is_named_and_nothing_starts(name: str) -> None:
    rest = {key: value for key, value in PRODUCTION.items() if key != name}
    said = problem(rest)
    assert said is not None and said.startswith(f"{name} not set")


@pytest.mark.parametrize("program", ["hospital.project.asgi", "hospital.project.celery", "manage"])
def test_each_program_ends_with_that_one_sentence(program: str, tmp_path: Path) -> None:
    run = {
        "hospital.project.asgi": "import uvicorn; uvicorn.run('hospital.project.asgi:application')",
        "hospital.project.celery": "from celery.__main__ import main; import sys;"
        "sys.argv = ['celery', '-A', 'hospital.project.celery', 'worker']; main()",
        "manage": "import sys; sys.argv = ['manage.py', 'check']; import manage; manage.main()",
    }[program]
    done = _python(run, {"DATABASE_URL": PRODUCTION["DATABASE_URL"], "DATA_DIR": str(tmp_path)})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()
    assert len(last) == 1, done.stderr
    assert last[0].startswith(
        "not started: REDIS_URL, SECRET_KEY, FIELD_KEY, SIGNING_KEY, ALLOWED_HOSTS, BASE_URL not set"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"BASE_URL": "http://tele.example.org"}, "https"),
        ({"ALLOWED_HOSTS": "*"}, "no *"),
        ({"ALLOWED_HOSTS": ".example.org, *.org"}, "no *"),
        ({"ALLOWED_HOSTS": "other.example.org"}, "host of BASE_URL"),
    ],
)
def test_addresses_that_would_open_the_house_are_refused(wrong: dict[str, str], said: str) -> None:
    assert said in (problem(PRODUCTION | wrong) or "")


def test_a_metrics_token_is_left_out_or_long() -> None:
    assert problem(PRODUCTION | {"METRICS_TOKEN": "a" * 32}) is None
    for start in ({}, {"EMBEDDED": "1"}):
        said = problem(PRODUCTION | start | {"METRICS_TOKEN": "change-me"})
        assert said is not None and "METRICS_TOKEN" in said and "change-me" not in said


@pytest.mark.parametrize("content", ["", "[]", "{broken", '{"key": "do-not-say-this"'])
def test_a_file_of_carriers_is_one_json_object_or_nothing_starts(tmp_path: Path, content: str) -> None:
    file = tmp_path / "messages.json"
    for path in (file, tmp_path / "nowhere.json"):
        file.write_text(content)
        said = problem(PRODUCTION | {"MESSAGES_FILE": str(path)})
        assert said is not None and "MESSAGES_FILE" in said and "do-not-say" not in said
    file.write_text('{"groups": {}}')
    assert problem(PRODUCTION | {"MESSAGES_FILE": str(file)}) is None


def test_the_embedded_default_needs_only_what_deploy_up_makes() -> None:
    made = {name: PRODUCTION[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEY")}
    assert problem(made | {"EMBEDDED": "1"}) is None
    assert problem(made) is not None


def test_a_secret_is_never_part_of_the_sentence() -> None:
    said = problem({"SECRET_KEY": "do-not-say-this", "SIGNING_KEY": "nor-this"})
    assert said is not None and "do-not-say" not in said and "nor-this" not in said


def test_a_command_of_the_owner_needs_the_owners_address() -> None:
    asked = PRODUCTION | {"AS_OWNER": "1"}
    assert (problem(asked) or "").startswith("DATABASE_OWNER_URL not set")
    assert problem(asked | {"DATABASE_OWNER_URL": "postgresql://owner@db/hospital"}) is None

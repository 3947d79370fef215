"""Loaded before pytest-django configures Django: the environment of the tests' own servers is set here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from hypothesis import HealthCheck, settings
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.servers import Servers, load

SERVERS = load()
# Timing is no property: a busy machine draws slowly, and that is no finding.
settings.register_profile("house", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("house")
# Robots that are driven, and windows on them: what they measure needs both cores (marker `alone`, see deploy/test).
# Houses that are killed measure no time: they run beside the other tests.
ALONE = (
    "tests/e2e/test_administrators_pages.py",
    "tests/e2e/test_bedside_tablet.py",
    "tests/e2e/test_hand_over_while_moving.py",
    "tests/e2e/test_keeping_pages.py",
    "tests/e2e/test_policy.py",
    "tests/e2e/test_the_first_exam.py",
    "tests/e2e/test_voice.py",
    "tests/edge/test_exam_on_sim.py",
    "tests/edge/test_link.py",
    "tests/edge/test_loaded_link.py",
    "tests/edge/test_recording_on_sim.py",
    "tests/faults/test_bad_network.py",
    "tests/faults/test_relay.py",
    "tests/faults/test_server_gone.py",
)
# Their cost, not their work: a test that wants the real ones asks for `real_argon2`.
ARGON2 = {name: getattr(Argon2PasswordHasher, name) for name in ("time_cost", "memory_cost", "parallelism")}

# Few tests that take long, waiting and working by turns: at the end one worker would stand idle for a minute.
FIRST = (
    "tests/faults/test_chaos.py",
    "tests/api/test_schema.py",
    "tests/house/test_up_whole.py",
    "tests/access/test_restricted.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--schema-examples", default="6", help="requests for each operation of the API and each caller"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(ALONE):
            item.add_marker("alone")
    items.sort(key=lambda item: [not item.nodeid.startswith(file) for file in FIRST])


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes_and_one_look_at_the_static_files() -> Iterator[None]:
    """Argon2 at its weakest (0.15 s a hash otherwise; `real_argon2` has the house's), and the pages' files listed once
    a process instead of by each client of each test."""
    found: dict[str, object] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def once(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, least)
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", once)
        yield


@pytest.fixture
def real_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in the house."""
    for name, value in ARGON2.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, value)


@pytest.fixture(scope="session")
def servers() -> Servers:
    """PostgreSQL and Valkey, running. Tests of sockets or tasks without a database ask for this one."""
    SERVERS.start()
    return SERVERS


@pytest.fixture(scope="session")
def django_db_setup(servers: Servers, django_db_blocker: object) -> Iterator[None]:
    """Instead of Django's test database: a clone of the migrated template, used as `hospital_app`."""
    from django.db import connections

    servers.make_database()
    yield
    connections.close_all()


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """TransactionTestCase empties tables with TRUNCATE, which the application's role may not."""
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase,
            "_fixture_teardown",
            lambda self: SERVERS.empty_tables(),
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def _prebuilt_checked() -> Iterator[None]:
    from tests.prebuilt_checked import checked

    with pytest.MonkeyPatch.context() as patch:
        checked(patch)
        yield


@pytest.fixture(autouse=True)
def objects_dir(tmp_path: Path, settings: object) -> Path:
    """Stored pictures of one test stay with it."""
    folder = tmp_path / "objects"
    settings.OBJECTS_DIR = folder  # type: ignore[attr-defined]
    return folder


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        SERVERS.finish()

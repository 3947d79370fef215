"""Each import rule is seen failing on a deliberate violation in a copy of the code; a rule nobody broke proves nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .files import ROOT

PACKAGES = ("hospital", "teleconsult", "devices")
RULES = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]
VIOLATIONS = [
    ("The house points one way", "hospital/scheduling/services.py", "import hospital.records.rules"),
    ("The house points one way", "hospital/people/services.py", "import teleconsult.services"),
    ("The house points one way", "devices/fleet/services.py", "import teleconsult.states"),
    ("The house points one way", "teleconsult/states.py", "import hospital.project.settings"),
    ("The house points one way", "hospital/audit/services.py", "import hospital.messages.services"),
    ("Every part of hospital has its floor", "hospital/cellar/__init__.py", ""),
    ("The robot side points one way", "devices/drivers/base.py", "import devices.edge.config"),
    ("The robot side points one way", "devices/operator/client.py", "import devices.edge.config"),
    ("The robot side works without the server", "devices/edge/config.py", "def late():\n    import django"),
    ("The robot side works without the server", "devices/edge/parent.py", "import devices.fleet.tokens"),
    (
        "The server knows of the robot only its messages",
        "teleconsult/services/running.py",
        "import devices.operator",
    ),
    ("Doors do not touch tables", "hospital/scheduling/api.py", "from hospital.scheduling import models"),
    ("Doors do not touch tables", "teleconsult/consumers.py", "from .models import Exam"),
    ("Services never call a door", "hospital/records/services.py", "import teleconsult.api"),
    ("Pure rules know no framework", "teleconsult/states.py", "import django.db"),
    ("Pure rules know no framework", "hospital/people/rules.py", "import hospital.people.models"),
    ("The wire is standard library only", "devices/wire/limits.py", "import numpy"),
    ("Safety decides without the network", "devices/edge/safety/core.py", "import httpx"),
    (
        "Safety decides without the network",
        "devices/edge/safety/runtime.py",
        "import devices.edge.link.agent",
    ),
    ("WebRTC stays at the robot and the headless operator", "teleconsult/live.py", "import aiortc"),
    ("DICOM stays in its three places", "hospital/records/services.py", "import pydicom"),
    ("DICOM stays in its three places", "devices/edge/link/agent.py", "import pydicom.uid"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        only_python = shutil.ignore_patterns("static", "templates", "__pycache__", "*.json")
        shutil.copytree(ROOT / package, folder / package, ignore=only_python)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _broken(folder: Path) -> set[str]:
    """Names of the rules that import-linter finds broken in `folder`."""
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-logo",
        "--cache-dir",
        str(folder / ".cache"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    told = {name for name in RULES for line in lines if line.startswith(f"{name} ")}
    assert told == set(RULES), f"import-linter did not judge every rule:\n{done.stdout}{done.stderr}"
    return {name for name in RULES for line in lines if line.startswith(f"{name} BROKEN")}


def test_the_code_as_it_is_keeps_every_rule(copy: Path) -> None:
    assert _broken(copy) == set()


@pytest.mark.parametrize(
    ("rule", "file", "code"), VIOLATIONS, ids=[f"{f}: {c[:40]}" for _, f, c in VIOLATIONS]
)
def test_a_deliberate_violation_breaks_its_rule(rule: str, file: str, code: str, copy: Path) -> None:
    path = copy / file
    before = path.read_text() if path.exists() else None
    if before is None:
        path.parent.mkdir()  # the cellar: a folder that nobody has a rule for
    path.write_text(f"{before or ''}\n{code}\n")
    try:
        assert rule in _broken(copy)
    finally:
        path.write_text(before) if before is not None else shutil.rmtree(path.parent)


def test_every_rule_has_a_violation_that_breaks_it() -> None:
    assert {rule for rule, _, _ in VIOLATIONS} == set(RULES)

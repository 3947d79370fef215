"""Every program starts with nothing but what requirements.lock installs: a developer's environment hides what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.servers import Servers

from .files import ROOT

# Refuses every module that only packages outside the lock provide, then imports a program.
ONLY_LOCKED = """
import importlib.metadata, re, sys
locked = {re.sub(r"[-_.]+", "-", line.split("==")[0].split("[")[0]).lower()
          for line in open("requirements.lock") if re.match(r"[A-Za-z0-9]", line)}
plain = lambda name: re.sub(r"[-_.]+", "-", name).lower()
outside = {module for module, names in importlib.metadata.packages_distributions().items()
           if not locked.intersection(map(plain, names))}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in outside:
            raise ModuleNotFoundError(f"{name} is not in requirements.lock", name=name)

sys.meta_path.insert(0, Refuse())
"""
PROGRAMS = {
    "web": "import uvicorn, hospital.project.asgi",
    "worker and beat": "from hospital.project.celery import app; app.connection().transport; app.loader.import_default_modules()",
    "robot": "import devices.edge.cli, devices.edge.link.agent, devices.edge.safety.core, devices.drivers.sim.box",
    "check": "import deploy.server.check, deploy.server.up",
}


def _run(code: str, servers: Servers) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", **servers.environment()}
    command = [sys.executable, "-c", ONLY_LOCKED + code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_starts_with_the_locked_packages_alone(program: str, servers: Servers) -> None:
    done = _run(PROGRAMS[program], servers)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_package_outside_the_lock_would_be_seen(servers: Servers) -> None:
    assert "pytest is not in requirements.lock" in _run("import pytest", servers).stderr

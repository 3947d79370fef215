"""One running house for the browser tests, started as a newcomer would: `deploy/up` in an empty folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from deploy.server.check_tools import totp, unused_step
from tests.waiting import until

from .browser import ROOT, chromium

START_LIMIT_S = 240.0  # first migrations on a machine busy with other tests


@dataclass(frozen=True)
class House:
    """A running installation: its address, its folder and what up.json says about the people in it."""

    base_url: str
    data_dir: Path
    up: dict[str, Any]
    used: dict[str, int] = field(default_factory=dict)  # the step of each person's last one-time code

    def staff(self, role: str) -> dict[str, str]:
        return next(row for row in self.up["staff"] if row["role"] == role)

    def manage(self, *arguments: str) -> str:
        """Output of a management command."""
        environment = {**os.environ, "DATA_DIR": str(self.data_dir)}
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=90, check=True
        )
        return done.stdout.strip()

    def totp(self, username: str) -> str:
        """A code that nobody used before, as the person's own device shows it; waits until there is one."""
        secret = next(row["totp_secret"] for row in self.up["staff"] if row["username"] == username)
        after = self.used.get(username, 0)
        step = until(lambda: unused_step(after), timeout_s=60, every_s=0.2, what=f"a new code of {username}")
        assert step is not None
        self.used[username] = step
        return totp(secret, step)

    def sign_in(self, page: Page, role: str) -> None:
        """Through the form, with a code nobody used before."""
        person = self.staff(role)
        page.goto(f"{self.base_url}/console/sign-in/")
        page.locator("input[name=username]").fill(person["username"])
        page.locator("input[name=password]").fill(person["password"])
        page.locator("input[name=totp]").fill(self.totp(person["username"]))
        page.locator("form button.primary").click()
        page.locator(".who-name").wait_for()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """Its robot and programs end with these tests: others measure on the same machine."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="e2e-", ignore_cleanup_errors=True) as folder:
        data_dir, log = Path(folder), Path(folder) / "up.log"
        data_dir.chmod(0o755)  # the embedded database runs as a user of its own
        command = [str(ROOT / "deploy/up"), "--port", str(port), "--data-dir", folder]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            _until_ready(process, f"http://localhost:{port}/readyz", data_dir / "up.json", log)
            up = json.loads((data_dir / "up.json").read_text())
            yield House(base_url=up["base_url"], data_dir=data_dir, up=up)
        finally:
            _stop(process)


def _until_ready(process: subprocess.Popen[bytes], url: str, up: Path, log: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, f"deploy/up ended:\n{log.read_text()[-4000:]}"
        return _answers(url) and up.exists()

    try:
        until(ready, timeout_s=START_LIMIT_S, every_s=0.3, what="deploy/up ready")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-4000:]}") from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does; what is left after 30 s is ended with its group."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a module: two Playwrights at once, or one beside Django's database, do not go together."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    """Django's own server for tests beside a database: its address in the browser; keys answer for this origin."""
    address = str(live_server.url).replace("127.0.0.1", "localhost")
    settings.BASE_URL, settings.WEBAUTHN_ORIGINS = address, [address]
    settings.CSRF_TRUSTED_ORIGINS = [address]
    return address

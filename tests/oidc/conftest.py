"""The provider, started once for a run of these tests; a browser's part played by plain requests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.server.embedded import free_port
from hospital.access import oidc
from tests.oidc.provider import PASSWORD
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Provider:
    issuer: str

    def tell(self, path: str, body: Any) -> None:
        assert httpx.post(f"{self.issuer}/{path}", json=body).status_code == 200

    def signed_in(self, url: str, name: str = "doctor") -> dict[str, str]:
        """What a browser brings back after this person signed in over there: code, state, iss."""
        with httpx.Client(follow_redirects=False) as browser:
            asked = browser.get(url)
            login = httpx.URL(self.issuer).join(asked.headers["location"])
            done = browser.post(login, data={"username": name, "password": PASSWORD})
            back = browser.get(httpx.URL(self.issuer).join(done.headers["location"]))
        assert back.status_code == 302, back.text[:500]
        return dict(httpx.URL(back.headers["location"]).params)


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    port, folder = free_port(), tmp_path_factory.mktemp("provider")
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "tests.oidc.provider", str(port), str(folder)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    issuer = f"http://localhost:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()[-3000:]
        try:
            return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(answers, timeout_s=60, every_s=0.1, what="the provider")
        yield Provider(issuer)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def provider(_running: Provider) -> Provider:
    """With nothing remembered of it, and nobody described yet."""
    oidc._kept.clear()
    for name in ("doctor", "colleague", "citizen"):
        _running.tell(f"about/{name}", {})
    return _running

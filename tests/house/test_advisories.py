"""The audit of the locked versions: it fails on a known vulnerability, and a missing network is never an all-clear."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HASH = "sha256:" + "0" * 64
ADVISORY = {
    "schema_version": "1.6.0",
    "id": "PYSEC-2022-1",
    "aliases": ["CVE-2022-0001"],
    "summary": "an advisory in the form of the OSV schema",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "django"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.2.11"}]},
            ],
        }
    ],
}


class _Osv(BaseHTTPRequestHandler):
    """`POST /v1/query` as the OSV API has it; one version is known to be vulnerable."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bad = (asked["package"]["name"], asked["version"]) == ("django", "3.2.0")
        body = json.dumps({"vulns": [ADVISORY]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not test output."""


@pytest.fixture
def osv() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Osv)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    server.shutdown()
    server.server_close()
    thread.join(5)


def _audit(folder: Path, url: str, *versions: str) -> subprocess.CompletedProcess[str]:
    lock = folder / "some.lock"
    lock.write_text("".join(f"{version} \\\n    --hash={HASH}\n" for version in versions))
    return subprocess.run(
        [sys.executable, "-m", "deploy.server.advisories", str(lock)],
        cwd=ROOT, env=os.environ | {"ADVISORIES_URL": url}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_vulnerable_locked_version_fails_the_gate_and_is_named(osv: str, tmp_path: Path) -> None:
    done = _audit(tmp_path, osv, "django==3.2.0", "redis==5.2.1")
    assert done.returncode == 1
    assert "VULNERABLE django 3.2.0: PYSEC-2022-1, fixed in 3.2.11" in done.stdout


def test_versions_without_advisories_pass(osv: str, tmp_path: Path) -> None:
    done = _audit(tmp_path, osv, "django==5.2.19", "redis==5.2.1")
    assert (done.returncode, done.stdout) == (
        0, "audited 2 locked versions of some.lock: 0 known vulnerabilities\n"
    )  # fmt: skip


def test_without_an_answer_it_says_not_audited_and_stops_nobody(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, never listening: every connection is refused
        done = _audit(tmp_path, f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/query", "django==3.2.0")
    assert done.returncode == 0
    assert done.stdout.startswith("NOT AUDITED: some.lock: ")
    assert "audited 1" not in done.stdout

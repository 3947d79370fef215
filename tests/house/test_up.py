"""What deploy/up refuses before it starts anything, and how it judges a virtual environment."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.server import venv
from deploy.server.children import Child
from deploy.server.secrets import secrets_of
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


def _up(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real program, in the environment the tests run in."""
    start = "import sys; from deploy.server.up import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = _up("--port", str(other.getsockname()[1]), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "taken" in done.stderr
    assert not (tmp_path / "data" / "pg").exists()


def test_a_second_up_on_one_data_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = _up("--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and str(tmp_path) in done.stderr


def test_secrets_are_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    first = secrets_of(tmp_path)
    assert secrets_of(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first)


@pytest.mark.parametrize(
    ("lock", "installed", "good"),
    [
        ("a-b==1.0 \\\n", '{"a-b": "1.0"}', True),
        ("A_b[x]==1.0 \\\n", '{"a-b": "1.0"}', True),
        ("a-b==1.0 \\\n", '{"a-b": "1.1"}', False),
        ("a-b==1.0 \\\n", "{}", False),
        ("a-b==1.0 ; sys_platform == 'win32' \\\n", "{}", True),
        ("a-b==1.0 ; sys_platform == 'win32' \\\n", '{"a-b": "1.1"}', False),
        ("n==1 ; python_version < '3.12' \\\nn==2 ; python_version >= '3.12' \\\n", '{"n": "2"}', True),
    ],
)
def test_an_environment_is_left_alone_only_when_it_has_what_the_lock_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, installed: str, good: bool
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\necho '{installed}'\n")
    python.chmod(0o755)
    monkeypatch.setattr(venv, "VENV", tmp_path)
    (tmp_path / "lock").write_text(lock)
    assert venv._satisfied(tmp_path / "lock") is good


def test_a_childs_own_children_end_with_it(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()"
    )
    child = Child("parent", [sys.executable, "-c", script], log=tmp_path / "log")
    child.start(cwd=tmp_path, env=dict(os.environ))
    found = until(lambda: re.match(r"(\d+)\n", (tmp_path / "log").read_text()), what="its child's pid")
    assert found is not None
    child.end()
    until(lambda: not _runs(int(found[1])), what="the end of its child")


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); signal.pause()"
    child = Child("deaf", [sys.executable, "-c", script], log=tmp_path / "log")
    child.start(cwd=tmp_path, env=dict(os.environ))
    until(lambda: "on" in (tmp_path / "log").read_text())
    child.end(timeout_s=0.2)
    assert child.ended() == -9


def _runs(pid: int) -> bool:
    """Alive and not a zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

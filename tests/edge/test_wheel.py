"""The agent's wheel in an environment of its own: runs where Django cannot be imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

import pytest

from devices.edge import identity as identities
from tests.edge.tokens import ROBOT_ID, Hospital
from tests.waiting import until

ROOT = Path(__file__).parents[2]
# Third-party packages come from the environment under test (the lock's versions); what the agent
# must not need is made impossible to import.
BLOCKER = """
import sys
class Blocked:
    names = {"django", "channels", "rest_framework", "celery", "psycopg", "hospital", "teleconsult"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ImportError(f"{name} is not part of the robot")
sys.meta_path.insert(0, Blocked())
"""

PIP = ("--no-deps", "--no-index", "--quiet")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT / "deploy" / "edge",
        check=True,
        capture_output=True,
    )
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    site = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (site / "sitecustomize.py").write_text(BLOCKER)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(folder / "venv/bin/python"),
            "install",
            *PIP,
            str(wheel),
        ],
        check=True,
    )
    return folder / "venv"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A paired robot with the simulator; its server is not there."""
    data = tmp_path / "data"
    data.mkdir()
    hospital = Hospital()
    identities.store_keys(data, hospital.rows)
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = hospital.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    row = {"robot_id": ROBOT_ID, "name": "clean", "private_key_pem": pem}
    (data / identities.IDENTITY_FILE).write_text(json.dumps(row))
    path = tmp_path / "edge.toml"
    runtime = tempfile.mkdtemp(prefix="edge-w-")
    path.write_text(f'server_url = "http://127.0.0.1:9"\ndata_dir = "{data}"\nruntime_dir = "{runtime}"\n')
    return path


def run(clean: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(clean / "bin" / "edge"), *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )


def test_the_environment_has_no_django_and_the_code_is_the_wheels(clean: Path, tmp_path: Path) -> None:
    code = "import devices.edge; print(devices.edge.__file__)\ntry:\n import django\nexcept ImportError: print('none')"
    found = subprocess.run(
        [str(clean / "bin" / "python"), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, django = found.stdout.split()
    assert file.startswith(str(clean)) and django == "none"


def test_help_names_the_commands(clean: Path, tmp_path: Path) -> None:
    found = run(clean, tmp_path, "--help")
    assert found.returncode == 0 and all(word in found.stdout for word in ("run", "pair", "check"))


def test_the_self_check_is_good(clean: Path, tmp_path: Path, config: Path) -> None:
    found = run(clean, tmp_path, "check", "--config", str(config))
    report = json.loads(found.stdout)
    assert report["checks"]["libraries"] is True and report["checks"]["driver"] is True, report
    assert report["robot_id"] == ROBOT_ID
    assert report["without_django"] is True
    assert found.returncode == (0 if report["ok"] else 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "server_url is missing"),
        ('server_url = "ftp://x"\ndata_dir = "d"', "http"),
        ('server_url = "http://x"\ndata_dir = "d"\ncolour = "red"', "unknown key 'colour'"),
        ("=", "not TOML"),
        ('server_url = "http://x"\ndata_dir = "d"\ndriver = "warp"', "known: sim"),
    ],
)
def test_a_wrong_file_is_one_sentence_and_status_two(
    clean: Path, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    found = run(clean, tmp_path, "run", "--config", str(path))
    assert found.returncode == 2
    assert sentence in found.stderr and "Traceback" not in found.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_starts_every_process_and_leaves_nothing(
    clean: Path, tmp_path: Path, config: Path, number: signal.Signals
) -> None:
    runtime = Path(config.read_text().split('runtime_dir = "')[1].split('"')[0])
    log = open(tmp_path / "log", "w")
    process = subprocess.Popen(
        [str(clean / "bin" / "edge"), "run", "--config", str(config)],
        cwd=tmp_path,
        stderr=log,
        start_new_session=True,
    )
    try:
        pids = until(lambda: _pids(runtime), timeout_s=30, what="four processes") or {}
        until(
            lambda: (runtime / "safety.sock").exists() and (runtime / "imaging.sock").exists(), timeout_s=30
        )
        process.send_signal(number)
        assert process.wait(20) == 0, (tmp_path / "log").read_text()
        assert not [pid for pid in pids.values() if _alive(pid)]
        assert not runtime.exists() or not list(runtime.iterdir())
    finally:
        process.kill()
        process.wait()


def test_a_recorded_run_replays_and_is_never_written_over(clean: Path, tmp_path: Path, config: Path) -> None:
    runtime = Path(config.read_text().split('runtime_dir = "')[1].split('"')[0])
    out = tmp_path / "idle.drive"
    command = [str(clean / "bin" / "edge"), "run", "--config", str(config), "--record", str(out)]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    try:
        until(lambda: _pids(runtime, 5), timeout_s=30, what="five processes")
        until(lambda: out.exists() and out.stat().st_size > 20_000, timeout_s=30, what="a second of cycles")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    found = run(clean, tmp_path, "replay", str(out))
    assert (found.returncode, "cycles come out as recorded" in found.stdout) == (0, True), found.stdout
    again = run(clean, tmp_path, *command[1:])
    assert (again.returncode, "exists" in again.stderr) == (2, True)


def _pids(runtime: Path, children_n: int = 4) -> dict[str, int] | None:
    try:
        found = json.loads((runtime / "pids.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found if all(found.values()) and len(found) == children_n else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

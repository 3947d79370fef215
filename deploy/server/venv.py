"""Make the virtual environment from a lock file. Standard library only: runs before anything is installed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
_LINE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;)?")
_INSTALLED = (
    "import importlib.metadata as m, json, re;"
    "print(json.dumps({re.sub(r'[-_.]+', '-', d.metadata['Name']).lower(): d.version for d in m.distributions()}))"
)


class Missing(Exception):
    """Something a person must install; the text says what to type."""


def find_python() -> str:
    """A Python new enough, preferably the running one. Raises Missing."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NEWER:
        found = shutil.which(name)
        if found:
            return found
    raise Missing("Python 3.11 or newer is needed: apt-get install python3 (Debian 12 or newer).")


def _fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _satisfied(lock: Path) -> bool:
    """True when every package of the lock is installed in one of its versions (a marked one may be absent)."""
    if not (VENV / "bin/python").exists():
        return False
    done = subprocess.run([str(VENV / "bin/python"), "-c", _INSTALLED], capture_output=True, text=True)
    if done.returncode:
        return False
    installed = json.loads(done.stdout)
    wanted: dict[str, set[str]] = {}
    optional = set()
    for found in filter(None, map(_LINE.match, lock.read_text().splitlines())):
        name = re.sub(r"[-_.]+", "-", found[1]).lower()
        wanted.setdefault(name, set()).add(found[2])
        if found[3]:
            optional.add(name)
    return all(
        installed.get(name) in versions or (name in optional and name not in installed)
        for name, versions in wanted.items()
    )


def _make(python: str) -> None:
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Missing("Python's venv module is missing: sudo apt-get install python3-venv")
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "python3-venv"], check=True)
    if subprocess.run([python, "-m", "venv", "--clear", str(VENV)]).returncode:
        raise Missing("Python could not make .venv; its last lines are above.")


def ensure(lock_name: str) -> Path:
    """The environment's Python, with everything of the lock installed. Raises Missing."""
    lock = ROOT / lock_name
    stamp = VENV / f".{lock_name}.sha256"
    python = VENV / "bin/python"
    wanted = _fingerprint(lock)
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if not _satisfied(lock):
        _install(lock)
    stamp.write_text(wanted)
    return python


def _install(lock: Path) -> None:
    began = time.monotonic()
    print(
        f"  packages of {lock.name} into .venv (the first time this takes minutes) ...",
        flush=True,
    )
    python = VENV / "bin/python"
    if (
        not python.exists()
        or subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode
    ):
        _make(find_python())
    argv = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    if subprocess.run([*argv, "--require-hashes", "-r", str(lock)]).returncode:
        raise Missing("pip could not install the packages; its last lines are above.")
    print(f"  packages installed  {time.monotonic() - began:.1f} s", flush=True)

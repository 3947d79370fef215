#!/usr/bin/env python3
"""Django's command line. Finds the running installation: DATA_DIR/env.json (default .data/) fills what the
environment leaves open, so that `python manage.py mailbox …` works in any shell."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OWNER_COMMANDS = {
    "migrate",
    "makemigrations",
    "grant_app_role",
    "rotate_keys",
    "sqlmigrate",
    "showmigrations",
}


def _use_venv() -> None:
    """`python` may be the system's: go on in the virtual environment that deploy/up made."""
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix) != ROOT / ".venv":
        os.execv(python, [str(python), *sys.argv])  # noqa: S606


def _load_environment() -> None:
    path = Path(os.environ.get("DATA_DIR", ROOT / ".data")) / "env.json"
    if "DATABASE_URL" not in os.environ and path.exists():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")
    try:
        import django  # noqa: F401
    except ImportError:
        _use_venv()
    _load_environment()
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["AS_OWNER"] = "1"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""Debian packages that tests and benchmarks need. Standard library only: runs before anything is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

PACKAGES: dict[str, Callable[[], object]] = {  # Debian package -> how we see that it is there
    "chromium": lambda: shutil.which("chromium"),
    "fonts-noto-cjk": lambda: os.path.isdir("/usr/share/fonts/opentype/noto"),
    "fonts-hanazono": lambda: os.path.isdir("/usr/share/fonts/truetype/hanazono"),
    "coturn": lambda: shutil.which("turnserver"),
    "dicom3tools": lambda: shutil.which("dciodvfy"),
}


def problem_with(wanted: Sequence[str] = tuple(PACKAGES)) -> str | None:
    """None, or the sentence that says what is missing; as root the missing ones are installed first."""
    missing = [name for name in wanted if not PACKAGES[name]()]
    if not missing:
        return None
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
        missing = [name for name in wanted if not PACKAGES[name]()]
    return f"missing Debian packages: sudo apt-get install {' '.join(missing)}" if missing else None

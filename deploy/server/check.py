"""`deploy/up --check`: one scripted exam through public interfaces only, on free ports in a fresh folder."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .check_report import Report
from .embedded import EmbeddedError, free_port
from .installation import Broken, CannotStart, Installation


def run_check(say: Callable[[str], None]) -> int:
    """Start an installation, walk the exam, end everything. 0 when every step was verified, else 1."""
    from .check_exam import walk

    began, report = time.monotonic(), Report(say)
    with tempfile.TemporaryDirectory(prefix="hospital-check-", ignore_cleanup_errors=True) as folder:
        installation = Installation(Path(folder), free_port(), say=say)
        try:
            installation.start()
            report.ok("the house is up")
            walk(installation, report)
        except (Broken, CannotStart, EmbeddedError) as error:
            report.failed("the house is up", str(error))
        finally:
            installation.stop()
    seconds = round(time.monotonic() - began, 1)
    say(json.dumps({"verified": report.verified_n, "failed": report.failed_n, "seconds": seconds}))
    return 1 if report.failed_n else 0

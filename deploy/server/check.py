"""`deploy/up --check`: one scripted exam on a fresh installation, through public interfaces only."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .check_exam import prepare
from .check_report import report_and_patient
from .check_scan import scan
from .check_state import Script
from .check_tools import Checks, last_line
from .embedded import EmbeddedError, free_port
from .installation import Broken, CannotStart, Installation

LIMIT_S = 540.0  # design value: the whole script, on a busy machine


def run_check(say: Callable[[str], None]) -> int:
    """0 when every step held, 1 otherwise; the last line is JSON."""
    began = time.monotonic()
    checks = Checks(say)
    data_dir = Path(tempfile.mkdtemp(prefix="hospital-check-"))
    installation = Installation(data_dir, free_port(), robot=True, say=say)
    try:
        with checks.step("the installation starts"):
            installation.start()
        if not checks.failed:
            asyncio.run(asyncio.wait_for(_script(installation, checks), LIMIT_S))
        with checks.step("every part still runs"):
            installation.check_children()
    except TimeoutError:
        checks.number += 1
        checks.failed += 1
        say(f"FAILED {checks.number} the script ends within {LIMIT_S:.0f} s")
    except (Broken, CannotStart, EmbeddedError, KeyboardInterrupt) as error:
        checks.number += 1
        checks.failed += 1
        say(f"FAILED {checks.number} {type(error).__name__}: {error}")
    finally:
        installation.stop()
    if checks.failed:
        say(f"logs are kept in {data_dir / 'log'}")
    else:
        shutil.rmtree(data_dir, ignore_errors=True)
    say(last_line(checks, time.monotonic() - began))
    return 1 if checks.failed else 0


async def _script(installation: Installation, checks: Checks) -> None:
    script = Script(installation, checks)
    try:
        for part in (prepare, scan, report_and_patient):
            await part(script)
    finally:
        await script.close()

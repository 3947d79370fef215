"""What a recording begins with: which build, which wire, which arm. No secrets, no people."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.drivers.base import Arm
from devices.edge.recorder import masks
from devices.edge.version import AGENT_VERSION
from devices.wire.messages import SCHEMA_HASH

_CODE = Path(__file__).resolve().parents[2]
_DECIDES = ("edge/safety", "wire")


def code_hash() -> str:
    """SHA-256 over the sources that decide what the arm may do."""
    found = hashlib.sha256()
    for folder in _DECIDES:
        for path in sorted((_CODE / folder).glob("*.py")):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def header(
    *, arm: Arm, driver: str, options: Mapping[str, Any], robot_id: str, newest_epoch: int
) -> dict[str, Any]:
    """As in the file, without ``started_s``."""
    return {
        "format": 1,
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "agent": AGENT_VERSION,
        "wire": SCHEMA_HASH,
        "code": code_hash(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "driver": driver,
        "options": masks.options(options),
        "robot_id": robot_id,
        "newest_epoch": newest_epoch,
        "stop_time_ms": arm.stop_time_ms,
        "watchdog_ms": arm.watchdog_ms,
        "workspace_mm": arm.workspace_mm,
    }

"""Rows that could not wait for the log: one encrypted file each in DATA_DIR/audit-spool, until the sealer takes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from hospital.common import crypto
from hospital.common.clock import now

log = structlog.get_logger()
BOUND_TO = "audit.spool"


def folder() -> Path:
    return Path(settings.DATA_DIR) / "audit-spool"


def put(values: dict[str, Any], problem: str) -> None:
    """Never raises: the deed is done already. A disk that is full too is said in the program's log."""
    details = json.loads(values["details"]) | {"spooled_at": now().isoformat(), "spooled_for": problem}
    row = {
        name: value if value is None or isinstance(value, list) else str(value)
        for name, value in (values | {"details": json.dumps(details)}).items()
    }
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        part = folder() / f".{row['id']}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(crypto.encrypt(json.dumps(row).encode(), bound_to=BOUND_TO))
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder() / f"{row['id']}.row")
        log.error("audit_spooled", action=row["action"], problem=problem)
    except OSError as error:
        log.critical(
            "audit_lost", action=row["action"], object_id=row["object_id"], error=type(error).__name__
        )


def waiting() -> Iterator[tuple[Path, dict[str, Any]]]:
    """The oldest first; names are UUIDv7, so they sort by time."""
    for path in sorted(folder().glob("*.row")):
        yield path, json.loads(crypto.decrypt(path.read_bytes(), bound_to=BOUND_TO))

"""The installation's secrets: made once at the first start, kept in DATA_DIR/secrets.json (mode 0600)."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

NAMES = (
    "POSTGRES_PASSWORD",
    "OWNER_PASSWORD",
    "APP_PASSWORD",
    "VALKEY_PASSWORD",
    "SECRET_KEY",
)


def write_private(path: Path, content: Any) -> None:
    """Write JSON readable by us alone; readers see the old or the new file, never half of one."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def secrets_of(data_dir: Path) -> dict[str, str]:
    """The secrets of `data_dir`, made when missing. FIELD_KEY is base64 of 32 random bytes."""
    path = data_dir / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = {name: secrets.token_urlsafe(32) for name in NAMES}
    fresh["FIELD_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
    if fresh.keys() - known.keys():
        known = fresh | known
        write_private(path, known)
    return known

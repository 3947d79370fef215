"""The agent's TOML file. Keys are described in deploy/edge/README.md."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RUNTIME_DIR_MAX_CHARS = 60  # Unix socket paths end at 107 bytes, names below the folder included


class ConfigError(ValueError):
    """A configuration nobody can run with; the text is one sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything ``edge run`` needs."""

    server_url: str
    data_dir: Path
    runtime_dir: Path
    pairing_code: str | None = None
    driver: str = "sim"
    image_source: str = "phantom"
    ice_servers: tuple[dict[str, Any], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    image_options: dict[str, Any] = field(default_factory=dict)
    bitrate_kbps: int = 4000

    @property
    def websocket_url(self) -> str:
        """Where the robot dials: ``/ws/robot/`` of the server."""
        scheme, rest = self.server_url.split("://", 1)
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest.rstrip('/')}/ws/robot/"


_KNOWN = frozenset(
    {"server_url", "data_dir", "runtime_dir", "pairing_code", "driver", "image_source", "ice_servers"}
    | {"options", "image_options", "bitrate_kbps"}
)


def load(path: Path, *, runtime_dir: Path | None = None) -> Config:
    """Read and check a file. ``runtime_dir`` overrules the file's. Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    unknown = sorted(table.keys() - _KNOWN)
    if unknown:
        raise ConfigError(f"unknown key {unknown[0]!r}; known: {', '.join(sorted(_KNOWN))}")
    url = _text(table, "server_url")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError("server_url must begin with http:// or https://")
    data_dir = Path(_text(table, "data_dir")).expanduser().resolve()
    return Config(
        server_url=url.rstrip("/"),
        data_dir=data_dir,
        runtime_dir=_runtime_dir(table) if runtime_dir is None else runtime_dir,
        pairing_code=_text(table, "pairing_code") if table.get("pairing_code") else None,
        driver=str(table.get("driver", "sim")),
        image_source=str(table.get("image_source", "phantom")),
        ice_servers=tuple(_table_list(table, "ice_servers")),
        options=_table(table, "options"),
        image_options=_table(table, "image_options"),
        bitrate_kbps=int(table.get("bitrate_kbps", 4000)),
    )


def _runtime_dir(table: dict[str, Any]) -> Path:
    if "runtime_dir" not in table:
        return Path(tempfile.mkdtemp(prefix="edge-"))
    found = Path(_text(table, "runtime_dir")).expanduser().resolve()
    if len(str(found)) > RUNTIME_DIR_MAX_CHARS:
        raise ConfigError(f"runtime_dir must be at most {RUNTIME_DIR_MAX_CHARS} characters long")
    return found


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key} is missing or not a text")
    return value


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{key} must be a table")
    return value


def _table_list(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(row, dict) and "urls" in row for row in value):
        raise ConfigError(f"{key} must be a list of tables with urls")
    return value

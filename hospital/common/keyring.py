"""The keys of data at rest, by number. Number 1 is FIELD_KEY; later ones stand in FIELD_KEYS_FILE.

The file is read again when it changed, and at once when a value names a number that is not known yet: so a new key
reaches every running program without a restart. It holds the keys themselves, mode 0600. FIELD_KEY stays needed: for
backups from before a rotation, and for the keyed indexes.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

LOOK_EVERY_S = 1.0  # design value
Stamp = tuple[str, str, int, int]
KEY_BYTES = 32


class KeyUnknown(ValueError):
    """A value names a key that this installation does not have."""


@dataclass(frozen=True)
class Ring:
    """`keys`: number -> 32 bytes; `current` encrypts; `rotating` until nothing is left under older ones."""

    keys: dict[int, bytes]
    current: int
    rotating: bool = False


@dataclass
class _Read:
    ring: Ring
    stamp: Stamp
    looked_at: float


_lock = threading.Lock()
_read: _Read | None = None


def key_of(text: str, name: str) -> bytes:
    """32 bytes from base64; ValueError says which setting is wrong."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{name} must be base64 of {KEY_BYTES} bytes")
    return key


def _named() -> tuple[str, str]:
    return settings.FIELD_KEY, str(settings.FIELD_KEYS_FILE)


def _stamp(path: Path) -> Stamp:
    """What changes when the settings or the file do."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (*_named(), 0, 0)
    return (*_named(), found.st_mtime_ns, found.st_ino)


def _load(path: Path) -> Ring:
    keys, current, rotating = {1: key_of(settings.FIELD_KEY, "FIELD_KEY")}, 1, False
    if path.exists():
        content = json.loads(path.read_text())
        keys |= {int(number): key_of(text, path.name) for number, text in content["keys"].items()}
        current, rotating = int(content["current"]), bool(content["rotating"])
    if current not in keys:
        raise KeyUnknown(f"the current key {current} is not in {path.name}")
    return Ring(keys, current, rotating)


def ring(*, look: bool = False) -> Ring:
    """The keys as they stand now, looked at once a second or when asked to `look`."""
    global _read
    path, moment = Path(settings.FIELD_KEYS_FILE), time.monotonic()
    known = _read
    if known and not look and moment - known.looked_at < LOOK_EVERY_S and known.stamp[:2] == _named():
        return known.ring
    with _lock:
        stamp = _stamp(path)
        if known is None or known.stamp != stamp:
            known = _Read(_load(path), stamp, moment)
        _read = replace(known, looked_at=moment)
    return _read.ring


def key_numbered(number: int) -> bytes:
    """KeyUnknown when not even the file as it is now has this number."""
    for look in (False, True):
        if key := ring(look=look).keys.get(number):
            return key
    raise KeyUnknown(f"key {number} is not known here")


def _write(changed: Ring) -> None:
    path = Path(settings.FIELD_KEYS_FILE)
    keys = {
        str(number): base64.b64encode(key).decode() for number, key in changed.keys.items() if number != 1
    }
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"current": changed.current, "rotating": changed.rotating, "keys": keys}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    ring(look=True)


def key_add() -> int:
    """A new random key, current from now on; its number. Durable before it encrypts anything."""
    now_known = ring(look=True)
    number = max(now_known.keys) + 1
    fresh = now_known.keys | {number: secrets.token_bytes(KEY_BYTES)}
    _write(Ring(fresh, number, rotating=True))
    return number


def rotation_done() -> None:
    known = ring(look=True)
    if known.rotating:
        _write(replace(known, rotating=False))

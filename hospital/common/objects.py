"""Object storage on disk: written once, addressed by content, verified when read.

A file is fsynced and renamed into place before its path is returned, so a row never names half a file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from .crypto import decrypt, encrypt
from .errors import Unavailable


def _root() -> Path:
    return Path(settings.OBJECTS_DIR)


def put(data: bytes) -> tuple[str, str]:
    """Store `data` encrypted. Returns (relative path, hex SHA-256 of the plain bytes). Same bytes, same path."""
    digest = hashlib.sha256(data).hexdigest()
    path = _root() / digest[:2] / digest
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(encrypt(data))
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    return f"{digest[:2]}/{digest}", digest


def read(path: str) -> bytes:
    """The plain bytes. Unavailable `object_damaged` when the file is missing or its hash does not fit."""
    try:
        data = decrypt((_root() / path).read_bytes())
    except Exception as error:
        raise Unavailable("object_damaged") from error
    if hashlib.sha256(data).hexdigest() != Path(path).name:
        raise Unavailable("object_damaged")
    return data

"""Object storage on disk: written once, addressed by content, verified when read.

A file is fsynced and renamed into place before its path is returned, so a row never names half a file. Its name is
the SHA-256 of the plain bytes: who reads the folder learns whether a picture that he already has is stored.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from .crypto import HEADER_BYTES, current_header, decrypt, encrypt
from .errors import Unavailable
from .work import work_add, worker

PART = "part-"
ERASE = "objects.erase"
Named = Callable[[str], bool]
_named: list[Named] = []


def _root() -> Path:
    return Path(settings.OBJECTS_DIR)


def put(data: bytes) -> tuple[str, str]:
    """Store `data` encrypted. Returns (relative path, hex SHA-256 of the plain bytes). Same bytes, same path.

    Inside a transaction the file stays at least until its end, so the row that will name it is seen by an eraser.
    """
    digest = hashlib.sha256(data).hexdigest()
    if connection.in_atomic_block:
        _lock(digest, "pg_advisory_xact_lock_shared")
    path = _root() / digest[:2] / digest
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _place(path, encrypt(data, bound_to=_bound_to(digest)))
    return f"{digest[:2]}/{digest}", digest


def _bound_to(digest: str) -> str:
    return f"object.{digest}"


def _place(path: Path, sealed: bytes) -> None:
    """Whole or not at all, also through a power cut."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=PART, delete=False) as file:
        try:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: str) -> bytes:
    """The plain bytes. Unavailable `object_damaged` when the file is missing or its hash does not fit."""
    try:
        data = decrypt((_root() / path).read_bytes(), bound_to=_bound_to(Path(path).name))
    except Exception as error:
        raise Unavailable("object_damaged") from error
    if hashlib.sha256(data).hexdigest() != Path(path).name:
        raise Unavailable("object_damaged")
    return data


def _lock(digest: str, function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"object:{digest}"])


def register_named(named: Named) -> None:
    """`named(path)`: whether a row of the registering app still names this object."""
    if named not in _named:
        _named.append(named)


def is_named(path: str) -> bool:
    """Whether any app's row still stands on this object."""
    return any(named(path) for named in _named)


def erase(path: str) -> None:
    """After the caller's transaction is committed, take the file off the disk, unless another row names it.

    Written as due work in that transaction: a crash in between leaves work, not a file nobody knows of.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (number,) = cursor.fetchone() or ("",)
    work_add(kind=ERASE, key=f"{path} {number}", payload={"path": path})


@worker(ERASE)
def _erase(payload: dict[str, Any]) -> None:
    path = str(payload["path"])
    _lock(Path(path).name, "pg_advisory_xact_lock")  # waits for uploads of the same bytes
    if not is_named(path):
        (_root() / path).unlink(missing_ok=True)


def stored() -> Iterator[str]:
    """The paths of all objects, in order."""
    for path in sorted(_root().glob("??/*")):
        if not path.name.startswith(PART):
            yield f"{path.parent.name}/{path.name}"


def reencrypt(path: str) -> bool:
    """Under the current key and cipher, if it is not; True when it was not. Unavailable for a damaged object.

    Under the eraser's lock: what was erased meanwhile must not come back.
    """
    file = _root() / path
    with transaction.atomic():
        _lock(file.name, "pg_advisory_xact_lock")
        if not file.exists():
            return False
        with file.open("rb") as opened:
            if opened.read(HEADER_BYTES) == current_header():
                return False
        _place(file, encrypt(read(path), bound_to=_bound_to(file.name)))
    return True

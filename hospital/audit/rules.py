"""The chain's arithmetic, without framework or database: whoever holds an export can check it with this alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

GENESIS = bytes(32)
FIELDS = (
    *("seq", "xid", "id", "at", "actor_kind", "actor_id", "actor_institution_id", "device_kind", "device_id"),
    *(
        "on_behalf_kind",
        "on_behalf_id",
        "institution_id",
        "action",
        "object_kind",
        "object_id",
        "patient_ids",
    ),
    *("outcome", "reason", "address", "details"),
)
# A row may be committed some minutes after it was dated, by a long transaction; not an hour.
LATE = timedelta(minutes=10)  # design value

Row = Sequence[str | int | None]


def canonical(row: Row) -> bytes:
    """The one byte form of an entry: a JSON array of FIELDS, texts as they are, UTF-8, no blanks."""
    if len(row) != len(FIELDS):
        raise ValueError(f"an entry has {len(FIELDS)} fields, not {len(row)}")
    return json.dumps(list(row), ensure_ascii=False, separators=(",", ":")).encode()


def link(previous: bytes, row: Row) -> bytes:
    """32 bytes: SHA-256 of the link before and the row."""
    return hashlib.sha256(previous + canonical(row)).digest()


def checkpoint_bytes(*, number: int, digest: bytes, watermark: int, at: datetime) -> bytes:
    """What a checkpoint's signature covers. `at` must be aware, UTC."""
    return json.dumps(["audit-checkpoint-1", number, digest.hex(), watermark, at.isoformat()]).encode()

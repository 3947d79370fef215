"""The chain's arithmetic, without framework or database: whoever holds an export can check it with this alone."""

from __future__ import annotations

import hashlib
import json
import re
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

# Deeds whose reason an auditor must judge; elsewhere a reason may be a sentence about a patient.
REASONS_SHOWN = ("break_glass.", "patient.reveal", "admin.", "auth.", "audit.")
_CODE = re.compile(r"[a-z0-9_.:-]{1,60}")
_OWNERS = (FIELDS.index("institution_id"), FIELDS.index("actor_institution_id"))
_NOBODYS = (FIELDS.index("actor_kind"), FIELDS.index("patient_ids"))


def reason_shown(action: str, reason: str) -> str | None:
    """The reason as an auditor may read it: codes and reasons of access. None for a text that may be clinical."""
    if not reason or action.startswith(REASONS_SHOWN) or _CODE.fullmatch(reason):
        return reason
    return None


def concerns(row: Row, places: frozenset[str]) -> bool:
    """Whether an entry is of these institutions: their object, their person, or the installation's own deed."""
    owners = [row[at] for at in _OWNERS if row[at] is not None]
    if owners:
        return not places.isdisjoint(map(str, owners))
    kind, patients = (row[at] for at in _NOBODYS)
    return kind in ("system", "nobody") and patients == "{}"


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

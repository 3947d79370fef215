"""Identifiers: UUIDv7 for rows (RFC 9562 section 5.7), 2.25 UIDs for DICOM (PS3.5 annex B.2)."""

from __future__ import annotations

import os
import time
import uuid


def uuid7() -> uuid.UUID:
    """A UUID whose first 48 bits are Unix milliseconds, so that new rows sort last."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    value = value & ~(0xC000 << 48) | 0x8000 << 48
    return uuid.UUID(int=value)


def dicom_uid(of: uuid.UUID | None = None) -> str:
    """A DICOM UID `2.25.<decimal uuid>`, at most 44 characters."""
    return f"2.25.{(of or uuid.uuid4()).int}"

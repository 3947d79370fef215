"""A copy of everything about one patient in one file that a person can read (PIPL 45, LAW-15).

A ZIP: `index.html` (Chinese and English) with tables, reports and pictures, `data.json` with the same for programs,
the files, and `manifest.json` with every file's SHA-256, signed by the installation: the proof mark of a copy.
Upper apps add their part with `part_register`; each part says what it shows and gives its files one by one.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hospital.common.clock import SHANGHAI
from hospital.common.signing import key_id, public_bytes, signing_key

from .archive_page import page

SIGNING = "patient-archive"
LARGE_FILES_N = 8  # design value: more pictures than this are packed by a worker
PIECE_FILES_N = 12  # design value: what one worker's turn of at most a minute surely packs


@dataclass(frozen=True, kw_only=True)
class Table:
    """A titled table: `columns` are (Chinese, English), cells plain text. `notes` are paragraphs under it."""

    title: tuple[str, str]
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of the archive; `data` reads or makes it when it is packed. `picture` is shown on the page."""

    name: str
    data: Callable[[], bytes]
    title: str = ""
    picture: bool = False


@dataclass(frozen=True, kw_only=True)
class Content:
    """What one app knows of a patient: tables for people, `data` for programs, files."""

    tables: Sequence[Table] = ()
    data: dict[str, Any] = field(default_factory=dict)
    files: Sequence[File] = ()


# Given all ids of one person (after merges), the survivor's first.
Part = Callable[[Sequence[UUID]], Content]
_parts: dict[str, Part] = {}


def part_register(name: str, part: Part) -> None:
    """Add what an app knows to every archive."""
    _parts[name] = part


def contents(patient_ids: Sequence[UUID]) -> dict[str, Content]:
    return {name: part(patient_ids) for name, part in _parts.items()}


def files(found: dict[str, Content]) -> list[File]:
    """All files in a fixed order; a name is used once."""
    every = [file for content in found.values() for file in content.files]
    names = [file.name for file in every]
    if len(set(names)) < len(names):
        raise RuntimeError("two parts of an archive use one file name")
    return every


def piece(wanted: Sequence[File]) -> bytes:
    """Some of the files as a ZIP of their own, to be joined by `whole`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in wanted:
            packed.writestr(file.name, file.data())
    return out.getvalue()


def whole(found: dict[str, Content], pieces: Sequence[bytes], *, at: datetime, title: str) -> bytes:
    """The archive: page, data, all files of the pieces, and the signed manifest."""
    out, sums = io.BytesIO(), {}
    made = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:

        def add(name: str, data: bytes) -> None:
            sums[name] = hashlib.sha256(data).hexdigest()
            packed.writestr(name, data)

        add("index.html", page(title=title, made=made, contents=list(found.values())).encode())
        data = {name: content.data for name, content in found.items()}
        add("data.json", json.dumps(data, ensure_ascii=False, indent=1).encode())
        for one in pieces:
            with zipfile.ZipFile(io.BytesIO(one)) as opened:
                for name in opened.namelist():
                    add(name, opened.read(name))
        manifest = json.dumps({"made_at": at.isoformat(), "sha256": sums}, indent=1).encode()
        packed.writestr("manifest.json", manifest)
        packed.writestr("manifest.sig.json", json.dumps(_signature(manifest), indent=1))
    return out.getvalue()


def _signature(manifest: bytes) -> dict[str, str]:
    """Ed25519 over the bytes of `manifest.json`."""
    key = signing_key(SIGNING)
    public = public_bytes(key)
    return {
        "algorithm": "Ed25519",
        "key_id": key_id(public),
        "public_key": public.hex(),
        "signature": key.sign(manifest).hex(),
    }

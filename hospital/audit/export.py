"""A part of the log as a file that proves itself: JSON lines, the chain's links, one signature over all of it.

Line 1 is the header, then one line `[number, link, entry]` each, last the footer with the number of entries, the
Ed25519 public key and its signature over the SHA-256 of everything before the footer.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from hospital.common.clock import now
from hospital.common.signing import key_id, public_bytes, signed_by, signing_key

from .rules import FIELDS, concerns, link
from .sealer import PURPOSE
from .verifier import Problem, Result, bounds, digest_before, links, one_snapshot, trusted_keys

FORMAT = "audit-export-1"
LINE_MAX = 64 * 1024


class Unreadable(Exception):
    """Not an export, or one that was cut off or put together wrongly. One sentence."""


class _Signed:
    """Writes lines and knows the digest of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def line(self, content: Any) -> bytes:
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.digest.update(data)
        self.file.write(data)
        return data


def _write(
    file: IO[bytes], start: datetime | None, end: datetime | None, places: frozenset[str] | None
) -> int:
    first, last = bounds(start, end)
    out, rows_n = _Signed(file), 0
    out.line(
        {
            "format": FORMAT,
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
            "first": first,
            "last": last,
            "previous": digest_before(first).hex(),
            "made_at": now().isoformat(),
            "fields": FIELDS,
        }
    )
    for one in links(first, last):
        given = places is None or one.row[0] is None or concerns(one.row, places)
        out.line([one.number, one.digest.hex(), list(one.row) if given else None])
        rows_n += 1
    key, digest = signing_key(PURPOSE), out.digest.digest()
    public = public_bytes(key)
    out.line(
        {
            "rows": rows_n,
            "key_id": key_id(public),
            "public_key": public.hex(),
            "signature": key.sign(digest).hex(),
        }
    )
    return rows_n


@one_snapshot()
def audit_export(
    *,
    path: Path,
    start: datetime | None = None,
    end: datetime | None = None,
    places: frozenset[str] | None = None,
) -> int:
    """Write the sealed entries of [start, end), and what lies with them between checkpoints; how many.

    With `places` (ids of institutions) the entries of others are withheld: their links stay, so that the chain can
    still be followed, and show nothing.
    The file is readable by its owner alone and appears whole. FileExistsError for a name that is taken.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists")
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        rows_n = _write(file, start, end, places)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return rows_n


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes, Any]]:
    while line := file.readline(LINE_MAX):
        try:
            yield line, json.loads(line)
        except ValueError:
            raise Unreadable("a line of the file is not JSON") from None


def _footer_checked(footer: Any, digest: bytes, rows_n: int, public: bytes | None, result: Result) -> None:
    try:
        signature, said = bytes.fromhex(footer["signature"]), footer["rows"]
    except (TypeError, KeyError, ValueError):
        raise Unreadable("the file has no footer: it was cut off") from None
    key = public or trusted_keys().get(footer.get("key_id"))
    if key is None or not signed_by(key, signature, digest) or said != rows_n:
        result.problems.append(Problem("signature", None, None, "the file is not as it was signed"))


def export_verify(*, path: Path, public: bytes | None = None) -> Result:
    """Check a file's signature and every link. `public` is the key to trust: else this installation's own."""
    result, digest = Result(), hashlib.sha256()
    with path.open("rb") as file:
        lines = _lines(file)
        raw, header = next(lines, (b"", None))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise Unreadable("this file is no audit export")
        digest.update(raw)
        expected, previous = int(header["first"]), bytes.fromhex(header["previous"])
        footer = None
        for raw, content in lines:
            if isinstance(content, dict):
                footer = content
                break
            digest.update(raw)
            number, said, row = content
            if number != expected:
                result.problems.append(Problem("seal_missing", expected, None, f"no link {expected}"))
            elif row is None:
                result.withheld += 1  # another institution's: its link holds the chain together
            elif row[0] is None:
                result.problems.append(Problem("missing", number, None, "the entry was gone when exported"))
            elif link(previous, row).hex() != said:
                result.problems.append(Problem("changed", number, row[0], f"entry {row[2]} was changed"))
            expected, previous = number + 1, bytes.fromhex(said)
            result.checked += 1
        _footer_checked(footer, digest.digest(), result.checked, public, result)
        if file.read(1):
            raise Unreadable("the file goes on behind its footer")
    result.head = (expected - 1, previous.hex())
    return result

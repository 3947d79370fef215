"""The file: a magic, then chunks of ``<BII`` kind, length, CRC-32 of the payload, then the payload.

Own format instead of MCAP: one process's cycles in order, read by one program; the mcap package would bring two
compression libraries to the robot for channels, indexes and schemas that nothing here would use.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.edge.recorder.items import CYCLE, Item, Kind, items_in

MAGIC = b"EDGEDRV1"
CHUNK = struct.Struct("<BII")
SESSION, CYCLES, LOST = 1, 2, 3
"""A start of the safety process (JSON), compressed cycles, cycles that are missing here (JSON)."""
TAPE_SOCKET = "recorder.sock"


class TapeError(ValueError):
    """Not a recording, or a damaged one."""


@dataclass(slots=True)
class Cycle:
    """One cycle of the safety process: what came in and what went out, in order."""

    number: int
    now_s: float
    dt_s: float
    came: list[Item] = field(default_factory=list)
    went: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """One life of the safety process."""

    header: dict[str, Any]
    cycles: list[Cycle] = field(default_factory=list)
    gap_after: int | None = None
    """Number of the last cycle before the first gap; what follows a gap cannot be replayed."""
    lost_n: int = 0


def chunk(kind: int, body: bytes) -> bytes:
    """As it is in the file; cycles are compressed."""
    payload = zlib.compress(body, 1) if kind == CYCLES else body
    return CHUNK.pack(kind, len(payload), zlib.crc32(payload)) + payload


def read(path: Path) -> list[Session]:
    """Everything in a file. A chunk cut short at the end (the machine lost power) ends it. Raises TapeError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TapeError(f"cannot read {path}: {error.strerror}") from error
    if not data.startswith(MAGIC):
        raise TapeError(f"{path} is not a drive recording")
    sessions: list[Session] = []
    for kind, payload in _chunks(data):
        if kind == SESSION:
            sessions.append(Session(json.loads(payload)))
            continue
        if not sessions:
            raise TapeError("the recording does not begin with a header")
        if kind == LOST:
            sessions[-1].lost_n += int(json.loads(payload)["cycles"])
        elif kind == CYCLES:
            _add(sessions[-1], zlib.decompress(payload))
    return sessions


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(MAGIC)
    while at + CHUNK.size <= len(data):
        kind, length, crc = CHUNK.unpack_from(data, at)
        at += CHUNK.size
        payload = data[at : at + length]
        if len(payload) < length:
            return
        if zlib.crc32(payload) != crc:
            raise TapeError(f"damaged at byte {at}")
        yield kind, payload
        at += length


def _add(session: Session, block: bytes) -> None:
    cycles = session.cycles
    try:
        for kind, payload in items_in(block):
            if kind is Kind.CYCLE:
                cycle = Cycle(*CYCLE.unpack(payload))
                expected = cycles[-1].number + 1 if cycles else 0
                if cycle.number != expected and session.gap_after is None:
                    session.gap_after = expected - 1
                cycles.append(cycle)
            else:
                (cycles[-1].went if kind >= Kind.OUTPUT else cycles[-1].came).append((kind, payload))
    except (ValueError, struct.error, IndexError) as error:
        raise TapeError(f"a damaged cycle: {error}") from error

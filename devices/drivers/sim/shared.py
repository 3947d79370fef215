"""One small record in shared memory: one writer, any readers, nobody ever waits (a seqlock).

The record is a memory-mapped file in ``RUNTIME_DIR/shm``: it dies with the folder and needs no tracker.
The sequence is odd while the writer is inside; a reader that sees it odd or changed reads again.
Python's mmap copies are not atomic, which is exactly what the sequence is for.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

_SEQUENCE = struct.Struct("<Q")
_TRIES = 50


class SeqlockWriter:
    """Creates (or takes over) ``path`` and writes records of ``layout``."""

    def __init__(self, path: Path, layout: struct.Struct) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._layout = layout
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, _SEQUENCE.size + layout.size)
            self._map = mmap.mmap(handle, _SEQUENCE.size + layout.size)
        finally:
            os.close(handle)
        # A writer that died inside left the number odd; start from the next even one.
        (old,) = _SEQUENCE.unpack_from(self._map, 0)
        self._sequence = old + (old & 1)

    def write(self, *values: object) -> None:
        """Publish one record; raises struct.error when the values do not fit the layout."""
        record = self._layout.pack(*values)
        _SEQUENCE.pack_into(self._map, 0, self._sequence + 1)
        self._map[_SEQUENCE.size :] = record
        self._sequence += 2
        _SEQUENCE.pack_into(self._map, 0, self._sequence)

    def close(self) -> None:
        """Unmap; repeatable."""
        self._map.close()


class SeqlockReader:
    """Reads the records of a ``SeqlockWriter``; the file may appear later or be replaced."""

    def __init__(self, path: Path, layout: struct.Struct) -> None:
        self._path = path
        self._layout = layout
        self._map: mmap.mmap | None = None

    def read(self) -> bytes | None:
        """The newest record, packed as ``layout`` says, or None when there is none yet."""
        if self._map is None and not self._open():
            return None
        memory = self._map
        if memory is None:
            return None
        for _ in range(_TRIES):
            (before,) = _SEQUENCE.unpack_from(memory, 0)
            if before & 1:
                continue
            record = memory[_SEQUENCE.size :]
            (after,) = _SEQUENCE.unpack_from(memory, 0)
            if before == after:
                return record if before else None
        return None

    def reopen(self) -> None:
        """Forget the mapping: the next read opens the file again (a new writer may have replaced it)."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def close(self) -> None:
        """Unmap; repeatable."""
        self.reopen()

    def _open(self) -> bool:
        size = _SEQUENCE.size + self._layout.size
        try:
            handle = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            if os.fstat(handle).st_size != size:
                return False
            self._map = mmap.mmap(handle, size, prot=mmap.PROT_READ)
        finally:
            os.close(handle)
        return True

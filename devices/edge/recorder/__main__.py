"""The writer: ``python -m devices.edge.recorder --runtime-dir DIR --out FILE``. Waits for the disk so that nobody else has to.

A full disk stops the writing, not the robot: what cannot be written is counted, and the count goes into the
file at that place as soon as there is room again.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import signal
import socket
import time
from pathlib import Path

from devices.edge.recorder.items import Kind, items_in, pack_json
from devices.edge.recorder.tape import CYCLES, LOST, MAGIC, TAPE_SOCKET, chunk

log = logging.getLogger("edge.recorder")
PACKET_BYTES = 65_536
AGAIN_S = 1.0  # between two tries on a full disk; design value
POLL_S = 0.2
DRAIN_S = 2.0


class Tape:
    """Appends chunks; owner-only file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.fchmod(self._file, 0o600)
        self._good = os.lseek(self._file, 0, os.SEEK_END)
        self._lost_n = 0
        self._again_at_s = 0.0
        if self._good == 0:
            self._append(MAGIC)

    def add(self, kind: int, body: bytes) -> None:
        """Write one chunk, or count what it held."""
        if time.monotonic() >= self._again_at_s:
            told = chunk(LOST, pack_json({"cycles": self._lost_n, "where": "disk"})) if self._lost_n else b""
            if self._append(told + chunk(kind, body)):
                self._lost_n = 0
                return
            self._again_at_s = time.monotonic() + AGAIN_S
        if kind == CYCLES:
            self._lost_n += sum(1 for found, _ in items_in(body) if found is Kind.CYCLE)

    def _append(self, data: bytes) -> bool:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            log.error("recording: %s", error)
            with contextlib.suppress(OSError):  # back to the last whole chunk
                os.ftruncate(self._file, self._good)
            os.lseek(self._file, self._good, os.SEEK_SET)
            return False
        self._good += len(data)
        return True

    def close(self) -> None:
        """On the disk when this returns."""
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)


class Writer:
    """Listens for the safety process; one at a time, as often as it starts again."""

    def __init__(self, *, runtime_dir: Path, tape: Tape) -> None:
        self._path, self._tape = runtime_dir / TAPE_SOCKET, tape
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen(2)
        self._end_at_s = float("inf")

    def end(self) -> None:
        """Write what is on its way, then leave ``run``."""
        self._end_at_s = time.monotonic() + DRAIN_S

    def run(self) -> None:
        """Until ``end``."""
        while self._end_at_s == float("inf"):
            if select.select([self._listener], [], [], POLL_S)[0]:
                with self._listener.accept()[0] as connection:
                    self._drain(connection)
        self._listener.close()
        self._tape.close()
        self._path.unlink(missing_ok=True)

    def _drain(self, connection: socket.socket) -> None:
        while time.monotonic() < self._end_at_s:
            if not select.select([connection], [], [], POLL_S)[0]:
                continue
            packet = connection.recv(PACKET_BYTES)
            if not packet:
                return
            self._tape.add(packet[0], packet[1:])


def main() -> None:
    """Write until SIGTERM."""
    parser = argparse.ArgumentParser(prog="edge-recorder")
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    writer = Writer(runtime_dir=arguments.runtime_dir, tape=Tape(arguments.out))
    signal.signal(signal.SIGTERM, lambda *_: writer.end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends us in order
    writer.run()


if __name__ == "__main__":
    main()

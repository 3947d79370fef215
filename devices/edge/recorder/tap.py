"""The recording end in the safety process: it packs, hands over, and never waits.

Cycles are gathered into packets for the writer's process. Where the writer cannot follow, packets wait in a
bounded queue; beyond that whole packets are dropped, counted, and the count is put where they are missing.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

from devices.drivers.base import Arm
from devices.edge.recorder.hook import Hook
from devices.edge.recorder.items import CYCLE, WALL, Kind, pack, pack_json, pack_output
from devices.edge.recorder.masks import Masks
from devices.edge.recorder.tape import CYCLES, LOST, SESSION, TAPE_SOCKET
from devices.edge.recorder.tapped import TappedArm, TappedSocket
from devices.edge.safety.cycle import Output
from devices.edge.safety.lease import Decode
from devices.wire.tokens import TokenError

CYCLES_PER_PACKET = 25
PACKET_MAX_BYTES = 48_000
QUEUE_MAX_BYTES = 4_000_000
"""About ten seconds; design value."""
SENDS_PER_CYCLE = 4
REDIAL_S = 0.5
SEND_BUFFER_BYTES = 1 << 20


class Tap(Hook):
    """Records what passes. ``lost_n`` counts cycles that are missing in the file."""

    def __init__(self, *, runtime_dir: Path, header: dict[str, Any]) -> None:
        self._path = runtime_dir / TAPE_SOCKET
        self._header = header
        self.masks = Masks()
        self._socket: socket.socket | None = None
        self._redial_at_s = 0.0
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._cycle: list[bytes] = []
        self._packet: list[bytes] = []
        self._packet_n = self._packet_bytes = 0
        self._number = self._lost_untold = self.lost_n = 0

    def note(self, kind: Kind, payload: bytes) -> None:
        """One item of the cycle that runs."""
        self._cycle.append(pack(kind, payload))

    # --- what passes ----------------------------------------------------------------------------

    def bind(self, path: Path) -> socket.socket:
        """The real socket; what it receives and sends is noted."""
        return TappedSocket(super().bind(path), self)

    def decode(self, decode: Decode) -> Decode:
        """The real check; its answer is noted, the token is not."""

        def checked(token: str) -> Any:
            try:
                claims = decode(token)
            except TokenError as error:
                self.note(Kind.CLAIMS, pack_json({"refused": error.code}))
                raise
            self.note(Kind.CLAIMS, pack_json({"claims": self.masks.claims(claims)}))
            return claims

        return checked

    def arm(self, arm: Arm) -> Arm:
        """The real driver; its states and failures are noted."""
        return TappedArm(arm, self)

    def started_s(self) -> float:
        """Also what the recording begins with."""
        found = super().started_s()
        self._enqueue(SESSION, pack_json({**self._header, "started_s": found}), cycles_n=0)
        return found

    def wall_ms(self) -> float:
        """Noted, because the next answer would be another."""
        found = super().wall_ms()
        self.note(Kind.WALL, WALL.pack(found))
        return found

    def cycle(self, now_s: float, dt_s: float) -> None:
        """Closes the cycle before; the packet goes when it is full."""
        self._seal()
        self.note(Kind.CYCLE, CYCLE.pack(self._number, now_s, dt_s))
        self._number += 1
        self._send(now_s)

    def output(self, out: Output) -> None:
        """The decision."""
        self.note(Kind.OUTPUT, pack_output(out))

    def close(self) -> None:
        """What is left goes if it can go at once."""
        self._seal(last=True)
        self._send(time.monotonic(), most=10_000)
        if self._socket is not None:
            self._socket.close()

    # --- to the writer --------------------------------------------------------------------------

    def _seal(self, *, last: bool = False) -> None:
        if self._cycle:
            done = b"".join(self._cycle)
            if self._packet_bytes + len(done) > PACKET_MAX_BYTES:
                self._enqueue_cycles()
            self._packet.append(done)
            self._packet_n, self._packet_bytes = self._packet_n + 1, self._packet_bytes + len(done)
            self._cycle.clear()
        if self._packet_n >= CYCLES_PER_PACKET or (last and self._packet_n):
            self._enqueue_cycles()

    def _enqueue_cycles(self) -> None:
        if self._packet_n:
            self._enqueue(CYCLES, b"".join(self._packet), cycles_n=self._packet_n)
        self._packet.clear()
        self._packet_n = self._packet_bytes = 0

    def _enqueue(self, kind: int, body: bytes, *, cycles_n: int) -> None:
        if self._queued_bytes + len(body) > QUEUE_MAX_BYTES:
            self._lost_untold += cycles_n
            self.lost_n += cycles_n
            return
        if self._lost_untold:
            self._put(bytes([LOST]) + pack_json({"cycles": self._lost_untold, "where": "queue"}))
            self._lost_untold = 0
        self._put(bytes([kind]) + body)

    def _put(self, packet: bytes) -> None:
        self._queue.append(packet)
        self._queued_bytes += len(packet)

    def _send(self, now_s: float, *, most: int = SENDS_PER_CYCLE) -> None:
        if self._socket is None and not self._dial(now_s):
            return
        assert self._socket is not None
        for _ in range(min(most, len(self._queue))):
            try:
                self._socket.send(self._queue[0])
            except BlockingIOError:
                return
            except OSError:
                self._socket.close()
                self._socket = None
                return
            self._queued_bytes -= len(self._queue.popleft())

    def _dial(self, now_s: float) -> bool:
        if now_s < self._redial_at_s:
            return False
        self._redial_at_s = now_s + REDIAL_S
        dialled = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        dialled.setblocking(False)
        dialled.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            dialled.connect(str(self._path))
        except OSError:
            dialled.close()
            return False
        self._socket = dialled
        return True

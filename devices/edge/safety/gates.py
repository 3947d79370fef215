"""The gates every command passes, in order: size and schema, epoch, seq, finite, age. Each counts.

What passes here is *heard*: it ends a silence. Whether it may also move the arm (live, frozen,
stale video, release first) is decided afterwards from the state; clamp and slew follow in motion.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

from devices.wire.codec import WireError, unpack_command
from devices.wire.limits import (
    AGE_FLOOR_JUMP_MS,
    AGE_FLOOR_WINDOW_MS,
    AGE_REARM_MS,
    COMMAND_AGE_MAX_MS,
)
from devices.wire.messages import Command, Refusal


@dataclass(frozen=True, slots=True)
class Heard:
    """A command that passed, with its age over the fastest seen."""

    command: Command
    age_ms: float


class AgeFilter:
    """Age without synchronised clocks: offset = receive time - client time, floor = its minimum.

    The floor is kept when the window runs empty: after an outage the network may deliver a burst of
    old commands, and the first of them must not become the new floor. A clock that really moved is
    believed only after its commands were refused at one steady offset for AGE_REARM_MS.
    """

    def __init__(self) -> None:
        self._minima: deque[tuple[float, float]] = deque()
        self._floor_ms: float | None = None
        self._late_since_ms: float | None = None
        self._late_low_ms = 0.0
        self._late_high_ms = 0.0

    def age_ms(self, *, now_ms: float, client_ms: float) -> float:
        """Age of a command; does not learn from it."""
        floor = self._floor(now_ms)
        return 0.0 if floor is None else max(0.0, now_ms - client_ms - floor)

    def learn(self, *, now_ms: float, client_ms: float) -> None:
        """Let an accepted command move the floor."""
        offset = now_ms - client_ms
        while self._minima and self._minima[-1][1] >= offset:
            self._minima.pop()
        self._minima.append((now_ms, offset))
        self._floor_ms = self._floor(now_ms)
        self._late_since_ms = None

    def late(self, *, now_ms: float, client_ms: float) -> None:
        """A command was refused for its age: perhaps the client's clock moved."""
        offset = now_ms - client_ms
        low, high = min(self._late_low_ms, offset), max(self._late_high_ms, offset)
        if self._late_since_ms is None or high - low > AGE_FLOOR_JUMP_MS:
            self._late_since_ms, self._late_low_ms, self._late_high_ms = now_ms, offset, offset
            return
        self._late_low_ms, self._late_high_ms = low, high
        if now_ms - self._late_since_ms >= AGE_REARM_MS:
            self._minima.clear()
            self._floor_ms = low
            self._late_since_ms = None

    def _floor(self, now_ms: float) -> float | None:
        while self._minima and now_ms - self._minima[0][0] > AGE_FLOOR_WINDOW_MS:
            self._minima.popleft()
        return self._minima[0][1] if self._minima else self._floor_ms


class CommandGates:
    """Gates of one lease epoch. ``refused`` counts by refusal; ``last_seq`` is the last one heard."""

    def __init__(self) -> None:
        self.refused: Counter[Refusal] = Counter()
        self.last_refusal = Refusal.NONE
        self.last_seq = 0
        self._any_heard = False
        self._age = AgeFilter()

    def new_epoch(self) -> None:
        """Another holder: sequence numbers and clock start over, counters go on."""
        self.last_seq = 0
        self._any_heard = False
        self._age = AgeFilter()

    def refuse(self, refusal: Refusal) -> Refusal:
        """Count a refusal and return it."""
        self.refused[refusal] += 1
        self.last_refusal = refusal
        return refusal

    @property
    def refused_n(self) -> int:
        """All refusals so far."""
        return self.refused.total()

    def check(self, data: bytes, *, epoch: int | None, now_ms: float) -> Heard | Refusal:
        """Pass one datagram through the gates. ``epoch`` None: this peer holds no valid lease."""
        try:
            command = unpack_command(data)
        except WireError as error:
            return self.refuse(error.code)
        if epoch is None or command.lease_epoch != epoch:
            return self.refuse(Refusal.EPOCH)
        if self._any_heard and command.seq <= self.last_seq:
            return self.refuse(Refusal.SEQ)
        if not all(map(math.isfinite, (*command.twist, command.force_setpoint_n))):
            return self.refuse(Refusal.NOT_FINITE)
        client_ms = command.t_client_us / 1000.0
        age_ms = self._age.age_ms(now_ms=now_ms, client_ms=client_ms)
        if age_ms > COMMAND_AGE_MAX_MS:
            self._age.late(now_ms=now_ms, client_ms=client_ms)
            return self.refuse(Refusal.AGE)
        self._age.learn(now_ms=now_ms, client_ms=client_ms)
        self.last_seq, self._any_heard = command.seq, True
        return Heard(command=command, age_ms=age_ms)

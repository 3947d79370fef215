"""What became of each command of one turn: applied and how soon, replaced by a newer one, refused, or lost."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devices.wire.messages import SafetyState

CLOCKS_APART_MS = 1.0  # page and worker share a clock; more than this and the figures would mean nothing
ON_THE_WAY_MS = 500.0  # a command this young may still be answered; the robot refuses one older than 100 ms


@dataclass(frozen=True, slots=True)
class Answer:
    """One telemetry (or echo) as the page got it. ``hold_us``: how long the robot had the command before."""

    at_ms: float
    applied_seq: int
    last_seq: int
    state: int
    hold_us: int = 0


@dataclass(slots=True)
class Ledger:
    """Commands of a turn, each counted once.

    ``rtt_ms``: leaving the page to the answer that says applied. ``replaced``: replaced in the page's slot before it
    could leave. ``jumped``: left, but the robot went on with a newer one without ever naming it. ``refused``: named,
    not applied (the robot held). ``lost``: nothing newer was applied either.
    """

    sent: int = 0
    rtt_ms: list[float] = field(default_factory=list)
    replaced: int = 0
    jumped: int = 0
    refused: int = 0
    lost: int = 0

    @property
    def superseded(self) -> int:
        """Outdated by a newer command, before it left or after."""
        return self.replaced + self.jumped


def ledger(commands: Iterable[tuple[int, float]], answers: Iterable[Answer]) -> Ledger:
    """Follow each command (seq, ms it left) to its answer. Sequence numbers of one epoch, any order of answers."""
    sent = sorted(commands)
    found = Ledger(sent=len(sent))
    if not sent:
        return found
    in_time = sorted(answers, key=lambda answer: answer.at_ms)
    numbers = {seq for seq, _ in sent}
    found.replaced = sum(1 for seq in range(sent[0][0], sent[-1][0]) if seq not in numbers)
    applied, named, named_at_ms = _firsts(in_time)
    highest = [seq for seq, _ in applied]
    for seq, left_ms in sent:
        place = bisect.bisect_left(highest, seq)
        if seq in named and (place == len(applied) or applied[place][1] > named_at_ms[seq]):
            found.refused += 1
        elif place == len(applied):
            found.lost += 1
        elif seq not in named:
            found.jumped += 1
        else:
            found.rtt_ms.append(applied[place][1] - left_ms)
    return found


def _firsts(answers: list[Answer]) -> tuple[list[tuple[int, float]], set[int], dict[int, float]]:
    """Growing (applied seq, first time), the commands that were named at all, and when first."""
    applied: list[tuple[int, float]] = []
    named_at_ms: dict[int, float] = {}
    for answer in answers:
        if not applied or answer.applied_seq > applied[-1][0]:
            applied.append((answer.applied_seq, answer.at_ms))
        named_at_ms.setdefault(answer.last_seq, answer.at_ms)
    return applied, set(named_at_ms), named_at_ms


def read(seen: dict[str, Any]) -> tuple[list[tuple[int, float]], list[Answer]]:
    """Commands (seq, ms it left) and answers of ``benchTake()``, without commands still on their way.

    Raises ValueError when the clocks of page and worker are apart.
    """
    if abs(seen["offset_ms"]) > CLOCKS_APART_MS + seen["asking_ms"] / 2:
        raise ValueError(f"the worker's clock is {seen['offset_ms']:.2f} ms from the page's")
    until_ms = seen["at_ms"] - ON_THE_WAY_MS
    commands = [(int(seq), float(left_ms)) for seq, left_ms in seen["commands"] if left_ms <= until_ms]
    return commands, [Answer(*row) for row in seen["answers"]]


def share_moving(answers: Iterable[Answer]) -> float:
    """Share of answers in which the arm was following the hand."""
    states = [answer.state for answer in answers]
    return sum(state == SafetyState.MOVING for state in states) / max(1, len(states))

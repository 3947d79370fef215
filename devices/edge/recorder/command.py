"""``edge replay FILE``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devices.edge.recorder import about, tape
from devices.edge.recorder.replay import Departed, verify
from devices.edge.recorder.tape import Session, TapeError
from devices.wire.messages import SafetyState, StopCause

if TYPE_CHECKING:
    from devices.edge.recorder.resimulate import Row


def replay(file: Path, *, again: bool, table: Path | None) -> int:
    """Exit status: 0 as recorded (or simulated again), 1 a difference, a gap or nothing to replay, 2 no recording."""
    try:
        sessions = tape.read(file)
    except TapeError as error:
        print(f"edge: {error}", file=sys.stderr)
        return 2
    _about(sessions)
    if not any(session.cycles for session in sessions):
        print("nothing was recorded")
        return 1
    try:
        return _resimulate(sessions, table) if again else _verify(sessions)
    except Departed as departed:
        print(f"this code {departed}")
        return 1


def _about(sessions: list[Session]) -> None:
    for number, session in enumerate(sessions, 1):
        header = session.header
        cycles = session.cycles
        length_s = cycles[-1].now_s - cycles[0].now_s if cycles else 0.0
        print(
            f"part {number}: {header['recorded_at']} driver {header['driver']} agent {header['agent']}"
            f" wire {header['wire']:08x}: {len(cycles)} cycles, {length_s:.1f} s, {session.lost_n} known lost"
        )
        if header["code"] != about.code_hash():
            print(f"part {number}: recorded by other code than this: differences may be meant")


def _verify(sessions: list[Session]) -> int:
    status = 0
    for number, session in enumerate(sessions, 1):
        found = verify(session)
        if found is not None:
            print(f"part {number}: first difference in cycle {found.cycle} at {found.at_s:.3f} s")
            print(f"  recorded: {found.recorded}\n  replayed: {found.replayed}")
            status = 1
        elif session.gap_after is not None:
            print(f"part {number}: as recorded up to cycle {session.gap_after}; cycles are missing after it")
            status = 1
        else:
            print(f"part {number}: all {len(session.cycles)} cycles come out as recorded")
    return status


def _resimulate(sessions: list[Session], table: Path | None) -> int:
    try:
        from devices.edge.recorder.resimulate import resimulate  # MuJoCo: only where it is asked for
    except ImportError as error:
        print(
            f"edge: the simulator is not installed ({error}): pip install the wheel with [sim]",
            file=sys.stderr,
        )
        return 2
    rows: list[tuple[int, Row]] = []
    for number, session in enumerate(sessions, 1):
        found = resimulate(session)
        rows += [(number, row) for row in found.rows]
        print(
            f"part {number}: simulated again: at most {found.max_mm:.2f} mm and {found.max_n:.2f} N from recorded"
        )
    if table is not None:
        _write(table, rows)
        print(f"{len(rows)} rows in {table}")
    return 0


def _write(path: Path, rows: list[tuple[int, Row]]) -> None:
    axes = [f"{what}_{axis}_mm" for what in ("recorded", "simulated") for axis in "xyz"]
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["part", "at_s", "state", "cause", *axes, "recorded_force_n", "simulated_force_n"])
        for number, row in rows:
            was = row.recorded
            seen: list[Any] = ["", "", ""] if was is None else list(was.position_mm)
            words = [SafetyState(row.state).name.lower(), StopCause(row.cause).name.lower()]
            force = "" if was is None else was.force_n
            both = [*seen, *row.simulated.position_mm, force, row.simulated.force_n]
            out.writerow([number, f"{row.at_s:.6f}", *words, *both])

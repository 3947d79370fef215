"""A short scan on the simulated arm, recorded by `edge run --record`'s processes and run again from the file."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devices.edge.cli import main
from devices.edge.recorder import tape
from devices.edge.recorder.items import Kind, pack_state, unpack_state
from devices.edge.recorder.replay import verify
from devices.edge.recorder.resimulate import resimulate
from devices.edge.recorder.tape import Session
from devices.operator import Operator
from devices.wire.messages import SafetyState
from tests.edge.fake_server import FakeServer
from tests.edge.robot import Robot
from tests.edge.test_exam_on_sim import state
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
S = SafetyState


async def _scan(server: FakeServer) -> None:
    bedside = Operator(server.url, exam_id="e1", role="bedside", ticket="b", video=False)
    console = Operator(server.url, exam_id="e1", role="console", ticket="c")
    async with bedside, console as op:
        assert (await bedside.ctl("place"))["ok"]
        await bedside.wait(lambda: state(bedside) is S.PLACE)
        await bedside.wait(lambda: state(bedside) is not S.PLACE, timeout_s=30)
        await server.grant(op.latest["welcome"]["peer_id"])
        await op.wait(lambda: state(op) is S.PARK, what="PARK")
        assert (await bedside.ctl("go"))["ok"]
        op.deadman, op.force_setpoint_n = True, 6.0
        touching = lambda: op.telemetry is not None and op.telemetry.force_n > 4.0  # noqa: E731
        await op.wait(touching, timeout_s=20, what="contact")
        at = op.telemetry.position_mm if op.telemetry is not None else (0.0, 0.0, 0.0)
        op.twist = (10.0, 0.0, 0.0, 0.0, 0.0, 3.0)
        gone = lambda: op.telemetry is not None and abs(op.telemetry.position_mm[0] - at[0]) > 8  # noqa: E731
        await op.wait(gone, timeout_s=20, what="a sweep of 8 mm")
        await op.stop()
        assert (await bedside.ctl("lift"))["ok"]
        await bedside.wait(lambda: state(bedside) is S.LIFT)
        await bedside.wait(lambda: state(bedside) is S.STOPPED, timeout_s=20)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recording(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    folder = tmp_path_factory.mktemp("drive")
    out = folder / "scan.drive"
    async with FakeServer() as server:
        robot = Robot(
            server_url=server.url,
            server_keys=server.hospital.rows,
            folder=folder,
            driver="sim",
            record=out,
        )
        await asyncio.to_thread(robot.__enter__)
        try:
            await auntil(lambda: server.told("hello"), timeout_s=30)
            await _scan(server)
        finally:
            await asyncio.to_thread(robot.__exit__)
    yield out


@pytest.fixture
def session(recording: Path) -> Session:
    (found,) = tape.read(recording)
    return found


async def test_the_replayed_scan_does_bit_for_bit_what_the_recorded_one_did(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recording)]) == 0, capsys.readouterr().out
    assert "cycles come out as recorded" in capsys.readouterr().out


async def test_one_changed_input_is_found_with_its_time(session: Session) -> None:
    touching = next(
        cycle
        for cycle in session.cycles
        if any(kind is Kind.ARM_STATE and unpack_state(data).force_n > 3.0 for kind, data in cycle.came)
    )
    for place, (kind, data) in enumerate(touching.came):
        if kind is Kind.ARM_STATE:
            was = unpack_state(data)
            pressed = dataclasses.replace(was, force_n=was.force_n + 1e-9)
            touching.came[place] = (kind, pack_state(pressed))
    found = verify(session)
    assert found is not None
    assert found.cycle - touching.number in range(20)
    assert "twist" in found.recorded or "force" in found.recorded


async def test_a_missing_command_is_found(session: Session) -> None:
    commanded = [
        cycle for cycle in session.cycles if any(d[:1] == b"c" for k, d in cycle.came if k is Kind.DATAGRAM)
    ]
    victim = commanded[len(commanded) // 2]
    victim.came = [(k, d) for k, d in victim.came if not (k is Kind.DATAGRAM and d[:1] == b"c")]
    found = verify(session)
    assert found is not None
    assert found.cycle == victim.number


async def test_the_recording_holds_no_token_and_no_names(session: Session) -> None:
    kept = b"".join(data for cycle in session.cycles for _, data in cycle.came)
    assert b"eyJ" not in kept  # how every token begins
    assert b'"sub":"sub-' in kept
    assert b"0198a000-0000-7000-8000-0000000000e1" not in kept  # the exam


async def test_two_simulations_of_one_recording_are_the_same_and_near_what_was(
    session: Session, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = resimulate(session)
    assert main(["replay", str(recording), "--resimulate", "--csv", str(tmp_path / "again.csv")]) == 0
    print(capsys.readouterr().out)
    again = resimulate(session)
    assert first.rows == again.rows
    assert (tmp_path / "again.csv").read_text().count("\n") == len(first.rows) + 1
    assert first.max_mm < 15.0
    assert max(row.simulated.force_n for row in first.rows) > 3.0  # it touched the patient again

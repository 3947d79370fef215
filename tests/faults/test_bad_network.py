"""Nothing that a network does makes the arm obey an old command, or go on without commands."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from devices.drivers.sim.reader import ProbePose, ProbeReader
from devices.operator import Operator
from devices.wire.codec import pack_command
from devices.wire.limits import COMMAND_AGE_MAX_MS, FORCE_PEAK_N
from devices.wire.messages import AGE_UNKNOWN_MS, Command, Refusal, SafetyState, TelemetryFlag
from tests.edge.robot import Robot
from tests.faults.bad_network import BadNetworkServer
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
S = SafetyState
STOP_MS = 250.0


class NetworkAndProbe(BadNetworkServer):
    """And the simulator's truth."""

    probe: ProbeReader


TWIST = (0.0, 15.0, 0.0, 0.0, 0.0, 0.0)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NetworkAndProbe]:
    async with NetworkAndProbe() as found:
        robot = Robot(server_url=found.url, server_keys=found.hospital.rows, folder=tmp_path, driver="sim")
        await asyncio.to_thread(robot.__enter__)
        found.probe = ProbeReader(robot.runtime_dir)
        try:
            await auntil(lambda: found.told("hello"), timeout_s=30)
            yield found
        finally:
            found.network.close()
            found.probe.close()
            await asyncio.to_thread(robot.__exit__)


async def read_pose(server: NetworkAndProbe) -> ProbePose:
    """The newest. One reading can meet a writer that lost its core in the middle of writing."""
    found = await auntil(server.probe.read, what="a whole pose")
    assert found is not None
    return found


async def speed_mm_s(server: NetworkAndProbe) -> float:
    """The tool's true speed over about 10 ms."""
    before = await read_pose(server)
    await asyncio.sleep(0.01)
    after = await read_pose(server)
    return math.dist(before.position_mm, after.position_mm) / max(1e-3, (after.t_us - before.t_us) / 1e6)


async def fast(server: NetworkAndProbe) -> None:
    """Wait until the arm moves."""
    deadline_s = time.monotonic() + 10
    while await speed_mm_s(server) < 10.0:
        assert time.monotonic() < deadline_s, "the arm does not move"


async def rest_ms(server: NetworkAndProbe) -> float:
    """Wait until the arm is at rest; how long that took."""
    began_s = time.monotonic()
    while await speed_mm_s(server) >= 1.0:
        assert time.monotonic() < began_s + 10, "the arm does not rest"
    return (time.monotonic() - began_s) * 1000


async def press(op: Operator) -> None:
    """Release, then press and move; the direction turns, so that the arm stays in its room."""
    op.deadman, op.twist = False, tuple(-v for v in op.twist) if any(op.twist) else TWIST  # type: ignore[assignment]
    await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.PARK, what="PARK")
    await op.wait(lambda: not op.has(TelemetryFlag.NEEDS_RELEASE), what="released")
    op.deadman = True
    await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.MOVING, what="MOVING")


async def moving(server: NetworkAndProbe, op: Operator) -> None:
    await press(op)
    await fast(server)


async def test_a_bad_network_never_makes_the_arm_obey_an_old_command(server: NetworkAndProbe) -> None:
    bedside = Operator(server.url, exam_id="e1", role="bedside", ticket="b", video=False)
    console = Operator(server.url, exam_id="e1", role="console", ticket="c")
    async with bedside, console as op:
        await server.grant(op.latest["welcome"]["peer_id"])
        await op.wait(lambda: op.frame_id_seen > 0, what="a picture")
        await moving(server, op)
        assert server.network.forwarded_n > 20, "the packets do not pass here"
        await _outage_then_a_burst(server, bedside, op)
        await _lost_late_and_repeated(server, bedside, op)
        await _old_epochs_and_repeats(server, bedside, op)
        await _clock_steps(server, bedside, op)


async def _outage_then_a_burst(server: NetworkAndProbe, bedside: Operator, op: Operator) -> None:
    """700 ms without a packet: rest within 250 ms, and what the network kept moves nothing when it comes."""
    await moving(server, op)
    server.network.outage, began_s = True, time.monotonic()
    assert await rest_ms(server) <= STOP_MS
    await bedside.wait(lambda: time.monotonic() - began_s > 0.7, what="the outage")
    assert server.network.over() > 20
    until_s = time.monotonic() + 0.3
    while time.monotonic() < until_s:
        assert await speed_mm_s(server) < 1.0
    assert bedside.telemetry is not None
    assert bedside.telemetry.safety_state is S.HOLD


async def _lost_late_and_repeated(server: NetworkAndProbe, bedside: Operator, op: Operator) -> None:
    """5 % lost, up to 100 ms late and so out of order, every fifth twice: what is heard is young and in order."""
    await moving(server, op)
    network = server.network
    network.loss, network.jitter_s, network.repeat = 0.05, 0.1, 0.2
    seen: list[tuple[int, int]] = []
    until_s = time.monotonic() + 3.0
    while time.monotonic() < until_s:
        if op.has(TelemetryFlag.NEEDS_RELEASE):
            op.deadman = not op.deadman
        t = bedside.telemetry
        assert t is not None
        assert t.force_n < FORCE_PEAK_N
        if t.command_age_ms != AGE_UNKNOWN_MS:
            seen.append((t.applied_seq, t.command_age_ms))
        await asyncio.sleep(0.02)
    network.loss = network.jitter_s = network.repeat = 0.0
    assert network.lost_n > 0
    assert max(age_ms for _, age_ms in seen) <= COMMAND_AGE_MAX_MS
    assert [seq for seq, _ in seen] == sorted(seq for seq, _ in seen)


async def _old_epochs_and_repeats(server: NetworkAndProbe, bedside: Operator, op: Operator) -> None:
    """A command of an older lease, and one that was heard already, change nothing."""
    await moving(server, op)
    assert op.telemetry is not None
    for refusal, command in (
        (Refusal.SEQ, replace(op.command(), seq=1)),
        (Refusal.EPOCH, replace(op.command(), lease_epoch=op.epoch - 1 if op.epoch else 0)),
    ):
        count = bedside.telemetry.refused_n if bedside.telemetry else 0
        op.send_raw(pack_command(command))
        await bedside.wait(partial(_refused_since, bedside, count), what=refusal.name)
        assert bedside.telemetry is not None
        assert bedside.telemetry.last_refusal is refusal


def _refused_since(bedside: Operator, count: int) -> bool:
    return bedside.telemetry is not None and bedside.telemetry.refused_n > count


async def _clock_steps(server: NetworkAndProbe, bedside: Operator, op: Operator) -> None:
    """The page's clock falls back by 5 s: its commands look old and the arm rests, until the new clock is steady."""
    await moving(server, op)
    honest = op.command

    def behind() -> Command:
        command = honest()
        return replace(command, t_client_us=command.t_client_us - 5_000_000)

    op.command = behind  # type: ignore[method-assign]
    assert await rest_ms(server) <= STOP_MS + 20
    assert bedside.telemetry is not None
    assert bedside.telemetry.last_refusal is Refusal.AGE
    await moving(server, op)

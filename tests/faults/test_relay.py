"""Pages that reach the robot through a TURN server alone: they steer, they see, and a dead relay is silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from devices.operator import Operator
from devices.wire.messages import SafetyState
from tests.edge.fake_server import FakeServer
from tests.edge.robot import Robot
from tests.faults.relay import Relay
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
S = SafetyState


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with Relay(tmp_path) as found:
        yield found


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as found:
        yield found


@pytest_asyncio.fixture
async def robot(server: FakeServer, tmp_path: Path) -> AsyncIterator[Robot]:
    made = Robot(server_url=server.url, server_keys=server.hospital.rows, folder=tmp_path)
    await asyncio.to_thread(made.__enter__)
    try:
        await auntil(lambda: server.told("hello"), timeout_s=30)
        yield made
    finally:
        await asyncio.to_thread(made.__exit__)


def page(server: FakeServer, role: str, *, relay_only: bool = False) -> Operator:
    video = role == "console"
    return Operator(server.url, exam_id="e1", role=role, ticket=role, video=video, relay_only=relay_only)


async def steer(server: FakeServer, op: Operator) -> None:
    await server.grant(op.latest["welcome"]["peer_id"])
    await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.PARK, what="PARK")
    await op.wait(lambda: op.frame_id_seen > 0, timeout_s=20, what="a picture")


def only_relayed(op: Operator) -> bool:
    """Whether the page offered no way but the relay."""
    assert op.pc is not None
    rows = [row for row in op.pc.localDescription.sdp.splitlines() if row.startswith("a=candidate")]
    return bool(rows) and all(" typ relay" in row for row in rows)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_page_behind_a_firewall_steers_and_sees_through_the_relay(
    server: FakeServer, robot: Robot, relay: Relay, transport: str
) -> None:
    server.ice_servers = relay.servers(transport)
    async with page(server, "bedside"), page(server, "console", relay_only=True) as op:
        assert only_relayed(op)
        await steer(server, op)
        x, frames_n = robot.box()["position_mm"][0], op.frames_n
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await op.wait(lambda: robot.box()["position_mm"][0] - x > 5.0, what="the arm moved")
        await op.wait(lambda: op.frames_n > frames_n + 30, what="a second of pictures")


async def test_a_relay_that_dies_is_silence_and_the_robot_holds(
    server: FakeServer, robot: Robot, relay: Relay
) -> None:
    server.ice_servers = relay.servers("udp")
    async with page(server, "bedside") as bed, page(server, "console", relay_only=True) as op:
        await steer(server, op)
        x = robot.box()["position_mm"][0]
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await op.wait(lambda: robot.box()["position_mm"][0] - x > 2.0, what="the arm moves")
        relay.end()
        await bed.wait(
            lambda: bed.telemetry is not None and bed.telemetry.safety_state in (S.HOLD, S.RETRACT),
            what="held or drawn back",
        )
        stopped = robot.box()["position_mm"][0]
        await bed.wait(lambda: bed.telemetry is not None and bed.telemetry.safety_state is not S.RETRACT)
        assert robot.box()["position_mm"][0] == pytest.approx(stopped, abs=1.0)
        await asyncio.to_thread(relay.start)  # hanging up at a dead relay waits for minutes

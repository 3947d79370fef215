"""The whole robot in its processes, real aiortc peers, a small hospital: the exam's network side."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devices.edge.link.peer import only_sha256
from devices.operator import Operator, OperatorError
from devices.wire.messages import Refusal, SafetyState, StopCause, TelemetryFlag
from tests.edge.fake_server import FakeServer
from tests.edge.robot import Robot
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
S = SafetyState


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


def page(server: FakeServer, role: str, *, user: str = "", video: bool = True) -> Operator:
    return Operator(server.url, exam_id="e1", role=role, ticket=user or role, video=video)


async def steer(server: FakeServer, op: Operator) -> None:
    """Take the lease; PARK."""
    await server.grant(op.latest["welcome"]["peer_id"])
    await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.PARK, what="PARK")
    await op.wait(lambda: op.frame_id_seen > 0, what="a picture")


async def test_two_peers_connect_and_commands_move_the_arm(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        assert op.has(TelemetryFlag.BEDSIDE_PRESENT)
        x = robot.box()["position_mm"][0]
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await op.wait(lambda: robot.box()["position_mm"][0] - x > 5.0, what="the arm moved")
        assert op.telemetry is not None and op.telemetry.applied_seq > 0
        assert len(op.rtt_ms) > 5 and op.rtt_percentiles_ms()["p50"] < 500.0


async def test_video_is_h264_and_its_timestamps_name_the_pictures(server: FakeServer, robot: Robot) -> None:
    async with page(server, "console") as op:
        await op.wait(lambda: op.frames_n > 20, timeout_s=20)
        assert await op.inbound_codec() == "video/H264"
        assert op.telemetry is not None
        behind = op.telemetry.frame_id - op.frame_id_seen
        assert 0 <= behind < 30


async def test_a_peer_that_joins_later_gets_a_keyframe_by_our_own_path(
    server: FakeServer, robot: Robot
) -> None:
    async with page(server, "console") as first:
        await first.wait(lambda: first.frames_n > 30, timeout_s=20)
        async with page(server, "bedside") as second:
            await second.wait(lambda: second.frames_n > 5, timeout_s=10)


async def test_a_peer_that_joins_later_is_told_the_pictures_scale(server: FakeServer, robot: Robot) -> None:
    async with page(server, "console") as first:
        await first.wait(lambda: first.frames_n > 2, timeout_s=30, what="pictures")
    for _ in range(3):
        async with page(server, "bedside") as op:
            await op.wait(lambda: "ctl:frame" in op.latest, what="the scale")
            assert op.latest["ctl:frame"]["px_mm"] == [0.5, 0.5]


async def test_the_bedside_has_no_channel_to_steer_with(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False) as bedside:
        assert "cmd" not in bedside._channels
        assert (await bedside.ctl("freeze", on=True))["code"] == "not_allowed"
        assert (await bedside.ctl("gentler", on=True))["ok"]
        await bedside.wait(lambda: bedside.has(TelemetryFlag.GENTLE))


async def test_nonsense_on_every_channel_is_counted_or_refused(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False), page(server, "console", video=False) as op:
        before = op.telemetry.refused_n if op.telemetry else 0
        op.send_raw(b"\x00" * 64)
        op.send_raw(b"short")
        await op.wait(lambda: op.telemetry is not None and op.telemetry.refused_n >= before + 2)
        assert op.telemetry is not None
        assert op.telemetry.last_refusal in (Refusal.SIZE, Refusal.SCHEMA)
        op._channels["ctl"].send("{not json")
        op._channels["ctl"].send('{"type":"warp","id":77}')
        ack = await op.ctl("hold")
        assert ack["ok"]


async def test_a_token_for_another_certificate_is_refused(server: FakeServer, robot: Robot) -> None:
    sign = server.hospital.peer
    server.hospital.peer = lambda **kw: sign(**kw | {"fp": "sha-256 " + ":".join(["00"] * 32)})  # type: ignore[method-assign]
    with pytest.raises(OperatorError, match="wrong_fingerprint"):
        async with page(server, "console"):
            pass


async def test_without_the_server_peers_stay_the_lease_expires_and_the_bedside_rules(
    server: FakeServer, robot: Robot
) -> None:
    async with page(server, "bedside", video=False) as bedside, page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (2.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.MOVING)
        await server.stop()
        await op.wait(
            lambda: op.telemetry is not None and op.telemetry.stop_cause is StopCause.LEASE_LOST, timeout_s=10
        )
        assert op.telemetry is not None and op.telemetry.safety_state is S.HOLD
        assert await bedside.stop() < 2000.0
        assert (await bedside.ctl("lift"))["ok"]
        await bedside.wait(lambda: bedside.telemetry is not None and bedside.telemetry.safety_state is S.LIFT)
        cause = int(StopCause.ESTOP_BEDSIDE)
        await bedside.wait(
            lambda: bedside.telemetry is not None and bedside.telemetry.safety_state is S.STOPPED
        )
        ack = await bedside.ctl("clear_stop", cause=cause, patient_well=True)
        assert ack["ok"], ack
        await op.wait(lambda: not op.has(TelemetryFlag.LATCHED))
        dials = server.dials
        await server.start()
        await auntil(lambda: server.dials > dials, timeout_s=20, what="the robot redials")


async def test_a_stop_is_journalled_until_the_server_has_it(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False) as bedside:
        await server.stop()
        await bedside.stop()
        server.robot_messages.clear()
        await server.start()
        await auntil(
            lambda: [e for e in server.told("event") if e["kind"] == "stop"],
            timeout_s=20,
            what="the event arrives",
        )
        serials = [e["serial"] for e in server.told("event")]
        assert serials == sorted(serials)


async def test_a_stopped_link_process_leaves_the_arm_at_rest(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await auntil(lambda: robot.speed_mm_s() > 10.0)
        robot.signal("link", signal.SIGSTOP)
        try:
            await auntil(lambda: robot.speed_mm_s() < 0.5, timeout_s=2.0, what="rest within 2 s")
            await asyncio.sleep(0.5)
            assert robot.speed_mm_s() < 0.5
            assert not robot.box()["watchdog_tripped"], "safety itself stopped it, not the controller"
        finally:
            robot.signal("link", signal.SIGCONT)


async def test_a_killed_link_process_leaves_the_arm_at_rest_and_comes_back(
    server: FakeServer, robot: Robot
) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await auntil(lambda: robot.speed_mm_s() > 10.0)
        dials = server.dials
        robot.signal("link", signal.SIGKILL)
        await auntil(lambda: robot.speed_mm_s() < 0.5, timeout_s=2.0, what="rest within 2 s")
        await auntil(lambda: server.dials > dials, timeout_s=20, what="link started again")


async def test_a_killed_safety_process_leaves_the_arm_to_its_own_watchdog(
    server: FakeServer, robot: Robot
) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await auntil(lambda: robot.speed_mm_s() > 10.0)
        pid = robot.pid("safety")
        robot.keep_dead("safety")
        os.kill(pid, signal.SIGKILL)
        await auntil(lambda: robot.speed_mm_s() < 0.5, timeout_s=2.0, what="rest within 2 s")
        assert robot.box()["watchdog_tripped"]


async def test_a_restarted_safety_process_knows_its_peers_again_and_needs_release(
    server: FakeServer, robot: Robot
) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await auntil(lambda: robot.speed_mm_s() > 10.0)
        robot.signal("safety", signal.SIGKILL)
        await auntil(lambda: robot.speed_mm_s() < 0.5, timeout_s=2.0)
        await op.wait(
            lambda: op.has(TelemetryFlag.LEASE_LIVE) and op.has(TelemetryFlag.NEEDS_RELEASE), timeout_s=10
        )
        await asyncio.sleep(0.3)
        assert robot.speed_mm_s() < 0.5
        op.deadman = False
        await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.PARK)
        op.deadman = True
        await auntil(lambda: robot.speed_mm_s() > 10.0)


async def test_a_stalled_safety_process_costs_a_stop_and_recovers(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        await steer(server, op)
        op.deadman, op.twist = True, (15.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        await auntil(lambda: robot.speed_mm_s() > 10.0)
        robot.signal("safety", signal.SIGSTOP)
        try:
            await auntil(lambda: robot.speed_mm_s() < 0.5, timeout_s=2.0, what="the controller's watchdog")
        finally:
            robot.signal("safety", signal.SIGCONT)
        await op.wait(lambda: op.has(TelemetryFlag.NEEDS_RELEASE), what="release asked")
        await asyncio.sleep(0.3)
        assert robot.speed_mm_s() < 0.5, "no movement without release, then press"
        op.deadman = False
        await op.wait(lambda: op.telemetry is not None and op.telemetry.safety_state is S.PARK)
        op.deadman = True
        await auntil(lambda: robot.speed_mm_s() > 10.0)


async def test_an_offer_with_another_hash_of_another_certificate_rides_on_nothing() -> None:
    sdp = "v=0\r\na=fingerprint:sha-256 AA\r\na=fingerprint:sha-384 BB\r\na=fingerprint:SHA-512 CC\r\n"
    assert only_sha256(sdp) == "v=0\r\na=fingerprint:sha-256 AA\r\n"


async def test_the_self_test_reports_each_check(server: FakeServer, robot: Robot) -> None:
    await server.to_robot(type="self_test", request_id="r1", exam_id="e1")
    await auntil(lambda: server.told("self_test_result"), timeout_s=20)
    result = server.told("self_test_result")[0]
    codes = {check["code"]: check["ok"] for check in result["checks"]}
    assert set(codes) == {"force_zero", "stop_time", "watchdog", "image_frames", "link"}
    assert result["passed"], result


async def test_freeze_rests_the_arm_then_takes_the_picture(server: FakeServer, robot: Robot) -> None:
    async with page(server, "bedside", video=False), page(server, "console") as op:
        assert (await op.ctl("freeze", on=True))["code"] == "no_lease"
        await steer(server, op)
        ack = await op.ctl("freeze", on=True)
        assert ack["ok"] and ack["done"]["on"] is True
        await op.wait(lambda: op.has(TelemetryFlag.FROZEN), what="FROZEN")
        await op.wait(lambda: op.has(TelemetryFlag.UPLOAD_PENDING), what="UPLOAD_PENDING")
        assert (await op.ctl("capture", kind="still", view="liver"))["ok"]
        await op.wait(lambda: "ctl:captured" in op.latest)
        assert (await op.ctl("imaging", depth_mm=120))["done"]["depth_mm"] == 120


async def test_a_newer_page_of_the_same_person_replaces_the_older(server: FakeServer, robot: Robot) -> None:
    async with (
        page(server, "console", user="u1", video=False) as old,
        page(server, "console", user="u1") as new,
    ):
        await auntil(lambda: server.told("peer_gone"), timeout_s=15)
        assert server.told("peer_gone")[0]["peer_id"] == old.latest["welcome"]["peer_id"]
        count = new.telemetry_n
        await new.wait(lambda: new.telemetry_n > count + 10)

"""An exam's movements on the simulated arm: physics in its own process, contact force from the physics."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devices.operator import Operator
from devices.wire.limits import FORCE_PEAK_N
from devices.wire.messages import SafetyState, StopCause, TelemetryFlag
from tests.edge.fake_server import FakeServer
from tests.edge.robot import Robot
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
S = SafetyState


@pytest_asyncio.fixture(params=[None])
async def stand(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[FakeServer, Robot]]:
    async with FakeServer() as found:
        robot = Robot(
            server_url=found.url,
            server_keys=found.hospital.rows,
            folder=tmp_path,
            driver="sim",
            image_source=request.param,
        )
        await asyncio.to_thread(robot.__enter__)
        try:
            await auntil(lambda: found.told("hello"), timeout_s=30)
            yield found, robot
        finally:
            await asyncio.to_thread(robot.__exit__)


@pytest.fixture
def server(stand: tuple[FakeServer, Robot]) -> FakeServer:
    return stand[0]


def state(op: Operator) -> SafetyState | None:
    return op.telemetry.safety_state if op.telemetry is not None else None


async def parked(op: Operator, bedside: Operator) -> None:
    """Wait for PARK. A virtual machine can stop the arm's controller for longer than a state may be old: the
    bedside clears that fault, as it would with a real arm."""
    await op.wait(lambda: state(op) in (S.PARK, S.FAULT), what="PARK or FAULT")
    if state(op) is S.FAULT:
        cause = int(StopCause.DRIVER_FAULT)
        ack = await bedside.ctl("clear_stop", cause=cause, patient_well=True)
        assert ack["ok"], ack
    await op.wait(lambda: state(op) is S.PARK, what="PARK")


async def test_a_controller_that_pauses_is_a_fault_which_the_bedside_clears(
    stand: tuple[FakeServer, Robot],
) -> None:
    server, robot = stand
    bedside = Operator(server.url, exam_id="e1", role="bedside", ticket="b", video=False)
    console = Operator(server.url, exam_id="e1", role="console", ticket="c", video=False)
    async with bedside, console as op:
        await server.grant(op.latest["welcome"]["peer_id"])
        await parked(op, bedside)
        robot.signal("arm", signal.SIGSTOP)
        try:
            await op.wait(lambda: state(op) is S.FAULT, what="FAULT")
        finally:
            robot.signal("arm", signal.SIGCONT)
        assert not (await op.ctl("clear_stop", cause=int(StopCause.DRIVER_FAULT), patient_well=True))["ok"]
        await parked(op, bedside)


async def test_self_test_place_contact_scan_stop_lift_and_clear(server: FakeServer) -> None:
    bedside = Operator(server.url, exam_id="e1", role="bedside", ticket="b", video=False)
    console = Operator(server.url, exam_id="e1", role="console", ticket="c")
    async with bedside, console as op:
        await server.to_robot(type="self_test", request_id="r1", exam_id="e1")
        await auntil(lambda: server.told("self_test_result"), timeout_s=20)
        assert server.told("self_test_result")[0]["passed"], server.told("self_test_result")

        assert (await bedside.ctl("place"))["ok"]
        await bedside.wait(lambda: state(bedside) is S.PLACE)
        await bedside.wait(lambda: state(bedside) is not S.PLACE, timeout_s=30)
        await server.grant(op.latest["welcome"]["peer_id"])
        await op.wait(lambda: state(op) is S.PARK, what="PARK")
        assert (await bedside.ctl("go"))["ok"]

        peak = 0.0
        op.deadman, op.force_setpoint_n = True, 6.0
        await op.wait(
            lambda: op.telemetry is not None and op.telemetry.force_n > 4.0, timeout_s=20, what="contact"
        )
        await asyncio.sleep(2.0)
        assert op.telemetry is not None
        assert op.telemetry.force_n == pytest.approx(6.0, abs=1.0)
        start = op.telemetry.position_mm
        op.twist = (10.0, 0.0, 0.0, 0.0, 0.0, 3.0)
        for _ in range(40):
            await asyncio.sleep(0.05)
            peak = max(peak, op.telemetry.force_n)
        moved = max(abs(a - b) for a, b in zip(op.telemetry.position_mm, start, strict=True))
        assert moved > 8.0 and op.has(TelemetryFlag.CONTACT)
        assert peak < 10.0 < FORCE_PEAK_N

        assert await op.stop() < 500.0
        await op.wait(
            lambda: op.telemetry is not None and op.telemetry.force_n <= 2.0, timeout_s=1.0, what="eased"
        )
        assert (await bedside.ctl("lift"))["ok"]
        await bedside.wait(lambda: state(bedside) is S.LIFT)
        await bedside.wait(lambda: state(bedside) is S.STOPPED, timeout_s=10)
        assert bedside.telemetry is not None and bedside.telemetry.force_n < 0.5
        ack = await bedside.ctl("clear_stop", cause=int(StopCause.ESTOP_CONSOLE), patient_well=True)
        assert ack["ok"], ack


@pytest.mark.parametrize("stand", ["dicom-loop", "phantom"], indirect=True)
async def test_real_pictures_freeze_and_become_dicom_waiting_for_upload(
    server: FakeServer, tmp_path: Path
) -> None:
    bedside = Operator(server.url, exam_id="e1", role="bedside", ticket="b", video=False)
    console = Operator(server.url, exam_id="e1", role="console", ticket="c")
    async with bedside, console as op:
        await op.wait(lambda: op.frames_n > 20, timeout_s=60, what="pictures")
        assert await op.inbound_codec() == "video/H264"
        await server.to_robot(type="worklist", **WORKLIST)
        await server.grant(op.latest["welcome"]["peer_id"])
        await parked(op, bedside)
        seen = op.frames_n
        await op.wait(lambda: op.frames_n > seen + 5, what="pictures of this exam")
        ack = await op.ctl("freeze", on=True)
        assert ack["ok"], ack
        await op.wait(lambda: "ctl:frozen" in op.latest, what="frozen")
        ack = await op.ctl("capture", kind="still", view="liver", annotation="")
        assert ack["ok"], ack
        await op.wait(lambda: "ctl:captured" in op.latest, timeout_s=20, what="captured")
        await op.wait(lambda: op.has(TelemetryFlag.UPLOAD_PENDING))
        assert dicom_files(tmp_path)
        # Another operator, or this one after a reload: what stands still says so until it is asked to go on.
        await server.grant(op.latest["welcome"]["peer_id"])
        await op.wait(lambda: op.telemetry is not None and op.telemetry.lease_epoch == 2, what="new epoch")
        seen = op.frames_n
        await op.wait(lambda: op.frames_n > seen + 10, what="pictures under the new epoch")
        assert op.has(TelemetryFlag.FROZEN)
        assert (await op.ctl("freeze", on=False))["ok"]
        await op.wait(lambda: not op.has(TelemetryFlag.FROZEN), what="live again")


def dicom_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "robot" / "pictures").rglob("*") if path.suffix == ".dcm"]


WORKLIST = {
    "exam_id": "0198a000-0000-7000-8000-0000000000e1",
    "patient_name": "测试病人",
    "patient_name_pinyin": "Ceshi^Bingren",
    "patient_id": "P00000001",
    "issuer": "Zhujiajiao",
    "birth_date": "1950-01-01",
    "sex": "F",
    "study_uid": "2.25.1",
    "accession": "A1",
    "exam_type": "abdomen",
    "institution": "Zhujiajiao",
    "physician": "Li",
}

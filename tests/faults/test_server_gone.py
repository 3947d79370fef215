"""The server's whole house falls during a live exam: the arm rests, and the bedside's stop, lift and clear still work.

web, worker and beat are killed, PostgreSQL and Valkey too; what is left is the robot's box and the two pages' own
connections to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.server.check_exam import prepare
from deploy.server.check_scan import press_into_contact
from deploy.server.check_state import Script
from deploy.server.check_tools import Checks
from deploy.server.embedded import free_port
from deploy.server.installation import Installation
from devices.wire.limits import FORCE_PEAK_N, FORCE_STOPPED_N
from devices.wire.messages import SafetyState, StopCause, TelemetryFlag

pytestmark = pytest.mark.timeout(600)
SERVER_PARTS = ("web", "worker", "beat")


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("house")
    house = Installation(folder, free_port(), robot=True)
    house.start()
    yield house
    house.stop()


def kill_the_server(house: Installation) -> None:
    """Nothing that the hospital runs is left; the robot's box goes on."""
    for child in house.children:
        if child.name in SERVER_PARTS and child.process is not None:
            os.killpg(child.process.pid, signal.SIGKILL)
    assert house.postgres is not None
    assert house.valkey is not None
    house.valkey.stop()
    house.postgres.stop()


async def test_stop_lift_gentler_and_clear_work_when_the_whole_server_is_gone(
    installation: Installation,
) -> None:
    lines: list[str] = []
    script = Script(installation, Checks(lines.append))
    try:
        await prepare(script)
        await press_into_contact(script)
        assert not [line for line in lines if line.startswith("FAILED")], lines
        console, bed = script.console, script.at_bed
        await asyncio.to_thread(kill_the_server, installation)

        # nobody renews the lease: the arm holds by itself and lets the force go
        await bed.wait(
            lambda: (
                bed.telemetry is not None
                and bed.telemetry.safety_state is SafetyState.HOLD
                and bed.telemetry.stop_cause is StopCause.LEASE_LOST
            ),
            timeout_s=15,
            what="hold for a lost lease (a stall while everything falls may have held it before)",
        )
        assert not bed.has(TelemetryFlag.LEASE_LIVE)
        await bed.wait(
            lambda: bed.telemetry is not None and bed.telemetry.force_n <= FORCE_STOPPED_N,
            timeout_s=5,
            what="force eased",
        )
        assert console.telemetry is not None
        assert console.telemetry.force_n < FORCE_PEAK_N

        assert (await bed.ctl("gentler", on=True))["ok"]
        await bed.wait(lambda: bed.has(TelemetryFlag.GENTLE), timeout_s=5, what="gentle")
        await bed.stop()
        assert bed.has(TelemetryFlag.LATCHED)
        assert (await bed.ctl("lift"))["ok"]
        await bed.wait(
            lambda: bed.telemetry is not None and bed.telemetry.force_n < 0.5, timeout_s=15, what="lifted"
        )
        await bed.wait(
            lambda: bed.telemetry is not None and bed.telemetry.safety_state is SafetyState.STOPPED,
            timeout_s=15,
            what="lift over",
        )
        refused = await console.ctl("clear_stop", cause=int(StopCause.ESTOP_BEDSIDE), patient_well=True)
        assert refused["code"] == "not_allowed"
        cleared = await bed.ctl("clear_stop", cause=int(StopCause.ESTOP_BEDSIDE), patient_well=True)
        assert cleared["ok"], cleared
        await bed.wait(lambda: not bed.has(TelemetryFlag.LATCHED), timeout_s=5, what="cleared")
    finally:
        await script.close()

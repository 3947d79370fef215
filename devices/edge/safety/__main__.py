"""``python -m devices.edge.safety --runtime-dir DIR --data-dir DIR --robot-id ID --driver NAME --options JSON``."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
from pathlib import Path
from typing import Any

from devices.drivers.base import Arm
from devices.drivers.registry import arm_class
from devices.edge.keys import KEYS_FILE, ServerKeys
from devices.edge.recorder.hook import Hook
from devices.edge.safety import port
from devices.edge.safety.core import SafetyCore
from devices.edge.safety.cycle import ArmFacts
from devices.edge.safety.favour import favour
from devices.edge.safety.lease import EPOCH_FILE, EpochStore, Lease
from devices.edge.safety.peers import Peers
from devices.edge.safety.runtime import Runtime

log = logging.getLogger("edge.safety")


def main() -> None:
    """Build the core from the arguments and loop until SIGTERM."""
    parser = argparse.ArgumentParser(prog="edge-safety")
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--robot-id", required=True)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--options", default="{}")
    parser.add_argument("--record", action="store_true", help="tell the recorder everything")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    runtime = build(
        runtime_dir=arguments.runtime_dir,
        data_dir=arguments.data_dir,
        robot_id=arguments.robot_id,
        driver=arguments.driver,
        options=json.loads(arguments.options),
        record=arguments.record,
    )
    signal.signal(signal.SIGTERM, lambda *_: runtime.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends us in order
    runtime.scheduling = favour()
    runtime.run()
    with contextlib.suppress(FileNotFoundError):
        (arguments.runtime_dir / port.SAFETY_SOCKET).unlink()


def build(
    *,
    runtime_dir: Path,
    data_dir: Path,
    robot_id: str,
    driver: str,
    options: dict[str, object],
    record: bool = False,
) -> Runtime:
    """Core, driver and sockets. Raises UnknownDriver; RuntimeError for a damaged epoch file."""
    keys = ServerKeys(data_dir / KEYS_FILE)
    arm = arm_class(driver)(runtime_dir=runtime_dir, options=options)
    store = EpochStore(data_dir / EPOCH_FILE)
    told = {"driver": driver, "options": options, "robot_id": robot_id, "newest_epoch": store.newest}
    hook = _tap(runtime_dir, arm, told) if record else Hook()
    heard, decode = hook.arm(arm), hook.decode(keys.claims)
    facts = ArmFacts(
        stop_time_ms=arm.stop_time_ms,
        watchdog_ms=arm.watchdog_ms,
        workspace_mm=arm.workspace_mm,
        site_pose=heard.site_pose,
    )
    lease = Lease(robot_id=robot_id, decode=decode, store=store)
    core = SafetyCore(lease=lease, peers=Peers(robot_id=robot_id, decode=decode), facts=facts)
    return Runtime(core=core, arm=heard, runtime_dir=runtime_dir, hook=hook)


def _tap(runtime_dir: Path, arm: Arm, told: dict[str, Any]) -> Hook:
    from devices.edge.recorder import about
    from devices.edge.recorder.tap import Tap  # only where somebody wants a recording

    return Tap(runtime_dir=runtime_dir, header=about.header(arm=arm, **told))


if __name__ == "__main__":
    main()

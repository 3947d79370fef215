"""``python -m devices.edge.safety --runtime-dir DIR --data-dir DIR --robot-id ID --driver NAME --options JSON``."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
from pathlib import Path

from devices.drivers.registry import arm_class
from devices.edge.keys import KEYS_FILE, ServerKeys
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
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    runtime = build(
        runtime_dir=arguments.runtime_dir,
        data_dir=arguments.data_dir,
        robot_id=arguments.robot_id,
        driver=arguments.driver,
        options=json.loads(arguments.options),
    )
    signal.signal(signal.SIGTERM, lambda *_: runtime.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends us in order
    runtime.scheduling = favour()
    runtime.run()
    with contextlib.suppress(FileNotFoundError):
        (arguments.runtime_dir / port.SAFETY_SOCKET).unlink()


def build(
    *, runtime_dir: Path, data_dir: Path, robot_id: str, driver: str, options: dict[str, object]
) -> Runtime:
    """Core, driver and sockets. Raises UnknownDriver; RuntimeError for a damaged epoch file."""
    keys = ServerKeys(data_dir / KEYS_FILE)
    arm = arm_class(driver)(runtime_dir=runtime_dir, options=options)
    facts = ArmFacts(
        stop_time_ms=arm.stop_time_ms,
        watchdog_ms=arm.watchdog_ms,
        workspace_mm=arm.workspace_mm,
        site_pose=arm.site_pose,
    )
    lease = Lease(robot_id=robot_id, decode=keys.claims, store=EpochStore(data_dir / EPOCH_FILE))
    core = SafetyCore(lease=lease, peers=Peers(robot_id=robot_id, decode=keys.claims), facts=facts)
    return Runtime(core=core, arm=arm, runtime_dir=runtime_dir)


if __name__ == "__main__":
    main()

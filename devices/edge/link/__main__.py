"""``python -m devices.edge.link --config FILE --runtime-dir DIR``: started by the parent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from devices.edge import config as configs
from devices.edge import identity as identities
from devices.edge.link.agent import Agent
from devices.edge.safety import port
from devices.edge.safety.favour import favour_link


async def amain(config: configs.Config) -> None:
    """Run until SIGTERM."""
    identity = identities.load(config.data_dir)
    if identity is None:
        raise SystemExit("not paired")
    job = asyncio.ensure_future(Agent(config=config, identity=identity).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, job.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await job
    (config.runtime_dir / port.LINK_SOCKET).unlink(missing_ok=True)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="edge-link")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--runtime-dir", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for noisy in ("aioice", "httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    favour_link()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends us in order
    asyncio.run(amain(configs.load(arguments.config, runtime_dir=arguments.runtime_dir)))


if __name__ == "__main__":
    main()

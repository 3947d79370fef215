"""`python -m devices.edge.imaging --runtime-dir DIR --source NAME --out-dir DIR`; other `--name value` pairs are the
source's options."""

from __future__ import annotations

import argparse
import logging
import signal
from pathlib import Path
from types import FrameType

from devices.drivers.registry import image_source_class
from devices.edge.imaging.port import Port
from devices.edge.imaging.probe import ProbeListener
from devices.edge.imaging.process import Imaging


def main() -> None:
    parser = argparse.ArgumentParser(prog="imaging")
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--out-dir", type=Path, required=True)
    parser.add_argument("--bitrate-kbps", type=int, default=3000)
    known, rest = parser.parse_known_args()
    options = {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in zip(rest[::2], rest[1::2], strict=True)
    }
    logging.basicConfig(level=logging.INFO, format="%(asctime)s imaging %(levelname)s %(message)s")
    known.out_dir.mkdir(parents=True, exist_ok=True)
    source = image_source_class(known.source)(runtime_dir=known.runtime_dir, options=options)
    source.open()
    port = Port(known.runtime_dir / "imaging.sock")
    probe = ProbeListener(known.runtime_dir)
    imaging = Imaging(source=source, port=port, probe=probe, out_dir=known.out_dir, kbps=known.bitrate_kbps)

    def end(number: int, frame: FrameType | None) -> None:
        imaging.running = False

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        imaging.run()
    finally:
        port.close()
        probe.close()
        source.close()


if __name__ == "__main__":
    main()

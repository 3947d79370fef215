"""The whole robot as a hospital runs it (`edge run`: parent, box, safety, imaging, link) for benchmarks of its side."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devices.drivers.sim import protocol
from devices.drivers.sim.protocol import Op
from devices.edge import identity as identities
from tests.edge.tokens import ROBOT_ID
from tests.waiting import until

END_S = 20.0
ROOT = Path(__file__).parents[2]


class LiveEdge:
    """``with LiveEdge(server_url, server_keys) as edge``: paired already, simulated arm and phantom."""

    def __init__(self, server_url: str, server_keys: Sequence[dict[str, str]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edge-b-"))
        self.runtime_dir = self.folder / "run"
        data_dir = self.folder / "data"
        data_dir.mkdir()
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        identity = {"robot_id": ROBOT_ID, "name": "bench", "private_key_pem": pem.decode()}
        (data_dir / identities.IDENTITY_FILE).write_text(json.dumps(identity))
        identities.store_keys(data_dir, list(server_keys))
        self._config = self.folder / "edge.toml"
        self._config.write_text(
            f'server_url = "{server_url}"\ndata_dir = "{data_dir}"\nruntime_dir = "{self.runtime_dir}"\n'
        )
        self.log = self.folder / "edge.log"
        self._parent: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "devices.edge", "run", "--config", str(self._config)]
            # Its own session: Ctrl-C of the terminal is ours, and we end it in order.
            self._parent = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log, start_new_session=True)
        try:
            until(lambda: (self.runtime_dir / "arm.sock").exists(), timeout_s=30, what="the arm's box")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._parent is not None:
            self._parent.terminate()
            try:
                self._parent.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._parent.pid, signal.SIGKILL)
                self._parent.wait()
            self._parent = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def pid(self, name: str) -> int:
        """Process id of one of the robot's processes as the parent wrote it down; waits for a restart."""

        def found() -> int | None:
            text = (self.runtime_dir / "pids.json").read_text()
            number: int | None = json.loads(text).get(name)
            return number

        pid = until(found, timeout_s=10, what=f"{name} runs")
        assert pid is not None
        return pid

    def signal(self, name: str, number: signal.Signals) -> float:
        """Signal one of them; the monotonic second it was sent."""
        pid = self.pid(name)
        sent_s = time.monotonic()
        os.kill(pid, number)
        return sent_s

    def fault(self, name: str, value: float) -> None:
        """Switch a fault of the simulated arm's box on (``devices.drivers.sim.faults``)."""
        head = protocol.HEADER.pack(protocol.REQUEST_MAGIC, Op.FAULT, 0, 0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind("")
            sock.settimeout(2.0)
            sock.sendto(head + f"{name}={value}".encode(), str(self.runtime_dir / "arm.sock"))
            answer = sock.recv(4096)
        if not protocol.ACK.unpack_from(answer)[2]:
            raise ValueError(f"the box refuses {name}={value}")

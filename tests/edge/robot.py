"""A whole robot in its own processes for a test, with the spring arm and the bars picture."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devices.edge import config as configs
from devices.edge import identity as identities
from devices.edge.parent import Child, children
from tests.edge.tokens import ROBOT_ID
from tests.waiting import until


class Robot:
    """``with Robot(server_url, keys, folder) as robot``: children as the parent starts them."""

    def __init__(
        self,
        *,
        server_url: str,
        server_keys: list[dict[str, str]],
        folder: Path,
        driver: str = "tests.edge.spring_arm:SpringArm",
        image_source: str | None = None,
        record: Path | None = None,
    ) -> None:
        self.runtime_dir = Path(tempfile.mkdtemp(prefix="edge-t-"))
        self.data_dir = folder / "robot"
        self.data_dir.mkdir()
        (self.data_dir / "pictures").mkdir()
        (self.runtime_dir / "shm").mkdir()
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        identity = {"robot_id": ROBOT_ID, "name": "test", "private_key_pem": pem.decode()}
        (self.data_dir / identities.IDENTITY_FILE).write_text(json.dumps(identity))
        identities.store_keys(self.data_dir, server_keys)
        self.config_file = folder / "edge.toml"
        self.config_file.write_text(
            f'server_url = "{server_url}"\ndata_dir = "{self.data_dir}"\nruntime_dir = "{self.runtime_dir}"\n'
            f'driver = "{driver}"\nimage_source = "{image_source or "phantom"}"\n'
        )
        config = configs.load(self.config_file)
        self.children = {
            c.name: c
            for c in children(config, config_file=self.config_file, robot_id=ROBOT_ID, record=record)
        }
        if image_source is None:
            self.children["imaging"].argv[2] = "tests.edge.bars_imaging"
        self._running = True
        self._unwatched: list[Child] = []
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        # Children of a thread: the death signal of the real parent would follow the thread, so none here.
        self._watcher.start()
        until(lambda: (self.runtime_dir / "arm.sock").exists(), timeout_s=20, what="the arm's box")
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._watcher.join()

    def _watch(self) -> None:
        while self._running:
            for child in list(self.children.values()):
                child.watch(time.monotonic())
            time.sleep(0.02)
        for child in [*self._unwatched, *reversed(list(self.children.values()))]:
            child.end()

    def pid(self, name: str) -> int:
        """Process id of a child that runs."""
        process = until(lambda: self.children[name].process, what=f"{name} runs")
        assert process is not None
        return process.pid

    def signal(self, name: str, number: signal.Signals) -> None:
        """Signal a child."""
        os.kill(self.pid(name), number)

    def keep_dead(self, name: str) -> None:
        """Do not start it again."""
        self._unwatched.append(self.children.pop(name))

    def box(self) -> dict[str, Any]:
        """What the arm's controller does, independent of the agent."""
        found: dict[str, Any] = json.loads((self.runtime_dir / "box.json").read_text())
        return found

    def speed_mm_s(self) -> float:
        """The arm's translation speed as its controller says."""
        twist = self.box()["twist"]
        return float((twist["vx"] ** 2 + twist["vy"] ** 2 + twist["vz"] ** 2) ** 0.5)

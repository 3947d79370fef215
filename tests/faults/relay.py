"""A real TURN server (coturn) on this machine, for pages that reach the robot only through a relay."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Self

from aioice.ice import get_host_addresses

from deploy.server.embedded import free_port
from tests.waiting import until

USER, PASSWORD, REALM = "page", "relay-of-a-test", "hospital.test"


class Relay:
    """``with Relay(folder) as relay``: listens on loopback, relays from this machine's own address."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "turnserver.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = folder

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Also again after ``end``, on the same port, knowing nothing of what was before."""
        address = get_host_addresses(use_ipv4=True, use_ipv6=False)[0]
        command = ["turnserver", "-n", "--listening-ip=127.0.0.1", f"--listening-port={self.port}"]
        command += [
            f"--relay-ip={address}",
            "--lt-cred-mech",
            f"--user={USER}:{PASSWORD}",
            f"--realm={REALM}",
        ]
        command += ["--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout", "--simple-log"]
        command += [f"--pidfile={self._folder / 'turnserver.pid'}", f"--userdb={self._folder / 'turndb'}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._listens, timeout_s=20, what="the relay listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The relay is gone, at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def servers(self, transport: str) -> list[dict[str, str]]:
        """What the hospital's server tells a page; ``transport`` is ``udp`` or ``tcp``."""
        url = f"turn:127.0.0.1:{self.port}?transport={transport}"
        return [{"urls": url, "username": USER, "credential": PASSWORD}]

"""A bad network between a page and the robot: both send their packets here, we lose, delay and repeat them."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

from tests.edge.fake_server import FakeServer

CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*$", re.MULTILINE)
Address = tuple[str, int]


class BadNetwork(asyncio.DatagramProtocol):
    """Forwards between two addresses. Faults may change at any time; times in s, shares 0 to 1."""

    def __init__(self) -> None:
        self.loss = self.repeat = self.jitter_s = 0.0
        self.outage = False
        self.page: Address | None = None
        self.robot: Address | None = None
        self.here: Address = ("", 0)
        self.forwarded_n = self.lost_n = 0
        self._held: list[tuple[bytes, Address]] = []
        self._random = random.Random(23)
        self._transport: asyncio.DatagramTransport | None = None

    async def between(self, sdp: str) -> str:
        """The offer with our address in place of the page's."""
        self.page = first_address(sdp)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.page[0], 0))
        self.here = self._transport.get_extra_info("sockname")[:2]
        return with_address(sdp, self.here)

    def answered(self, sdp: str) -> str:
        """The answer with our address in place of the robot's."""
        self.robot = first_address(sdp)
        return with_address(sdp, self.here)

    def datagram_received(self, data: bytes, source: Any) -> None:
        """Forward, or not, or later, or twice."""
        to = self.robot if source[:2] == self.page else self.page
        if to is None:
            return
        if self.outage:
            self._held.append((data, to))
            return
        for _ in range(2 if self._random.random() < self.repeat else 1):
            if self._random.random() < self.loss:
                self.lost_n += 1
                continue
            delay_s = self._random.uniform(0.0, self.jitter_s)
            asyncio.get_running_loop().call_later(delay_s, self._send, data, to)

    def _send(self, data: bytes, to: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self.forwarded_n += 1
            self._transport.sendto(data, to)

    def over(self) -> int:
        """The outage ends: everything held back arrives at once, as a queue in the network would. How many."""
        self.outage, held = False, self._held
        self._held = []
        for data, to in held:
            self._send(data, to)
        return len(held)

    def close(self) -> None:
        """Let go of the socket."""
        if self._transport is not None:
            self._transport.close()


class BadNetworkServer(FakeServer):
    """Signalling that puts a ``BadNetwork`` between the console and the robot; the bedside connects directly."""

    def __init__(self) -> None:
        super().__init__()
        self.network = BadNetwork()

    async def to_robot(self, **message: Any) -> None:
        """An offer of the console leads to us."""
        if message["type"] == "peer_offer" and message["role"] == "console":
            message["sdp"] = await self.network.between(message["sdp"])
        await super().to_robot(**message)

    def relayed(self, message: dict[str, Any]) -> dict[str, Any]:
        """And so does the robot's answer."""
        if message["type"] == "peer_answer" and message["peer_id"].startswith("console"):
            return message | {"sdp": self.network.answered(message["sdp"])}
        return message


def first_address(sdp: str) -> Address:
    """The first IPv4 host candidate. Raises ValueError when there is none."""
    found = CANDIDATE.search(sdp)
    if found is None:
        raise ValueError("no IPv4 host candidate")
    return found[1], int(found[2])


def with_address(sdp: str, address: Address) -> str:
    """The same description with this address as the only candidate of each section."""
    ours = f"a=candidate:1 1 udp 2130706431 {address[0]} {address[1]} typ host"
    lines, placed = [], False
    for line in sdp.splitlines():
        if line.startswith("m="):
            placed = False
        if line.startswith("a=candidate:"):
            if placed:
                continue
            line, placed = ours, True
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"

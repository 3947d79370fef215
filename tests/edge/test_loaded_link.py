"""A link that suddenly carries half of what the picture needs: the rate follows, and no queue stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from devices.edge.imaging.encoder import FRAMES_PER_S, PTS_PER_FRAME, Encoder
from devices.edge.link.imaging_port import AccessUnit
from devices.edge.link.rate import Adaptation
from devices.edge.link.video import MAIN, BModeTrack, prefer_h264, route_feedback, takes_main
from tests.faults.bad_network import BadNetwork
from tests.waiting import auntil

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
FULL_KBPS, WIDE_KBPS, NARROW_KBPS = 4000, 20_000, 2000
HOLDS_S = 0.3  # what a router keeps before it throws away
CALM_MS = HOLDS_S * 1000 / 2  # a queue that nobody follows stays full
RANDOM = np.random.default_rng(5)
SPECKLE = RANDOM.gamma(2.0, 30.0, (480, 640))
CLIP = [
    (np.roll(SPECKLE, 3 * n, axis=1) + RANDOM.normal(0, 15, (480, 640))).clip(0, 255).astype(np.uint8)
    for n in range(30)
]


class NarrowNetwork(BadNetwork):
    """A link of so many kbit/s towards the page, with a queue before it that drops what finds no room."""

    def __init__(self) -> None:
        super().__init__()
        self.kbps = WIDE_KBPS
        self._free_at_s = 0.0

    @property
    def waits_ms(self) -> float:
        """How long a packet that came now would wait."""
        return max(0.0, self._free_at_s - time.monotonic()) * 1000

    def datagram_received(self, data: bytes, source: Any) -> None:
        """Queue towards the page; straight on towards the robot."""
        if source[:2] == self.page:
            if self.robot is not None:
                self._send(data, self.robot)
            return
        if self.page is None:
            return
        if self.waits_ms > HOLDS_S * 1000:
            self.lost_n += 1
            return
        now_s = time.monotonic()
        self._free_at_s = max(now_s, self._free_at_s) + len(data) * 8 / 1000 / self.kbps
        asyncio.get_running_loop().call_later(self._free_at_s - now_s, self._send, data, self.page)


class Stream:
    """Our track, encoder and rate control towards one receiver, across ``network``."""

    def __init__(self) -> None:
        self.network = NarrowNetwork()
        self.encoder = Encoder(width=640, height=480, kbps=FULL_KBPS)
        self.rate = Adaptation(
            most_kbps=FULL_KBPS, tell=lambda message: self.encoder.set_rate(message["kbps"])
        )
        self.track = BModeTrack(request_keyframe=self.encoder.want_keyframe)
        self.robot, self.page = RTCPeerConnection(), RTCPeerConnection()
        self.shown_n = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        self.page.addTransceiver("video", direction="recvonly")
        self.page.on("track", lambda track: self._tasks.append(asyncio.ensure_future(self._watch(track))))
        await self.page.setLocalDescription(await self.page.createOffer())
        transceiver = self.robot.addTransceiver(self.track, direction="sendonly")
        prefer_h264(transceiver)
        route_feedback(transceiver.sender, self.encoder.want_keyframe, self)
        offer = await self.network.between(self.page.localDescription.sdp)
        await self.robot.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.robot.setLocalDescription(await self.robot.createAnswer())
        answer = self.network.answered(self.robot.localDescription.sdp)
        await self.page.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await auntil(lambda: self.robot.connectionState == "connected", timeout_s=20)
        self.rate.join("page", role="console", main=False)
        self._tasks.append(asyncio.ensure_future(self._send()))

    def on_estimate(self, kbps: float) -> None:
        self.rate.estimated("page", kbps)

    def on_lost(self, share: float) -> None:
        self.rate.lost("page", share)

    async def _send(self) -> None:
        loop, number = asyncio.get_running_loop(), 0
        began_s = loop.time()
        while True:
            pixels = CLIP[number % len(CLIP)]
            pts = number * PTS_PER_FRAME
            for unit in await loop.run_in_executor(None, lambda: self.encoder.encode(pixels, pts_90k=pts)):  # noqa: B023
                self.track.offer(AccessUnit(number, pts, 0, unit.keyframe, False, unit.data))
            number += 1
            await asyncio.sleep(began_s + number / FRAMES_PER_S - loop.time())

    async def _watch(self, track: Any) -> None:
        try:
            while True:
                await track.recv()
                self.shown_n += 1
        except MediaStreamError:
            return

    async def waits_ms(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> list[float]:
        """What waited in the network, looked at 100 times a second."""
        found, until_s = [], time.monotonic() + seconds
        while time.monotonic() < until_s and not enough():
            found.append(self.network.waits_ms)
            await asyncio.sleep(0.01)
        return found

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.track.stop()
        await self.robot.close()
        await self.page.close()
        self.network.close()


@pytest_asyncio.fixture
async def stream() -> AsyncIterator[Stream]:
    found = Stream()
    await found.connect()
    try:
        yield found
    finally:
        await found.close()


async def test_a_link_that_narrows_is_followed_and_its_queue_drains(stream: Stream) -> None:
    await auntil(lambda: stream.shown_n > 30, timeout_s=20, what="pictures")
    await stream.waits_ms(4.0)
    assert stream.encoder.kbps == FULL_KBPS, "nothing narrows a wide link"
    stream.network.kbps = NARROW_KBPS
    await stream.waits_ms(
        8.0, lambda: stream.encoder.kbps < NARROW_KBPS and stream.network.waits_ms < CALM_MS
    )
    later = sorted(await stream.waits_ms(4.0))
    assert stream.encoder.kbps < NARROW_KBPS
    assert later[int(0.95 * len(later))] < CALM_MS
    shown_n = stream.shown_n
    await auntil(lambda: stream.shown_n > shown_n + 30, timeout_s=20, what="pictures on the narrow link")
    stream.network.kbps = WIDE_KBPS
    before = stream.encoder.kbps
    await auntil(lambda: stream.encoder.kbps > before, timeout_s=20, what="more for a wide link")


@pytest.mark.parametrize("knows", [True, False])
async def test_a_receiver_that_offers_main_profile_gets_it_and_another_does_not(knows: bool) -> None:
    page, robot = RTCPeerConnection(), RTCPeerConnection()
    page.addTransceiver("video", direction="recvonly")
    await page.setLocalDescription(await page.createOffer())
    offer = page.localDescription.sdp
    assert MAIN in offer
    transceiver = robot.addTransceiver(BModeTrack(request_keyframe=lambda: None), direction="sendonly")
    prefer_h264(transceiver)
    await robot.setRemoteDescription(
        RTCSessionDescription(offer if knows else offer.replace(MAIN, "f4001f"), "offer")
    )
    await robot.setLocalDescription(await robot.createAnswer())
    assert takes_main(transceiver) is knows
    assert ("42e01f" in robot.localDescription.sdp) and ("VP8" not in robot.localDescription.sdp)
    await page.close()
    await robot.close()

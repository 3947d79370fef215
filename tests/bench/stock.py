"""The yardstick: stock aiortc as its own examples use it, in one process, nothing of ours inside it.

Its H.264 encoder with its defaults, a VideoStreamTrack at 30 pictures a second from any of our image sources, and a
data channel that echoes each command at once. Offer in on standard input, answer out on standard output, one JSON
object a line; ends when its input does.

    python -m tests.bench.stock --runtime-dir DIR [--source NAME] [--option KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from devices.drivers.base import ImageSource
from devices.drivers.registry import image_source_class
from devices.wire import channels
from devices.wire.messages import COMMAND_SIZE


class SourceTrack(VideoStreamTrack):
    """Pictures at the track's own 30 a second; rendered in a thread, or an echo would wait for each of them."""

    def __init__(self, source: ImageSource) -> None:
        super().__init__()
        self._source = source
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="source")

    async def recv(self) -> av.VideoFrame:
        """The next picture, grey as YUV 4:2:0."""
        pts, time_base = await self.next_timestamp()
        loop = asyncio.get_running_loop()
        frame = await loop.run_in_executor(self._thread, self._picture)
        frame.pts, frame.time_base = pts, time_base
        return frame

    def _picture(self) -> av.VideoFrame:
        pixels = self._source.frame(time.monotonic()).pixels
        height, width = pixels.shape
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = pixels
        return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def open_channels(pc: RTCPeerConnection) -> None:
    """Commands in on `cmd`, each sent back as it is on `tel`; the parameters of our own channels."""
    made = {
        wanted.label: pc.createDataChannel(
            wanted.label,
            ordered=wanted.ordered,
            maxRetransmits=wanted.max_retransmits,
            negotiated=True,
            id=wanted.id,
        )
        for wanted in (channels.CMD, channels.TEL)
    }

    def echo(data: str | bytes) -> None:
        if isinstance(data, bytes) and len(data) == COMMAND_SIZE:
            made[channels.TEL.label].send(data)

    made[channels.CMD.label].on("message", echo)


async def answer(pc: RTCPeerConnection, sdp: str, track: SourceTrack) -> str:
    """The answer to a complete offer: aiortc takes the offer's first codec that it knows."""
    pc.addTrack(track)
    open_channels(pc)
    await pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    return str(pc.localDescription.sdp)


def say(message: dict[str, Any]) -> None:
    """One line to whoever started us."""
    print(json.dumps(message), flush=True)


async def serve(source: ImageSource) -> None:
    """One peer after the other until the input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say({"type": "ready"})
    pc: RTCPeerConnection | None = None
    while line := await reader.readline():
        if pc is not None:
            await pc.close()
        pc = RTCPeerConnection()
        say({"type": "answer", "sdp": await answer(pc, json.loads(line)["sdp"], SourceTrack(source))})
    if pc is not None:
        await pc.close()


def main() -> None:
    """Open the source, serve, close it."""
    parser = argparse.ArgumentParser(prog="stock")
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--source", default="phantom", help="a name or package.module:Class")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in given.option)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us closes our input
    source = image_source_class(given.source)(runtime_dir=given.runtime_dir, options=options)
    source.open()
    source.set()
    try:
        asyncio.run(serve(source))
    finally:
        source.close()


if __name__ == "__main__":
    main()

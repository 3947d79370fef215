"""A picture process for tests of the link: moving bars through x264, the protocol of imaging.sock.

Same arguments as ``devices.edge.imaging``. A keyframe only every 600 pictures, so that a picture at a
peer that joins later proves that its keyframe request reached the encoder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

HEADER = struct.Struct("<BBHIQQI")
WIDTH, HEIGHT = 320, 240


class Bars:
    """One client, 30 pictures a second."""

    def __init__(self, folder: Path, out_dir: Path) -> None:
        self.path = folder / "imaging.sock"
        self.path.unlink(missing_ok=True)
        self._out_dir = out_dir
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._keyframe = True
        self._log: list[dict[str, Any]] = []
        self.running = True
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        encoder.time_base = (
            av.video.frame.Fraction(1, 90000)
            if hasattr(av.video.frame, "Fraction")
            else __import__("fractions").Fraction(1, 90000)
        )
        encoder.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "keyint": "600",
        }
        encoder.gop_size = 600
        self._encoder: Any = encoder

    def run(self) -> None:
        last = 0
        while self.running:
            self._accept()
            self._requests()
            frame_id = int(time.monotonic() * 30)
            if frame_id != last:
                last = frame_id
                self._picture(frame_id)
            time.sleep(0.004)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._client = self._listener.accept()[0]
            self._client.setblocking(False)
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self._say(
                {
                    "type": "geometry",
                    "frame_id": 1,
                    "width": WIDTH,
                    "height": HEIGHT,
                    "mm_per_px_x": 0.5,
                    "mm_per_px_y": 0.5,
                    "region": [0, 0, WIDTH, HEIGHT],
                    "depth_mm": 120.0,
                    "gain_db": 0.0,
                    "dynamic_range_db": 60.0,
                    "source": "bars",
                }
            )

    def _say(self, message: dict[str, Any]) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.send(json.dumps(message).encode())

    def _requests(self) -> None:
        while self._client is not None:
            try:
                data = self._client.recv(65536)
            except BlockingIOError:
                return
            if not data:
                self._client = None
                return
            self._answer(json.loads(data))

    def _answer(self, message: dict[str, Any]) -> None:
        done: dict[str, Any] = {}
        kind = message["type"]
        if kind == "keyframe":
            self._keyframe = True
        elif kind == "freeze" and message["on"]:
            path = self._write("frozen.png", b"PNG")
            self._say(
                {
                    "type": "frozen",
                    "frame_id": 7,
                    "path": path,
                    "sha256": "0",
                    "width": 2,
                    "height": 2,
                    "mm_per_px_x": 0.5,
                    "mm_per_px_y": 0.5,
                    "region": [0, 0, 2, 2],
                }
            )
        elif kind == "capture":
            path = self._write("still.dcm", b"DICM")
            self._say(
                {
                    "type": "captured",
                    "id": message["id"],
                    "kind": message["kind"],
                    "view": message["view"],
                    "frame_id": 8,
                    "frames": 1,
                    "path": path,
                    "sop_uid": "2.25.1",
                    "sha256": "1",
                    "mm_per_px_x": 0.5,
                    "mm_per_px_y": 0.5,
                    "region": [0, 0, 2, 2],
                }
            )
        elif kind == "imaging":
            done = {k: v for k, v in message.items() if k not in ("type", "id")}
        self._say({"type": "ack", "id": message.get("id"), "ok": True, "code": None, "done": done})

    def _write(self, name: str, data: bytes) -> str:
        path = self._out_dir / f"{time.monotonic_ns()}-{name}"
        path.write_bytes(data)
        return str(path)

    def _picture(self, frame_id: int) -> None:
        grey = np.zeros((HEIGHT, WIDTH), np.uint8)
        grey[:, (frame_id * 4) % WIDTH :] = 128
        frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
        frame.pts = frame_id * 3000
        frame.pict_type = av.video.frame.PictureType.I if self._keyframe else av.video.frame.PictureType.NONE
        self._keyframe = False
        for packet in self._encoder.encode(frame):
            data = bytes(packet)
            flags = 1 if packet.is_keyframe else 0
            head = HEADER.pack(
                0x56, flags, 0, frame_id, frame_id * 3000, time.monotonic_ns() // 1000, len(data)
            )
            if self._client is not None:
                with contextlib.suppress(BlockingIOError):
                    try:
                        self._client.send(head + data)
                    except OSError:
                        self._client = None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--out-dir", type=Path, required=True)
    arguments, _ = parser.parse_known_args()
    bars = Bars(arguments.runtime_dir, arguments.out_dir)
    signal.signal(signal.SIGTERM, lambda *_: setattr(bars, "running", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bars.run()
    sys.exit(0)

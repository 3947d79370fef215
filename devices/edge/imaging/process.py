"""The capture loop: newest picture only, 30 a second, never waiting for whoever looks at it."""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devices.drivers.base import Frame, ImageSource, SourceError
from devices.edge.dicom import Shot, Worklist, Written, png, write_loop, write_still
from devices.edge.imaging.encoder import FRAMES_PER_S, PTS_PER_FRAME, Encoder, within
from devices.edge.imaging.port import Port
from devices.edge.imaging.probe import ProbeListener, now_us
from devices.edge.marks.body import Lying

log = logging.getLogger("edge.imaging")
RING_S, LOOP_S = 10, 3
POLL_S = 0.002
CINE_SETTLE_S = 0.25  # a picture on which scrolling rests this long goes out lossless: at most four a second; design value
PARAMETERS = ("gain_db", "depth_mm", "dynamic_range_db", "focus_mm", "tgc_db", "preset")


def geometry_of(frame: Frame) -> dict[str, Any]:
    height, width = frame.pixels.shape
    return {
        "width": width,
        "height": height,
        "mm_per_px_x": frame.mm_per_px_x,
        "mm_per_px_y": frame.mm_per_px_y,
        "region": list(frame.region),
        "depth_mm": frame.depth_mm,
        "more_regions": [
            {"box": list(part.box), "mm_per_px_x": part.mm_per_px_x, "mm_per_px_y": part.mm_per_px_y}
            for part in frame.more_regions
        ],
    }


def wall_time(t_us: int) -> datetime:
    """When a picture was taken, by the computer's clock: it may have been kept for minutes since."""
    return datetime.now(UTC) - timedelta(microseconds=now_us() - t_us)


def told(written: Written) -> dict[str, Any]:
    """What the server is told of an object: its own size, its calibration, where the lossless frame stands in it."""
    return {
        "kind": written.kind,
        "sop_uid": written.sop_uid,
        "frames": written.frames,
        "width": written.width,
        "height": written.height,
        "mm_per_px_x": written.mm_per_px_x,
        "mm_per_px_y": written.mm_per_px_y,
        "region": list(written.region),
        "offset": list(written.offset),
    }


class Imaging:
    """One source, one encoder, one ring of lossless frames (10 s of 640x480 are 92 MB)."""

    def __init__(
        self, *, source: ImageSource, port: Port, probe: ProbeListener, out_dir: Path, kbps: int
    ) -> None:
        self._source, self._port, self._out_dir, self._kbps = source, port, out_dir, kbps
        self._probe = probe
        self._ring: deque[Shot] = deque(maxlen=RING_S * FRAMES_PER_S)
        self._newest_id = 0
        self._frozen: Shot | None = None
        self._rests_at: float | None = (
            None  # when the picture scrolled to is to be written, if nobody scrolls on
        )
        self._encoder: Encoder | None = None
        self._main = False
        self._geometry: dict[str, Any] | None = None
        self._look: dict[str, Any] = {}
        self._worklist: dict[str, Any] | None = None
        self._written: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.running = True

    def run(self) -> None:
        """Until `running` is false."""
        self._look = self._source.set()
        last = 0
        while self.running:
            self._serve()
            now = time.monotonic()
            if int(now * FRAMES_PER_S) == last:
                time.sleep(POLL_S)
                continue
            last = int(now * FRAMES_PER_S)
            self._picture(now)
            self._settle(now)

    def _serve(self) -> None:
        if self._port.accept():
            if self._encoder is not None:
                self._encoder.want_keyframe()
            self._tell_geometry()
        for request in self._port.requests():
            self._answer(request)
        while not self._written.empty():
            self._port.send_json(self._written.get())

    def _picture(self, now: float) -> None:
        try:
            frame = self._source.frame(now)
        except SourceError as error:
            log.warning("no picture: %s", error)
            return
        if self._frozen is None:  # what was before the freeze stays to be scrolled through
            self._ring.append(Shot(frame, self._probe.pose(frame.t_us)))
        self._newest_id = frame.frame_id
        if geometry_of(frame) != self._geometry:
            self._new_geometry(frame)
        shown = self._frozen.frame if self._frozen is not None else frame
        encoder = self._encoder
        if encoder is None or shown.pixels.shape != frame.pixels.shape:
            return
        pts = frame.frame_id * PTS_PER_FRAME
        for unit in encoder.encode(shown.pixels, pts_90k=pts):
            sent = self._port.send_unit(
                unit.data,
                frame_id=frame.frame_id,
                pts_90k=pts,
                taken_us=frame.t_us,
                keyframe=unit.keyframe,
                frozen=self._frozen is not None,
            )
            if not sent:
                encoder.want_keyframe()

    def _new_geometry(self, frame: Frame) -> None:
        old, self._geometry = self._geometry, geometry_of(frame)
        height, width = frame.pixels.shape
        if old is None or (old["width"], old["height"]) != (width, height):
            self._encoder = Encoder(width=width, height=height, kbps=self._kbps, main=self._main)
        self._tell_geometry()

    def _tell_geometry(self) -> None:
        if self._geometry is not None:
            # The geometry wins: a depth just asked for holds from the next picture on, with its own scale.
            self._port.send_json(
                {"type": "geometry", "frame_id": self._newest_id, **self._look, **self._geometry}
            )

    # requests

    def _answer(self, request: dict[str, Any]) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "keyframe": self._keyframe,
            "freeze": self._freeze,
            "capture": self._capture,
            "cine": self._cine,
            "imaging": self._imaging,
            "bitrate": self._bitrate,
            "worklist": self._keep_worklist,
            "worklist_clear": self._clear_worklist,
            "status": self._status,
        }
        handler = handlers.get(str(request.get("type")))
        try:
            if handler is None:
                raise Refused("unknown_request")
            answer: dict[str, Any] = {"ok": True, "code": None, "done": handler(request)}
        except Refused as refusal:
            answer = {"ok": False, "code": refusal.code, "done": {}}
        except (KeyError, TypeError, ValueError, SourceError) as error:
            log.warning("request %s: %r", request.get("type"), error)
            answer = {"ok": False, "code": "bad_request", "done": {}}
        self._port.send_json({"type": "ack", "id": request.get("id"), **answer})

    def _keyframe(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._encoder is not None:
            self._encoder.want_keyframe()
        return {}

    def _freeze(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["on"] is not True:
            was, self._frozen, self._rests_at = self._frozen, None, None
            if was is not None:
                self._port.send_json({"type": "unfrozen"})
            return {"on": False}
        if not self._ring:
            raise Refused("no_picture")
        if self._frozen is None:
            self._frozen = self._ring[-1]
            self._in_background(self._write_frozen, self._frozen.frame)
        return {"on": True, "frame_id": self._frozen.frame.frame_id}

    def _cine(self, request: dict[str, Any]) -> dict[str, Any]:
        """Another of the last 10 s while frozen: every viewer sees it at once, the lossless one follows at rest."""
        if self._frozen is None:
            raise Refused("not_frozen")
        back = min(int(request["back"]), len(self._ring) - 1)
        self._frozen = self._ring[-1 - back]
        self._rests_at = time.monotonic() + CINE_SETTLE_S
        newest = self._ring[-1].frame
        return {
            "back": back,
            "frames": len(self._ring),
            "frame_id": self._frozen.frame.frame_id,
            "back_s": round((newest.t_us - self._frozen.frame.t_us) / 1e6, 2),
        }

    def _settle(self, now: float) -> None:
        if self._frozen is not None and self._rests_at is not None and now >= self._rests_at:
            self._rests_at = None
            self._in_background(self._write_frozen, self._frozen.frame)

    def _capture(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._worklist is None:
            raise Refused("no_worklist")
        if not self._ring:
            raise Refused("no_picture")
        kind, number = str(request["kind"]), request.get("id")
        if kind not in ("still", "loop"):
            raise Refused("bad_request")
        shots = self._chosen(kind)
        item, lying = dict(self._worklist), self._probe.lying(str(self._worklist.get("exam_id")))
        view, note = str(request.get("view", "")), str(request.get("annotation", ""))
        self._in_background(self._write_dicom, kind, shots, item, view, note, lying, number)
        return {"kind": kind, "frame_id": shots[-1].frame.frame_id, "frames": len(shots)}

    def _chosen(self, kind: str) -> list[Shot]:
        """The frozen or newest frame; for a loop the 3 s that end there, all of one geometry."""
        last = self._frozen if self._frozen is not None else self._ring[-1]
        if kind == "still":
            return [last]
        end_id, same = last.frame.frame_id, geometry_of(last.frame)
        ids = range(end_id - LOOP_S * FRAMES_PER_S + 1, end_id + 1)
        chosen = [s for s in self._ring if s.frame.frame_id in ids and geometry_of(s.frame) == same]
        return chosen or [last]

    def _imaging(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = {name: request[name] for name in PARAMETERS if request.get(name) is not None}
        self._look = self._source.set(**wanted)
        self._tell_geometry()
        return dict(self._look)

    def _bitrate(self, request: dict[str, Any]) -> dict[str, Any]:
        """Another rate in the running encoder; another profile (only when who looks on changes) in a new one."""
        self._kbps = within(int(request["kbps"]))
        self._main = bool(request.get("main", self._main))
        old = self._encoder
        if old is not None and old.main != self._main:
            self._encoder = Encoder(width=old.width, height=old.height, kbps=self._kbps, main=self._main)
        elif old is not None:
            old.set_rate(self._kbps)
        return {"kbps": self._kbps, "main": self._main}

    def _keep_worklist(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._worklist is None or self._worklist.get("exam_id") != request.get("exam_id"):
            self._forget_pictures()  # whoever lay here before is another patient
        self._worklist = {key: value for key, value in request.items() if key not in ("type", "id")}
        return {}

    def _clear_worklist(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._worklist is not None and self._worklist.get("exam_id") == request.get("exam_id"):
            self._worklist = None
            self._forget_pictures()
        return {}

    def _forget_pictures(self) -> None:
        self._frozen, self._rests_at = None, None
        self._ring.clear()

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"frames": len(self._ring), "frozen": self._frozen is not None, "kbps": self._kbps}

    # files: written beside the loop, announced by it

    def _in_background(self, work: Callable[..., None], *args: Any) -> None:
        threading.Thread(target=work, args=args, daemon=True).start()

    def _write_frozen(self, frame: Frame) -> None:
        exam_id = self._worklist.get("exam_id") if self._worklist else None
        path, digest = self._write(png(frame.pixels), ".png")
        self._written.put(
            {"type": "frozen", "frame_id": frame.frame_id, "path": path, "sha256": digest, "exam_id": exam_id}
            | geometry_of(frame)
        )

    def _write_dicom(
        self,
        kind: str,
        shots: list[Shot],
        item: dict[str, Any],
        view: str,
        note: str,
        lying: Lying | None,
        number: Any,
    ) -> None:
        try:
            worklist, taken_at = Worklist.from_message(item), wall_time(shots[0].frame.t_us)
            more: dict[str, Any] = {
                "worklist": worklist, "view": view, "annotation": note, "taken_at": taken_at, "lying": lying
            }  # fmt: skip
            written = write_still(shots[0], **more) if kind == "still" else write_loop(shots, **more)
            path, digest = self._write(written.data, ".dcm")
        except Exception as error:  # a thread of its own: whatever it is, the page must hear of it
            log.exception("capture failed")
            self._written.put({"type": "capture_failed", "id": number, "code": type(error).__name__})
            return
        named = {"id": number, "view": view, "exam_id": item.get("exam_id"), "path": path, "sha256": digest}
        self._written.put({"type": "captured", "frame_id": shots[-1].frame.frame_id} | named | told(written))

    def _write(self, data: bytes, suffix: str) -> tuple[str, str]:
        """Whole or not at all: (path, SHA-256)."""
        path = self._out_dir / f"{uuid.uuid4().hex}{suffix}"
        temporary = path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        return str(path), hashlib.sha256(data).hexdigest()


class Refused(Exception):
    """A request that can't be done now; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

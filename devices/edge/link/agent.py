"""The link: signalling, peers, pictures, control requests, events. One event loop, no decision of safety."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

from devices.edge import identity as identities
from devices.edge.config import Config
from devices.edge.identity import Identity
from devices.edge.keys import KEYS_FILE, ServerKeys
from devices.edge.link.candidates import ice_candidate_kinds
from devices.edge.link.control import Control
from devices.edge.link.exam_files import ExamFiles
from devices.edge.link.imaging_port import AccessUnit, ImagingPort
from devices.edge.link.journal import Journal
from devices.edge.link.peer import Peer
from devices.edge.link.rate import Adaptation
from devices.edge.link.safety_port import SafetyPort
from devices.edge.link.selftest import run_self_test
from devices.edge.link.signalling import Signalling
from devices.edge.safety.lease import EPOCH_FILE, newest_epoch
from devices.edge.version import AGENT_VERSION
from devices.wire import channels
from devices.wire.codec import WireError, unpack_telemetry
from devices.wire.limits import LINK_BEAT_PERIOD_MS
from devices.wire.messages import SCHEMA_HASH, Telemetry, TelemetryFlag
from devices.wire.tokens import PeerClaims, TokenError, peer_claims

log = logging.getLogger("edge.link")
STATUS_S = 1.0
KEYFRAME_REQUESTS_PER_S = 4.0  # observers must not turn the stream into keyframes; design value
REPLACED_AFTER_S = 3.0  # make before break: the older page of the same person goes after this
MAX_PEERS = 8
CONNECT_TIMEOUT_S = 30.0
CYCLE_LATE_P99_US, CYCLE_LATE_MAX_US = 1_000, 10_000  # later safety cycles are worth a warning; design values


class Agent:
    """Everything of the link process."""

    def __init__(self, *, config: Config, identity: Identity) -> None:
        self.config, self.identity = config, identity
        self.keys = ServerKeys(config.data_dir / KEYS_FILE)
        self.journal = Journal(config.data_dir / "journal.sqlite3")
        self.peers: dict[str, Peer] = {}
        self.telemetry: Telemetry | None = None
        self.telemetry_at_s = 0.0
        self._units_at_s: deque[float] = deque(maxlen=120)
        self._keyframe_at_s = 0.0
        self._next_slot = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cycle: dict[str, Any] | None = None
        self._seen_events: deque[tuple[int, int]] = deque(maxlen=1000)
        self._status_key: tuple[Any, ...] = ()
        self._status_now = asyncio.Event()
        self.safety = SafetyPort(
            runtime_dir=config.runtime_dir, on_telemetry=self._on_telemetry, on_message=self._on_safety
        )
        self.imaging = ImagingPort(
            path=config.runtime_dir / "imaging.sock",
            on_unit=self._on_unit,
            on_message=self._on_imaging,
            on_connect=self._on_imaging_connect,
        )
        self.signalling = Signalling(
            url=config.websocket_url, headers=identity.headers, on_message=self._on_server
        )
        self.files = ExamFiles(
            data_dir=config.data_dir,
            server_url=config.server_url,
            headers=identity.headers,
            on_event=self.event,
        )
        self.control = Control(safety=self.safety, imaging=self.imaging)
        self.rate = Adaptation(most_kbps=config.bitrate_kbps, tell=self.imaging.tell)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for job in (
                    self.signalling.run(), self.imaging.run(), self.files.uploads.run(),
                    self._beat(), self._status_loop(),
                ):  # fmt: skip
                    group.create_task(job)
        finally:
            for peer in list(self.peers.values()):
                with contextlib.suppress(Exception):
                    await peer.close()
            self.safety.close()
            self.journal.close()

    def spawn(self, job: Coroutine[Any, Any, Any]) -> None:
        """Run beside; kept until done, failures logged."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task failed", exc_info=task.exception())

    # --- safety ---------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            self.safety.tell(
                {"type": "beat", "serial": self.journal.newest_serial, "uploads": self.files.pending_n}
            )
            await asyncio.sleep(LINK_BEAT_PERIOD_MS / 1000.0)

    def _on_telemetry(self, data: bytes) -> None:
        # Consoles first: each sending is about half a millisecond, and the hand's answer is the one that is felt.
        for peer in sorted(self.peers.values(), key=lambda peer: peer.role != channels.CONSOLE):
            peer.send_telemetry(data)
        try:
            found = unpack_telemetry(data)
        except WireError as error:
            log.error("telemetry of our own safety process: %s", error)
            return
        restarted = self.telemetry is not None and found.tel_seq < self.telemetry.tel_seq
        self.telemetry, self.telemetry_at_s = found, time.monotonic()
        if restarted:
            self._introduce_all()
        key = (found.safety_state, found.stop_cause, found.peers, found.flags & TelemetryFlag.BEDSIDE_PRESENT)
        if key != self._status_key:
            self._status_key = key
            self._status_now.set()

    def _introduce_all(self) -> None:
        """A new safety process knows no peers yet."""
        for peer in self.peers.values():
            self._introduce(peer)

    def _introduce(self, peer: Peer) -> None:
        self.safety.tell(
            {
                "type": "peer",
                "up": True,
                "slot": peer.slot,
                "token": peer.token,
                "fp": peer.claims.fp,
                "offset_ms": self.signalling.offset_ms,
            }
        )

    def _on_safety(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "event":
            self.safety.tell({"type": "event_ok", "n": message["n"]})
            key = (message["n"], message["at_us"])
            if key not in self._seen_events:
                self._seen_events.append(key)
                self.event(message["kind"], message["data"], at_us=message["at_us"])
        elif kind == "cycle":
            self._on_cycle(message["figures"])
        elif kind == "token_refused":
            log.warning("safety refused a token: %s", message["code"])

    def _on_cycle(self, figures: dict[str, Any]) -> None:
        self.cycle = figures
        late = figures["p99_us"] > CYCLE_LATE_P99_US or figures["max_us"] > CYCLE_LATE_MAX_US
        log.log(
            logging.WARNING if late else logging.DEBUG,
            "safety cycles late: p99 %d us, max %d us",
            figures["p99_us"],
            figures["max_us"],
        )

    def event(self, kind: str, data: dict[str, Any], *, at_us: int | None = None) -> None:
        """Journal, tell the peers, tell the server."""
        now_us = time.monotonic_ns() // 1000
        at_us = now_us if at_us is None else at_us
        wall_ms = (time.time_ns() // 1000 - (now_us - at_us)) // 1000
        found = self.journal.add(kind=kind, at_ms=wall_ms, exam_id=self.exam_id, data=data)
        told = {("image_kind" if key == "kind" else key): value for key, value in data.items()}
        for peer in self.peers.values():
            peer.send_ctl({**told, "type": "event", "serial": found.serial, "kind": kind, "at_us": at_us})
        self.spawn(self.signalling.send(found.message()))

    @property
    def exam_id(self) -> str | None:
        """The exam of the newest peer, else of the worklist."""
        for peer in reversed(list(self.peers.values())):
            return peer.exam_id
        return self.files.exam_id

    # --- pictures -------------------------------------------------------------------------------

    def _on_unit(self, unit: AccessUnit) -> None:
        self._units_at_s.append(time.monotonic())
        taken_ms = unit.taken_us / 1000.0
        self.safety.tell({"type": "frame", "id": unit.frame_id, "taken_ms": taken_ms, "frozen": unit.frozen})
        for peer in self.peers.values():
            if peer.connected and peer.has_video:
                peer.track.offer(unit)

    def _on_imaging_connect(self) -> None:
        self.imaging.tell({"type": "keyframe"})
        self.rate.say()
        if self.files.worklist is not None:
            self.imaging.tell({**self.files.worklist, "type": "worklist"})

    def _on_imaging(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "geometry":
            self.control.geometry = message
            for peer in self.peers.values():
                self._tell_geometry(peer)
        elif kind in ("frozen", "captured"):
            self.files.taken(message, exam_id=self.exam_id)
        elif kind == "unfrozen":
            self.event("unfrozen", {})
        elif kind == "capture_failed":
            self.event("captured", {"ok": False, "code": message.get("code")})

    def _tell_geometry(self, peer: Peer) -> None:
        found = self.control.geometry
        if found is not None:
            px_mm = [found["mm_per_px_x"], found["mm_per_px_y"]]
            peer.send_ctl({**{k: v for k, v in found.items() if k != "id"}, "type": "frame", "px_mm": px_mm})

    def request_keyframe(self) -> None:
        """PLI, FIR or a new peer: ask the encoder, not too often."""
        now_s = time.monotonic()
        if now_s - self._keyframe_at_s >= 1.0 / KEYFRAME_REQUESTS_PER_S:
            self._keyframe_at_s = now_s
            self.imaging.tell({"type": "keyframe"})

    @property
    def fps(self) -> float:
        """Access units in the last second."""
        now_s = time.monotonic()
        return float(sum(1 for at_s in self._units_at_s if now_s - at_s <= 1.0))

    # --- server ---------------------------------------------------------------------------------

    async def _on_server(self, message: dict[str, Any]) -> None:
        handlers: dict[str, Any] = {
            "welcome": self._on_welcome,
            "peer_offer": self._on_peer_offer,
            "peer_close": self._on_peer_close,
            "lease": self._on_lease,
            "lease_revoke": self._on_revoke,
            "worklist": self._on_worklist,
            "worklist_clear": self._on_worklist_clear,
            "self_test": self._on_self_test,
            "event_ack": self._on_event_ack,
        }
        handler = handlers.get(str(message["type"]))
        if handler is None:
            log.warning("server says %s", str(message)[:300])
        else:
            await handler(message)

    async def _on_welcome(self, message: dict[str, Any]) -> None:
        identities.store_keys(self.config.data_dir, message["server_keys"])
        await self.signalling.send(
            {
                "type": "hello",
                "agent_version": AGENT_VERSION,
                "driver": self.config.driver,
                "image_source": self.config.image_source,
                "candidates": ice_candidate_kinds(self.config),
                "last_epoch": newest_epoch(self.config.data_dir / EPOCH_FILE),
                "schema_hash": SCHEMA_HASH,
            }
        )
        for event in self.journal.pending():
            await self.signalling.send(event.message())
        self._status_now.set()

    async def _on_peer_offer(self, message: dict[str, Any]) -> None:
        # Beside the socket's loop: gathering candidates takes time in which leases must still arrive.
        self.spawn(self._answer(str(message["peer_id"]), str(message["sdp"]), str(message["token"])))

    async def _answer(self, peer_id: str, sdp: str, token: str) -> None:
        try:
            peer = self._new_peer(peer_id, sdp, token)
        except TokenError as error:
            log.warning("peer %s refused: %s", peer_id, error)
            await self.signalling.send({"type": "peer_refused", "peer_id": peer_id, "code": error.code})
            return
        try:
            answer = await peer.answer(sdp)
        except Exception as error:  # aiortc raises many kinds for a bad SDP
            log.warning("peer %s: offer not usable: %r", peer_id, error)
            await peer.close()
            await self.signalling.send({"type": "peer_refused", "peer_id": peer_id, "code": "bad_sdp"})
            return
        await self.signalling.send({"type": "peer_answer", "peer_id": peer_id, "sdp": answer})
        await asyncio.sleep(CONNECT_TIMEOUT_S)
        if not peer.connected:
            await peer.close()

    def _new_peer(self, peer_id: str, sdp: str, token: str) -> Peer:
        offset_ms = self.signalling.offset_ms or (time.time() - time.monotonic()) * 1000.0
        claims: PeerClaims = peer_claims(
            self.keys.claims(token),
            robot_id=self.identity.robot_id,
            sdp=sdp,
            now_s=time.monotonic() + offset_ms / 1000.0,
        )
        if claims.peer != peer_id or peer_id in self.peers or len(self.peers) >= MAX_PEERS:
            raise TokenError("bad_token", "peer")
        self._next_slot = (self._next_slot + 1) % 256
        while any(peer.slot == self._next_slot for peer in self.peers.values()):
            self._next_slot = (self._next_slot + 1) % 256
        peer = Peer(
            slot=self._next_slot, claims=claims, token=token, ice_servers=self.config.ice_servers, events=self
        )
        self.peers[peer_id] = peer
        self._introduce(peer)
        return peer

    async def _on_peer_close(self, message: dict[str, Any]) -> None:
        peer = self.peers.get(str(message["peer_id"]))
        if peer is not None:
            self.spawn(peer.close())

    async def _on_lease(self, message: dict[str, Any]) -> None:
        self.safety.tell({"type": "lease", "token": message["token"], "offset_ms": self.signalling.offset_ms})

    async def _on_revoke(self, message: dict[str, Any]) -> None:
        self.safety.tell({"type": "revoke", "epoch": message["epoch"], "code": str(message.get("code"))})

    async def _on_worklist(self, message: dict[str, Any]) -> None:
        self.files.keep_worklist(message)
        self.imaging.tell({**message, "type": "worklist"})

    async def _on_worklist_clear(self, message: dict[str, Any]) -> None:
        self.files.clear_worklist(str(message["exam_id"]))
        self.imaging.tell({"type": "worklist_clear", "exam_id": message["exam_id"]})

    async def _on_self_test(self, message: dict[str, Any]) -> None:
        self.spawn(self._self_test(message))

    async def _self_test(self, message: dict[str, Any]) -> None:
        checks = await run_self_test(self)
        result = {
            "type": "self_test_result",
            "request_id": message["request_id"],
            "exam_id": message.get("exam_id"),
            "passed": all(check["ok"] for check in checks),
            "checks": checks,
        }
        self.event("self_test", {"passed": result["passed"], "checks": checks})
        await self.signalling.send(result)

    async def _on_event_ack(self, message: dict[str, Any]) -> None:
        self.journal.ack(int(message["serial"]))

    async def _status_loop(self) -> None:
        while True:
            self._status_now.clear()
            await self.signalling.send(self._status())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._status_now.wait(), STATUS_S)

    def _status(self) -> dict[str, Any]:
        seen = self.telemetry
        fresh = seen is not None and time.monotonic() - self.telemetry_at_s < 1.0
        return {
            "type": "status",
            "safety_state": int(seen.safety_state) if seen is not None and fresh else None,
            "stop_cause": int(seen.stop_cause) if seen is not None else 0,
            "exam_id": self.exam_id,
            "epoch": seen.lease_epoch if seen is not None else 0,
            "peers": [{"peer_id": p.peer_id, "role": p.role} for p in self.peers.values() if p.connected],
            "fps": self.fps,
            "force_n": round(seen.force_n, 2) if seen is not None else 0.0,
            "bedside_present": bool(seen is not None and fresh and seen.has(TelemetryFlag.BEDSIDE_PRESENT)),
            "uploads_pending": self.files.pending_n,
            "cycle": self.cycle,
        }

    # --- peers (PeerEvents) -----------------------------------------------------------------------

    def on_command(self, peer: Peer, data: bytes) -> None:
        """cmd channel."""
        self.safety.command(peer.slot, data)

    def on_estop(self, peer: Peer, data: bytes) -> None:
        """estop channel."""
        self.safety.estop(peer.slot, data)

    def on_ctl(self, peer: Peer, text: str) -> None:
        """ctl channel."""
        self.spawn(self.control.handle(peer, text))

    def on_open(self, peer: Peer) -> None:
        """Connected: pictures, and the same person's older page goes."""
        self.request_keyframe()
        self.event("peer", {"role": peer.role, "peer_id": peer.peer_id, "up": True})
        self.spawn(self._replace_older(peer))
        self._status_now.set()

    def on_readable(self, peer: Peer) -> None:
        """The ctl channel is open: what the pictures' scale is."""
        self._tell_geometry(peer)

    async def _replace_older(self, peer: Peer) -> None:
        older = [
            p for p in self.peers.values()
            if p is not peer and (p.role, p.claims.sub) == (peer.role, peer.claims.sub) and p.slot != peer.slot
        ]  # fmt: skip
        await asyncio.sleep(REPLACED_AFTER_S)
        for found in older:
            await found.close()

    def on_gone(self, peer: Peer) -> None:
        """Closed or failed."""
        if self.peers.pop(peer.peer_id, None) is None:
            return
        self.safety.tell({"type": "peer", "up": False, "slot": peer.slot})
        self.event("peer", {"role": peer.role, "peer_id": peer.peer_id, "up": False})
        self.spawn(self.signalling.send({"type": "peer_gone", "peer_id": peer.peer_id}))
        self.spawn(peer.close())

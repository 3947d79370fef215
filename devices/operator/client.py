"""``async with Operator(base_url, ticket=..., exam_id=..., role="console") as op``.

Speaks the exam socket and the four data channels exactly as the pages do. A bearer token instead of
a ticket is exchanged at ``POST /api/v1/auth/ticket`` for every dial.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import statistics
import time
from collections import deque
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from devices.wire import channels, ctl
from devices.wire.codec import WireError, pack_command, pack_estop, unpack_telemetry
from devices.wire.limits import COMMAND_PERIOD_MS, ESTOP_REPEAT_MS, PRESENCE_PERIOD_MS
from devices.wire.messages import Command, CommandFlag, Estop, EstopFlag, Telemetry, TelemetryFlag

log = logging.getLogger("operator")
FRAME_TICKS = 3000  # RTP ticks (90 kHz) per picture number; see devices.edge.link.video
U32 = 2**32
RTT_KEPT = 500


class OperatorError(RuntimeError):
    """Refused or not reached; ``code`` as the server or the robot gave it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Operator:
    """One connected page without a browser.

    ``relay_only``: by a TURN server of the welcome's ``ice_servers`` alone, as from behind a hospital's firewall.
    Attributes to steer with: ``deadman``, ``twist`` (vx..wz, mm/s and deg/s), ``force_setpoint_n``
    (None: no force control), ``mode``, ``present`` (bedside). ``telemetry`` is the newest received.
    """

    def __init__(
        self,
        base_url: str,
        *,
        exam_id: str,
        role: str,
        token: str | None = None,
        ticket: str | None = None,
        video: bool = True,
        relay_only: bool = False,
    ) -> None:
        self._base_url, self._token, self._ticket = base_url.rstrip("/"), token, ticket
        self.exam_id, self.role, self._video = exam_id, role, video
        self._policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self.messages: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.latest: dict[str, dict[str, Any]] = {}
        self.telemetry: Telemetry | None = None
        self.telemetry_n = 0
        self.commands_n = 0
        self.superseded_n = 0
        self.frames_n = 0
        self.frame_id_seen = 0
        self.frame: Any = None
        self.rtt_ms: deque[float] = deque(maxlen=RTT_KEPT)
        self.deadman = False
        self.twist = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        self.force_setpoint_n: float | None = None
        self.mode = 0
        self.present = True
        self.sending = True
        self.epoch: int | None = None
        self._seq = self._estop_seq = self._next_id = 0
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._channels: dict[str, RTCDataChannel] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self.pc: RTCPeerConnection | None = None
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.dial()
            await self.offer()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- signalling -----------------------------------------------------------------------------

    async def dial(self) -> None:
        """Open the exam socket and wait for welcome. Raises OperatorError."""
        ticket = self._ticket if self._token is None else await self._new_ticket()
        scheme, rest = self._base_url.split("://", 1)
        query = urlencode({"ticket": ticket or ""})
        url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws/exams/{self.exam_id}/{self.role}/?{query}"
        try:
            self._socket = await connect(url, ping_interval=2, ping_timeout=8, max_size=2**20, proxy=None)
        except (OSError, WebSocketException) as error:
            raise OperatorError("not_connected", str(error)) from error
        self.latest.pop("welcome", None)
        self._start(self._read_socket(self._socket))
        await self.wait_message("welcome")

    async def _new_ticket(self) -> str:
        async with httpx.AsyncClient(timeout=10) as client:
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = await client.post(f"{self._base_url}/api/v1/auth/ticket", headers=headers)
        if answer.status_code >= 400:
            raise OperatorError("ticket_refused", f"HTTP {answer.status_code}")
        return str(answer.json()["ticket"])

    async def _read_socket(self, socket: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            async for text in socket:
                message = json.loads(text)
                self.messages.append(message)
                self.latest[message["type"]] = message
                if message["type"] == "lease":
                    self.epoch = int(message["epoch"])
                elif message["type"] == "lease_lost":
                    self.epoch = None
                self._changed.set()
        self.latest["closed"] = {"type": "closed", "code": socket.close_code}
        self._changed.set()

    async def send(self, type_: str, **fields: Any) -> None:
        """A message on the exam socket."""
        if self._socket is None:
            raise OperatorError("not_connected")
        await self._socket.send(json.dumps({"type": type_, **fields}))

    async def wait_message(self, *types: str, timeout_s: float = 15.0) -> dict[str, Any]:
        """The newest socket message of one of the types; waits for the first. Raises OperatorError."""

        def found() -> dict[str, Any] | None:
            return next((self.latest[t] for t in types if t in self.latest), None)

        await self.wait(
            lambda: found() is not None or "closed" in self.latest, timeout_s=timeout_s, what=str(types)
        )
        message = found()
        if message is None:
            raise OperatorError("socket_closed", str(self.latest["closed"]["code"]))
        return message

    async def wait(self, condition: Any, *, timeout_s: float = 10.0, what: str = "") -> None:
        """Wait until a condition over this object holds. Raises OperatorError("timeout")."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise OperatorError("timeout", f"{what}; {self._situation()}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left_s, 0.1))

    def _situation(self) -> str:
        t = self.telemetry
        if t is None:
            return "no telemetry"
        return (
            f"{t.safety_state.name} {t.stop_cause.name} last refusal {t.last_refusal.name} of {t.refused_n}, "
            f"force {t.force_n:.1f} N, picture {self.frame_id_seen} of {t.frame_id}"
        )

    # --- peer connection ------------------------------------------------------------------------

    async def offer(self, *, timeout_s: float = 20.0) -> None:
        """Offer, answer, wait for open channels and first telemetry. Raises OperatorError."""
        if self.pc is not None:
            await self.pc.close()
        welcome = self.latest.get("welcome", {})
        servers = [RTCIceServer(**row) for row in welcome.get("ice_servers") or []]
        self.pc = pc = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, iceTransportPolicy=self._policy)
        )
        if self._video:
            pc.addTransceiver("video", direction="recvonly")
        pc.on("track", lambda track: self._start(self._watch(track)))
        self._open_channels(pc)
        await pc.setLocalDescription(await pc.createOffer())
        for stale in ("peer_answer", "peer_refused"):
            self.latest.pop(stale, None)
        await self.send("peer_offer", sdp=pc.localDescription.sdp)
        answer = await self.wait_message("peer_answer", "peer_refused", timeout_s=timeout_s)
        if answer["type"] == "peer_refused":
            raise OperatorError(str(answer.get("code")), str(answer.get("title", "")))
        await pc.setRemoteDescription(RTCSessionDescription(sdp=answer["sdp"], type="answer"))
        before = self.telemetry_n
        await self.wait(lambda: self.telemetry_n > before, timeout_s=timeout_s, what="first telemetry")
        self._start(self._commands() if self.role == channels.CONSOLE else self._presence())

    def _open_channels(self, pc: RTCPeerConnection) -> None:
        for wanted in channels.BY_ROLE[self.role]:
            channel = pc.createDataChannel(
                wanted.label,
                ordered=wanted.ordered,
                maxRetransmits=wanted.max_retransmits,
                negotiated=True,
                id=wanted.id,
            )
            self._channels[wanted.label] = channel
        self._channels[channels.TEL.label].on("message", self._on_telemetry)
        self._channels[channels.CTL.label].on("message", self._on_ctl)

    def _on_telemetry(self, data: str | bytes) -> None:
        try:
            found = unpack_telemetry(data if isinstance(data, bytes) else data.encode())
        except WireError as error:
            log.error("telemetry: %s", error)
            return
        if self.telemetry is not None and 0 < self.telemetry.tel_seq - found.tel_seq < 1000:
            return  # overtaken on the way
        if found.echo_t_client_us and found.last_seq and self.role == channels.CONSOLE:
            total_us = time.monotonic_ns() // 1000 - found.echo_t_client_us - found.echo_hold_us
            self.rtt_ms.append(total_us / 1000.0)
        self.telemetry = found
        self.telemetry_n += 1
        self._changed.set()

    def _on_ctl(self, data: str | bytes) -> None:
        message = json.loads(data)
        if message["type"] == "ack":
            future = self._acks.pop(message["id"], None)
            if future is not None and not future.done():
                future.set_result(message)
        else:
            self.events.append(message)
            self.latest[f"ctl:{message.get('kind', message['type'])}"] = message
        self._changed.set()

    async def _watch(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                self.frame = await track.recv()
                self.frames_n += 1
                self._note_seen(int(self.frame.pts or 0))
                self._changed.set()

    def _note_seen(self, rtp_timestamp: int) -> None:
        """Which picture this is: the nearest number to telemetry's with this RTP timestamp."""
        if self.telemetry is None or self.pc is None:
            return
        # aiortc hands out timestamps relative to the first packet; the numbers are in the originals.
        rtp_timestamp += next(
            (
                r._RTCRtpReceiver__timestamp_mapper._origin or 0  # type: ignore[attr-defined]
                for r in self.pc.getReceivers()
                if r.track is not None and r.track.kind == "video"
            ),
            0,
        )
        newest = self.telemetry.frame_id
        behind = (newest * FRAME_TICKS - rtp_timestamp) % U32
        if behind >= U32 // 2:
            behind -= U32
        self.frame_id_seen = max(0, newest - round(behind / FRAME_TICKS))

    # --- what a hand does -------------------------------------------------------------------------

    async def _commands(self) -> None:
        """50 Hz as long as a lease is held; newest wins, sent only when nothing waits."""
        next_s = time.monotonic()
        channel = self._channels[channels.CMD.label]
        while True:
            if self.epoch is not None and self.sending and channel.readyState == "open":
                if channel.bufferedAmount == 0:
                    channel.send(pack_command(self.command()))
                    self.commands_n += 1
                else:
                    self.superseded_n += 1
            next_s += COMMAND_PERIOD_MS / 1000.0
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))

    def command(self) -> Command:
        """The command for this moment, with the next sequence number."""
        self._seq += 1
        flags = CommandFlag.DEADMAN if self.deadman else CommandFlag(0)
        if self.force_setpoint_n is not None:
            flags |= CommandFlag.FORCE_CONTROL
        vx, vy, vz, wx, wy, wz = self.twist
        return Command(
            lease_epoch=self.epoch or 0,
            seq=self._seq,
            t_client_us=time.monotonic_ns() // 1000,
            flags=int(flags),
            tel_seq_seen=self.telemetry.tel_seq if self.telemetry is not None else 0,
            vx=vx, vy=vy, vz=vz, wx=wx, wy=wy, wz=wz,
            force_setpoint_n=self.force_setpoint_n or 0.0,
            frame_id_seen=self.frame_id_seen,
            mode=self.mode,
        )  # fmt: skip

    def send_raw(self, data: bytes) -> None:
        """Any bytes on the cmd channel: for tests of the gates."""
        self._channels[channels.CMD.label].send(data)

    async def _presence(self) -> None:
        while True:
            if self.present:
                self._estop(EstopFlag.PRESENCE)
            await asyncio.sleep(PRESENCE_PERIOD_MS / 1000.0)

    def _estop(self, flags: EstopFlag) -> None:
        channel = self._channels[channels.ESTOP.label]
        if channel.readyState == "open" and channel.bufferedAmount == 0:
            self._estop_seq += 1
            message = Estop(seq=self._estop_seq, t_client_us=time.monotonic_ns() // 1000, flags=int(flags))
            channel.send(pack_estop(message))

    async def stop(self, *, timeout_s: float = 5.0) -> float:
        """Press stop until the robot reports the latch. Returns the ms it took."""
        start_s = time.monotonic()
        while not self.has(TelemetryFlag.LATCHED):
            if time.monotonic() - start_s > timeout_s:
                raise OperatorError("timeout", "stop not reported")
            self._estop(EstopFlag.STOP)
            await asyncio.sleep(ESTOP_REPEAT_MS / 1000.0)
        return (time.monotonic() - start_s) * 1000.0

    async def ctl(self, type_: str, *, timeout_s: float = 10.0, **fields: Any) -> dict[str, Any]:
        """A control request; its ack. Raises OperatorError("timeout")."""
        self._next_id += 1
        number = self._next_id
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._acks[number] = future
        self._channels[channels.CTL.label].send(ctl.request(type_, number, **fields))
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise OperatorError("timeout", f"ack of {type_}") from None

    def has(self, flag: TelemetryFlag) -> bool:
        """A flag of the newest telemetry."""
        return self.telemetry is not None and self.telemetry.has(flag)

    def rtt_percentiles_ms(self) -> dict[str, float]:
        """p50 and p95 of command to telemetry, NaN before the first."""
        if len(self.rtt_ms) < 2:
            return {"p50": math.nan, "p95": math.nan}
        cuts = statistics.quantiles(self.rtt_ms, n=20)
        return {"p50": cuts[9], "p95": cuts[18]}

    async def inbound_codec(self) -> str | None:
        """MIME type of the received video by the connection's own parameters."""
        if self.pc is None:
            return None
        for transceiver in self.pc.getTransceivers():
            if transceiver.kind == "video":
                found = [c.mimeType for c in transceiver._codecs]
                return found[0] if found else None
        return None

    # --- end ------------------------------------------------------------------------------------

    def _start(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def hang_up_socket(self) -> None:
        """Close only the exam socket; the robot connection stays."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def close(self) -> None:
        """End everything; repeatable."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.pc is not None:
            await self.pc.close()
            self.pc = None
        await self.hang_up_socket()

"""One PeerConnection with a console or a bedside page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from devices.edge.link.rate import Adaptation
from devices.edge.link.video import BModeTrack, prefer_h264, route_feedback, takes_main
from devices.wire import channels
from devices.wire.tokens import PeerClaims

log = logging.getLogger("edge.peer")
CTL_BUFFER_MAX_BYTES = 65536  # a peer that reads nothing loses events, not the robot's memory


class PeerEvents(Protocol):
    """What the agent wants to know of a peer."""

    rate: Adaptation

    def on_command(self, peer: Peer, data: bytes) -> None: ...
    def on_estop(self, peer: Peer, data: bytes) -> None: ...
    def on_ctl(self, peer: Peer, text: str) -> None: ...
    def on_open(self, peer: Peer) -> None: ...
    def on_readable(self, peer: Peer) -> None: ...
    def on_gone(self, peer: Peer) -> None: ...
    def request_keyframe(self) -> None: ...


def only_sha256(sdp: str) -> str:
    """Without fingerprints of other hashes: the token binds SHA-256, aiortc would be content with any."""
    kept = [
        line
        for line in sdp.splitlines()
        if not line.lower().startswith("a=fingerprint:") or line.lower().startswith("a=fingerprint:sha-256 ")
    ]
    return "\r\n".join(kept) + "\r\n"


class Peer:
    """Channels by role, the B-mode track, and sending rules: newest telemetry or nothing."""

    def __init__(
        self,
        *,
        slot: int,
        claims: PeerClaims,
        token: str,
        ice_servers: tuple[dict[str, Any], ...],
        events: PeerEvents,
    ) -> None:
        self.slot, self.claims, self.token = slot, claims, token
        self.peer_id, self.role, self.exam_id = claims.peer, claims.role, claims.exam
        self._events = events
        known = ("urls", "username", "credential")
        servers = [RTCIceServer(**{k: row[k] for k in known if k in row}) for row in ice_servers]
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.track = BModeTrack(request_keyframe=events.request_keyframe)
        self._channels: dict[str, RTCDataChannel] = {}
        self._gone = False
        self.connected = False
        self.has_video = self._takes_main = False

    async def answer(self, sdp: str) -> str:
        """The answer to a complete offer (all candidates inside). Raises ValueError for a bad SDP."""
        self.has_video = "m=video" in sdp
        transceiver = None
        if self.has_video:
            transceiver = self.pc.addTransceiver(self.track, direction="sendonly")
            prefer_h264(transceiver)
            route_feedback(transceiver.sender, self._events.request_keyframe, self)
        self._open_channels()
        self.pc.on("connectionstatechange", self._on_state)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=only_sha256(sdp), type="offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self._takes_main = transceiver is not None and takes_main(transceiver)
        return self.pc.localDescription.sdp

    def on_estimate(self, kbps: float) -> None:
        """REMB of this peer."""
        self._events.rate.estimated(self.peer_id, kbps)

    def on_lost(self, share: float) -> None:
        """Receiver report of this peer."""
        self._events.rate.lost(self.peer_id, share)

    def _open_channels(self) -> None:
        handlers: dict[str, Callable[[str | bytes], None]] = {
            channels.CMD.label: lambda data: self._binary(self._events.on_command, data),
            channels.ESTOP.label: lambda data: self._binary(self._events.on_estop, data),
            channels.CTL.label: self._on_ctl,
            channels.TEL.label: lambda data: None,
        }
        for wanted in channels.BY_ROLE[self.role]:
            channel = self.pc.createDataChannel(
                wanted.label,
                ordered=wanted.ordered,
                maxRetransmits=wanted.max_retransmits,
                negotiated=True,
                id=wanted.id,
            )
            channel.on("message", handlers[wanted.label])
            self._channels[wanted.label] = channel
        # A connection is connected before its channels are open: what is said in between would be lost.
        self._channels[channels.CTL.label].on("open", lambda: self._events.on_readable(self))

    def _binary(self, handler: Callable[[Peer, bytes], None], data: str | bytes) -> None:
        if isinstance(data, bytes) and len(data) <= 256:
            handler(self, data)
        else:
            handler(self, b"")  # counted by the gates as a wrong size

    def _on_ctl(self, data: str | bytes) -> None:
        self._events.on_ctl(self, data if isinstance(data, str) else data.decode("utf-8", "replace"))

    async def _on_state(self) -> None:
        state = self.pc.connectionState
        log.info("peer %s (%s): %s", self.peer_id, self.role, state)
        if state == "connected" and not self.connected:
            self.connected = True
            if self.has_video:
                self._events.rate.join(self.peer_id, role=self.role, main=self._takes_main)
            self._events.on_open(self)
        elif state in ("failed", "closed"):
            self._tell_gone()

    def send_telemetry(self, data: bytes) -> None:
        """Send only when nothing waits: what is old is superseded, not queued."""
        channel = self._channels[channels.TEL.label]
        if channel.readyState == "open" and channel.bufferedAmount == 0:
            channel.send(data)

    def send_ctl(self, message: dict[str, Any]) -> None:
        """Send JSON on the reliable channel, or drop it when the peer does not read."""
        channel = self._channels[channels.CTL.label]
        if channel.readyState == "open" and channel.bufferedAmount < CTL_BUFFER_MAX_BYTES:
            channel.send(json.dumps(message, separators=(",", ":")))

    async def close(self) -> None:
        """End the connection; repeatable."""
        self.track.stop()
        await self.pc.close()
        self._tell_gone()

    def _tell_gone(self) -> None:
        if not self._gone:
            self._gone = True
            self._events.rate.leave(self.peer_id)
            self._events.on_gone(self)

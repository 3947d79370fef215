"""Pre-encoded H.264 into aiortc: one encoder, any number of peers, keyframe requests by our own path."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

import av
from aiortc import RTCRtpSender, RTCRtpTransceiver, rtcrtpsender
from aiortc.codecs import CODECS, HEADER_EXTENSIONS
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from aiortc.rtp import (
    RTCP_PSFB_APP,
    HeaderExtensions,
    HeaderExtensionsMap,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    pack_header_extensions,
    unpack_header_extensions,
    unpack_remb_fci,
)

from devices.edge.link.imaging_port import AccessUnit

TIME_BASE = Fraction(1, 90_000)
QUEUE_UNITS = 4  # more waiting than this is delay: drop and begin again at a keyframe

# aiortc starts RTP timestamps at a random number. Ours start at 0, so that a receiver reads the
# picture's number from the timestamp (frame_id * 3000 mod 2^32) and can say which picture it saw.
_zero_origin: contextvars.ContextVar[bool] = contextvars.ContextVar("zero_origin", default=False)
_random32: Callable[[], int] = rtcrtpsender.random32


def _origin_or_random() -> int:
    return 0 if _zero_origin.get() else _random32()


rtcrtpsender.random32 = _origin_or_random


# "Show it as soon as it is decoded": without this extension Chromium waits for its own idea of a smooth picture.
PLAYOUT_DELAY_URI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
PLAYOUT_DELAY = bytes(3)  # 12 bits lowest, 12 bits highest delay, both zero
HEADER_EXTENSIONS["video"].append(RTCRtpHeaderExtensionParameters(id=6, uri=PLAYOUT_DELAY_URI))

# aiortc knows baseline only. Main codes the same picture in about a tenth fewer bits, and Chromium decodes it.
MAIN = "4d001f"
MAIN_PAYLOAD_TYPE = 125  # aiortc's own begin at 97; used only in offers, an answer takes the offer's
CODECS["video"] += [
    RTCRtpCodecParameters(
        mimeType="video/H264",
        clockRate=90_000,
        payloadType=MAIN_PAYLOAD_TYPE,
        rtcpFeedback=[
            RTCRtcpFeedback(type="nack"),
            RTCRtcpFeedback(type="nack", parameter="pli"),
            RTCRtcpFeedback(type="goog-remb"),
        ],
        parameters={"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": MAIN},
    ),
    RTCRtpCodecParameters(
        mimeType="video/rtx",
        clockRate=90_000,
        payloadType=MAIN_PAYLOAD_TYPE + 1,
        parameters={"apt": MAIN_PAYLOAD_TYPE},
    ),
]


class NoDelay(HeaderExtensionsMap):
    """aiortc's header extensions and, on every packet of a peer that knows it, no playout delay."""

    def __init__(self) -> None:
        super().__init__()
        self._id = 0

    def configure(self, parameters: RTCRtpParameters) -> None:
        super().configure(parameters)
        for extension in parameters.headerExtensions:
            if extension.uri == PLAYOUT_DELAY_URI:
                self._id = extension.id

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        profile, packed = super().set(values)
        if not self._id:
            return profile, packed
        return pack_header_extensions([*unpack_header_extensions(profile, packed), (self._id, PLAYOUT_DELAY)])


class BModeTrack(MediaStreamTrack):
    """The B-mode picture for one peer."""

    kind = "video"

    def __init__(self, *, request_keyframe: Callable[[], None]) -> None:
        super().__init__()
        self._queue: asyncio.Queue[AccessUnit | None] = asyncio.Queue()
        self._request_keyframe = request_keyframe
        self._need_keyframe = True

    def offer(self, unit: AccessUnit) -> None:
        """A new access unit; dropped when this peer is behind, until the next keyframe."""
        if self._queue.qsize() >= QUEUE_UNITS:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._need_keyframe = True
        if self._need_keyframe and not unit.keyframe:
            self._request_keyframe()
            return
        self._need_keyframe = False
        self._queue.put_nowait(unit)

    async def recv(self) -> Any:
        """The next access unit as an ``av.Packet``; aiortc packs it without encoding."""
        unit = await self._queue.get()
        if unit is None or self.readyState != "live":
            raise MediaStreamError
        packet = av.Packet(unit.data)
        packet.pts = unit.pts_90k
        packet.time_base = TIME_BASE
        return packet

    def stop(self) -> None:
        """End; a waiting recv gives up."""
        super().stop()
        self._queue.put_nowait(None)


def prefer_h264(transceiver: RTCRtpTransceiver) -> None:
    """H.264 only, before setRemoteDescription: aiortc would silently choose VP8 otherwise."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [c for c in codecs if c.mimeType.lower() == "video/h264"]
    # Main where the receiver offers it; else constrained baseline, which every browser decodes.
    order = (MAIN, "42e01f")
    wanted.sort(key=lambda c: [c.parameters.get("profile-level-id") != profile for profile in order])
    transceiver.setCodecPreferences(wanted + [c for c in codecs if c.mimeType.lower() == "video/rtx"])


def takes_main(transceiver: RTCRtpTransceiver) -> bool:
    """Whether main profile was agreed; call after the answer was made."""
    agreed = transceiver._codecs
    return bool(agreed) and agreed[0].parameters.get("profile-level-id") == MAIN


class Reports(Protocol):
    """What a receiver says about the stream: its estimate of the link (kbit/s) and the share it lost."""

    def on_estimate(self, kbps: float) -> None: ...
    def on_lost(self, share: float) -> None: ...


def route_feedback(sender: RTCRtpSender, request_keyframe: Callable[[], None], reports: Reports) -> None:
    """PLI and FIR reach our encoder, REMB and receiver reports our rate control; RTP timestamps begin at zero.

    aiortc's own handlers only steer its own encoder, which never runs for packets.
    """
    original, original_rtcp = sender._run_rtp, sender._handle_rtcp_packet

    async def handle_rtcp(packet: Any) -> None:
        await original_rtcp(packet)
        _tell(sender, packet, reports)

    async def run_rtp(codec: Any) -> None:
        _zero_origin.set(True)  # only in this task
        await original(codec)

    sender._RTCRtpSender__rtp_header_extensions_map = NoDelay()  # type: ignore[attr-defined]
    sender._handle_rtcp_packet = handle_rtcp  # type: ignore[method-assign]
    sender._send_keyframe = request_keyframe  # type: ignore[method-assign]
    sender._run_rtp = run_rtp  # type: ignore[method-assign]


def _tell(sender: RTCRtpSender, packet: Any, reports: Reports) -> None:
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == sender._ssrc:
                reports.on_lost(report.fraction_lost / 256.0)
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        with contextlib.suppress(ValueError):  # an application message that is no REMB
            bits_s, ssrcs = unpack_remb_fci(packet.fci)
            if sender._ssrc in ssrcs:
                reports.on_estimate(bits_s / 1000.0)

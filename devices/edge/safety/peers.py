"""Who is connected, checked by the safety process itself; pictures seen; the bedside's presence."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from devices.edge.safety.lease import Decode
from devices.wire.channels import BEDSIDE
from devices.wire.limits import PRESENCE_MAX_MS
from devices.wire.messages import PeerBit
from devices.wire.tokens import LeaseClaims, PeerClaims, peer_claims

FRAMES_KEPT = 90  # three seconds of pictures
LOOP_DELAY_WEIGHT = 0.1  # of each command in the running mean; design value


class Peers:
    """Slots the link numbers its connections with, each with verified claims."""

    def __init__(self, *, robot_id: str, decode: Decode) -> None:
        self._robot_id = robot_id
        self._decode = decode
        self._slots: dict[int, PeerClaims] = {}
        self._presence_ms: float | None = None

    def up(self, slot: int, *, token: str, fingerprint: str, now_s: float) -> PeerClaims:
        """A connection of the link. Raises TokenError."""
        claims = peer_claims(
            self._decode(token),
            robot_id=self._robot_id,
            sdp=f"a=fingerprint:{fingerprint}\n",
            now_s=now_s,
        )
        self._slots[slot] = claims
        return claims

    def down(self, slot: int) -> None:
        """Gone, or never there."""
        self._slots.pop(slot, None)

    def get(self, slot: int) -> PeerClaims | None:
        """Verified claims of a slot."""
        return self._slots.get(slot)

    def holds(self, slot: int, lease: LeaseClaims | None) -> bool:
        """Whether this connection is the one the lease is bound to."""
        peer = self._slots.get(slot)
        return peer is not None and lease is not None and (peer.peer, peer.fp) == (lease.peer, lease.fp)

    def presence(self, now_ms: float) -> None:
        """The bedside page is looked at."""
        self._presence_ms = now_ms

    def bedside_present(self, now_ms: float) -> bool:
        """Heard from the bedside within the limit."""
        return self._presence_ms is not None and now_ms - self._presence_ms <= PRESENCE_MAX_MS

    @property
    def bits(self) -> int:
        """Telemetry.peers."""
        roles = {peer.role for peer in self._slots.values()}
        return sum(PeerBit.BEDSIDE if role == BEDSIDE else PeerBit.CONSOLE for role in roles)


@dataclass(slots=True)
class LoopDelay:
    """Command-to-picture delay: the age, at the edge, of the picture a command answers to."""

    mean_ms: float | None = None

    def add(self, lag_ms: float) -> None:
        """One command's picture age."""
        kept = lag_ms if self.mean_ms is None else self.mean_ms
        self.mean_ms = kept + LOOP_DELAY_WEIGHT * (lag_ms - kept)


class Frames:
    """When each recent picture was taken, in ms of the monotonic clock."""

    def __init__(self) -> None:
        self._taken_ms: OrderedDict[int, float] = OrderedDict()
        self.newest = 0

    def add(self, frame_id: int, *, taken_ms: float) -> None:
        """A picture went out."""
        self._taken_ms[frame_id] = taken_ms
        self.newest = frame_id
        while len(self._taken_ms) > FRAMES_KEPT:
            self._taken_ms.popitem(last=False)

    def lag_ms(self, frame_id: int, *, now_ms: float) -> float | None:
        """Age of a picture the operator says was seen; None when it is not a recent one of ours."""
        taken_ms = self._taken_ms.get(frame_id)
        return None if taken_ms is None else now_ms - taken_ms

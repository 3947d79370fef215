"""The four negotiated data channels (no DCEP, so no round trip before the first command)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """One negotiated channel. ``max_retransmits`` None means reliable.

    ``maxPacketLifeTime`` is never used: aiortc treats a lifetime of 0 as reliable.
    """

    id: int
    label: str
    ordered: bool
    max_retransmits: int | None


CMD = Channel(id=1, label="cmd", ordered=False, max_retransmits=0)
TEL = Channel(id=2, label="tel", ordered=False, max_retransmits=0)
CTL = Channel(id=3, label="ctl", ordered=True, max_retransmits=None)
ESTOP = Channel(id=4, label="estop", ordered=False, max_retransmits=0)

CONSOLE = "console"
BEDSIDE = "bedside"

BY_ROLE: dict[str, tuple[Channel, ...]] = {
    CONSOLE: (CMD, TEL, CTL, ESTOP),
    # The bedside may stop, lift, limit and clear; it never steers, so it has no channel to steer with.
    BEDSIDE: (TEL, CTL, ESTOP),
}

CTL_MAX_BYTES = 8192

"""When a message may go out. Pure: moments come in, decisions go out."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hospital.common.clock import SHANGHAI

QUIET_FROM, QUIET_TO = time(21, 30), time(7, 30)  # design values, on Shanghai's clock
# Channels that ring or light up beside a bed.
RINGING = frozenset({"sms", "voice"})
# Never held back by the night: somebody waits for a code, and is told at once that their record was opened.
AT_ONCE = frozenset({"login_code", "break_glass"})
SOON = timedelta(
    hours=12
)  # issue of the booking desk: a cancellation within 12 h of the exam is never held back
BACKOFF_S = (5, 30, 60, 300, 900)  # design values; the last one repeats
WORRY_AFTER = 5  # design value, tries: six minutes and a half in which nobody took it
GIVE_UP_AFTER = timedelta(days=1)  # design value: news of yesterday helps nobody


def quiet_until(at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` lies in, or None."""
    local = at.astimezone(SHANGHAI)
    if local.time() >= QUIET_FROM:
        return datetime.combine(local.date() + timedelta(days=1), QUIET_TO, tzinfo=SHANGHAI)
    if local.time() < QUIET_TO:
        return datetime.combine(local.date(), QUIET_TO, tzinfo=SHANGHAI)
    return None


def held_until(*, channel: str, template: str, at: datetime, urgent: bool) -> datetime | None:
    """Until when a message waits for the morning; None when it may go now."""
    if channel not in RINGING or template in AT_ONCE or urgent:
        return None
    return quiet_until(at)


def next_try(tries: int) -> timedelta:
    """How long to wait after so many tries."""
    return timedelta(seconds=BACKOFF_S[min(tries, len(BACKOFF_S)) - 1])

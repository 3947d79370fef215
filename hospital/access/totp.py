"""TOTP, RFC 6238: 30 s steps, SHA-1, 6 digits, one step of drift either way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

STEP_S, DIGITS, WINDOW = 30, 6, 1


def new_secret() -> str:
    """160 bits (RFC 4226 section 4), base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int) -> str:
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 15
    value = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{value % 10**DIGITS:0{DIGITS}d}"


def next_step(*, now_s: float, after: int) -> int:
    """The step whose code lasts longest and is later than `after`; may lie ahead of the window."""
    return max(after + 1, int(now_s) // STEP_S)


def matching_step(secret: str, given: str, *, now_s: float, after: int) -> int | None:
    """The step whose code was given, later than `after` (a code counts once) and within the window; else None."""
    current = int(now_s) // STEP_S
    for step in range(current - WINDOW, current + WINDOW + 1):
        if step > after and hmac.compare_digest(code(secret, step).encode(), given.encode()):
            return step
    return None

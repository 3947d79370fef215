"""Claims of the tokens an edge accepts, and their pure checks on already decoded claims.

Signatures (JWT, EdDSA) are checked where the keys are: in the edge and in the server. A claim set
that does not fit raises TokenError with a stable code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.wire.channels import BEDSIDE, CONSOLE
from devices.wire.limits import LEASE_IAT_MAX_AGE_MS, LEASE_TTL_MAX_MS, PEER_TOKEN_MAX_S

ALGORITHM = "EdDSA"
_FINGERPRINT = re.compile(r"^a=fingerprint:(sha-256)\s+([0-9A-F:]{95})\s*$", re.IGNORECASE | re.MULTILINE)


class TokenError(ValueError):
    """A token that is refused: ``bad_token``, ``wrong_robot``, ``expired``, ``stale``, ``wrong_fingerprint``, ``old_epoch``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PeerClaims:
    """Who a PeerConnection belongs to, bound to its DTLS fingerprint."""

    exam: str
    role: str
    sub: str
    peer: str
    fp: str
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class LeaseClaims:
    """Who may steer. ``epoch`` grows for ever per robot, ``serial`` grows within an epoch."""

    exam: str
    sub: str
    epoch: int
    serial: int
    live: bool
    ttl_ms: int
    fp: str
    peer: str
    iat_ms: int


def audience(robot_id: str) -> str:
    """The ``aud`` claim of everything meant for one robot."""
    return f"robot:{robot_id}"


def fingerprint_normal(value: str) -> str:
    """``sha-256 AA:BB:..`` in one spelling, for comparison."""
    return " ".join(value.split()).upper().replace("SHA-256", "sha-256", 1)


def fingerprints_of_sdp(sdp: str) -> frozenset[str]:
    """Every SHA-256 DTLS fingerprint in an SDP (RFC 8122 section 5)."""
    return frozenset(fingerprint_normal(f"{m[1]} {m[2]}") for m in _FINGERPRINT.finditer(sdp))


def peer_claims(claims: Mapping[str, Any], *, robot_id: str, sdp: str, now_s: float) -> PeerClaims:
    """Check a peer token's claims against the offer it came with. Raises TokenError."""
    _common(claims, typ="peer", robot_id=robot_id)
    found = PeerClaims(
        exam=_text(claims, "exam"),
        role=_text(claims, "role"),
        sub=_text(claims, "sub"),
        peer=_text(claims, "peer"),
        fp=fingerprint_normal(_text(claims, "fp")),
        iat=_integer(claims, "iat"),
        exp=_integer(claims, "exp"),
    )
    if found.role not in (CONSOLE, BEDSIDE):
        raise TokenError("bad_token", "role")
    if now_s >= found.exp or found.exp - found.iat > PEER_TOKEN_MAX_S:
        raise TokenError("expired")
    # Every media section must carry this one fingerprint, or another certificate could ride along.
    if fingerprints_of_sdp(sdp) != {found.fp}:
        raise TokenError("wrong_fingerprint")
    return found


def lease_claims(claims: Mapping[str, Any], *, robot_id: str, server_now_ms: float | None) -> LeaseClaims:
    """Check a lease token's claims. ``server_now_ms`` None: no clock estimate yet, age not checked.

    Raises TokenError. Whether the epoch is the newest is the lease's own question.
    """
    _common(claims, typ="lease", robot_id=robot_id)
    live = claims.get("live")
    if not isinstance(live, bool):
        raise TokenError("bad_token", "live")
    found = LeaseClaims(
        exam=_text(claims, "exam"),
        sub=_text(claims, "sub"),
        epoch=_integer(claims, "epoch", high=2**32 - 1),
        serial=_integer(claims, "serial"),
        live=live,
        ttl_ms=min(_integer(claims, "ttl_ms"), LEASE_TTL_MAX_MS),
        fp=fingerprint_normal(_text(claims, "fp")),
        peer=_text(claims, "peer"),
        iat_ms=_integer(claims, "iat_ms"),
    )
    if server_now_ms is not None and server_now_ms - found.iat_ms > LEASE_IAT_MAX_AGE_MS:
        raise TokenError("stale", f"{server_now_ms - found.iat_ms:.0f} ms old")
    return found


def _common(claims: Mapping[str, Any], *, typ: str, robot_id: str) -> None:
    if claims.get("typ") != typ:
        raise TokenError("bad_token", "typ")
    if claims.get("aud") != audience(robot_id):
        raise TokenError("wrong_robot")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise TokenError("bad_token", name)
    return value


def _integer(claims: Mapping[str, Any], name: str, *, high: int = 2**63 - 1) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
        raise TokenError("bad_token", name)
    return value

"""Claims of peer and lease tokens, judged without any signature."""

from __future__ import annotations

from typing import Any

import pytest

from devices.wire import tokens
from devices.wire.tokens import TokenError

FP = "sha-256 " + ":".join(["AB"] * 32)
SDP = f"v=0\r\na=fingerprint:{FP}\r\nm=video 9\r\n"
PEER: dict[str, Any] = {
    "typ": "peer", "aud": "robot:r1", "exam": "e", "role": "console", "sub": "u", "peer": "p",
    "fp": FP, "iat": 1000, "exp": 5000,
}  # fmt: skip
LEASE: dict[str, Any] = {
    "typ": "lease", "aud": "robot:r1", "exam": "e", "sub": "u", "epoch": 4, "serial": 1, "live": True,
    "ttl_ms": 5000, "fp": FP, "peer": "p", "iat_ms": 10_000,
}  # fmt: skip


def peer(changes: dict[str, Any], *, sdp: str = SDP) -> tokens.PeerClaims:
    return tokens.peer_claims(PEER | changes, robot_id="r1", sdp=sdp, now_s=2000.0)


def lease(changes: dict[str, Any], now_ms: float | None = 11_000.0) -> tokens.LeaseClaims:
    return tokens.lease_claims(LEASE | changes, robot_id="r1", server_now_ms=now_ms)


def test_a_good_peer_token_is_read() -> None:
    assert peer({}).role == "console"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"typ": "lease"}, "bad_token"),
        ({"aud": "robot:r2"}, "wrong_robot"),
        ({"role": "admin"}, "bad_token"),
        ({"sub": 5}, "bad_token"),
        ({"exp": 2000}, "expired"),
        ({"exp": 1000 + 13 * 3600}, "expired"),
        ({"fp": FP.replace("AB", "CD")}, "wrong_fingerprint"),
    ],
)
def test_a_peer_token_that_does_not_fit_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(TokenError) as refused:
        peer(changes)
    assert refused.value.code == code


def test_a_second_certificate_in_the_offer_is_refused() -> None:
    with pytest.raises(TokenError, match="wrong_fingerprint"):
        peer({}, sdp=SDP + f"a=fingerprint:{FP.replace('AB', 'CD')}\r\n")


def test_an_offer_without_a_fingerprint_is_refused() -> None:
    with pytest.raises(TokenError, match="wrong_fingerprint"):
        peer({}, sdp="v=0\r\n")


def test_fingerprints_compare_whatever_their_spelling() -> None:
    assert peer({}, sdp=SDP.replace("sha-256", "SHA-256").replace("AB:", "ab:")).fp == FP


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"live": 1}, "bad_token"),
        ({"epoch": -1}, "bad_token"),
        ({"epoch": 2**32}, "bad_token"),
        ({"epoch": True}, "bad_token"),
        ({"serial": "1"}, "bad_token"),
        ({"iat_ms": 7_999}, "stale"),
    ],
)
def test_a_lease_token_that_does_not_fit_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(TokenError) as refused:
        lease(changes)
    assert refused.value.code == code


def test_a_lease_never_lives_longer_than_the_design_allows() -> None:
    assert lease({"ttl_ms": 60_000}).ttl_ms == 5_000
    assert lease({"ttl_ms": 1_000}).ttl_ms == 1_000

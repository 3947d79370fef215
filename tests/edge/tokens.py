"""Tokens as the hospital signs them, with a key made for the test."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROBOT_ID = "0198a000-0000-7000-8000-000000000001"
EXAM_ID = "0198a000-0000-7000-8000-0000000000e1"
FP = "sha-256 " + ":".join(["AB"] * 32)


class Hospital:
    """A signing key and the two kinds of tokens."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.kid = "k1"

    @property
    def rows(self) -> list[dict[str, str]]:
        """As in ``server_keys``."""
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return [{"kid": self.kid, "pem": pem}]

    def sign(self, claims: dict[str, Any]) -> str:
        """Any claims."""
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": self.kid})

    def peer(self, *, role: str, peer: str, fp: str = FP, **changes: Any) -> str:
        """A peer token."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "typ": "peer",
            "aud": f"robot:{ROBOT_ID}",
            "exam": EXAM_ID,
            "role": role,
            "sub": f"user-{peer}",
        }
        return self.sign(claims | {"peer": peer, "fp": fp, "iat": now, "exp": now + 3600} | changes)

    def lease(self, *, epoch: int, serial: int, peer: str, fp: str = FP, **changes: Any) -> str:
        """A lease token."""
        claims: dict[str, Any] = {
            "typ": "lease",
            "aud": f"robot:{ROBOT_ID}",
            "exam": EXAM_ID,
            "sub": f"user-{peer}",
            "peer": peer,
        }
        claims |= {"fp": fp, "epoch": epoch, "serial": serial, "live": True, "ttl_ms": 5000}
        return self.sign(claims | {"iat_ms": time.time_ns() // 1_000_000} | changes)

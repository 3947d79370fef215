"""What the server signs for the edge (EdDSA) and how it checks the robot's own short tokens.

Leases and peer tokens bind the browser's DTLS fingerprint, so that a changed SDP on the way is refused (HAZ-17).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import time
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from hospital.common.errors import Invalid, Unauthenticated

LEASE_TTL_MS = 5000  # design section 5
PEER_TOKEN_S = 12 * 3600
ROBOT_TOKEN_MAX_S = 60


@functools.lru_cache(maxsize=1)
def signing_key() -> Ed25519PrivateKey:
    """SIGNING_KEY (base64 of 32 bytes); the embedded default derives one from its own SECRET_KEY."""
    if settings.SIGNING_KEY:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.SIGNING_KEY))
    seed = HKDF(hashes.SHA256(), 32, salt=None, info=b"robot tokens").derive(settings.SECRET_KEY.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@functools.lru_cache(maxsize=1)
def server_keys() -> list[dict[str, str]]:
    """Public keys the edge may trust: [{kid, pem}]."""
    pem = _pem(signing_key().public_key())
    return [{"kid": hashlib.sha256(pem.encode()).hexdigest()[:16], "pem": pem}]


def _sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, signing_key(), algorithm="EdDSA", headers={"kid": server_keys()[0]["kid"]})


def peer_token(
    *, robot_id: UUID, exam_id: UUID, role: str, user_id: UUID, peer_id: str, fingerprint: str
) -> str:
    issued = int(time.time())
    return _sign(
        {"typ": "peer", "aud": f"robot:{robot_id}", "exam": str(exam_id), "role": role, "sub": str(user_id)}
        | {"peer": peer_id, "fp": fingerprint, "iat": issued, "exp": issued + PEER_TOKEN_S}
    )


def lease_token(
    *,
    robot_id: UUID,
    exam_id: UUID,
    holder_id: UUID,
    peer_id: str,
    fingerprint: str,
    epoch: int,
    serial: int,
    live: bool,
) -> str:
    return _sign(
        {
            "typ": "lease",
            "aud": f"robot:{robot_id}",
            "exam": str(exam_id),
            "sub": str(holder_id),
            "peer": peer_id,
        }
        | {"fp": fingerprint, "epoch": epoch, "serial": serial, "live": live, "ttl_ms": LEASE_TTL_MS}
        | {"iat_ms": time.time_ns() // 1_000_000}
    )


def public_key_checked(pem: str) -> str:
    """The PEM as this program writes it; Invalid `public_key_invalid` for anything but Ed25519."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except Exception as error:
        raise Invalid("public_key_invalid") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("public_key_invalid")
    return _pem(key)


def robot_id_claimed(token: str) -> UUID:
    """The issuer before any check: whose key to verify with. Unauthenticated when it can't be read."""
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False})["iss"])
        return UUID(issuer.removeprefix("robot:"))
    except Exception as error:
        raise Unauthenticated("robot_not_authenticated") from error


def robot_claims(token: str, public_key_pem: str) -> dict[str, Any]:
    """Verified claims of a robot's token: signature, audience, at most 60 s of life."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            serialization.load_pem_public_key(public_key_pem.encode()),  # type: ignore[arg-type]
            algorithms=["EdDSA"],
            audience="hospital",
            leeway=5,
            options={"require": ["exp", "iat", "jti", "iss"]},
        )
    except Exception as error:
        raise Unauthenticated("robot_not_authenticated") from error
    try:
        lives_s = float(claims["exp"]) - float(claims["iat"])
    except (TypeError, ValueError):
        raise Unauthenticated("robot_not_authenticated") from None
    if not 0 < lives_s <= ROBOT_TOKEN_MAX_S or len(str(claims["jti"])) > 64:
        raise Unauthenticated("robot_not_authenticated")
    return claims

"""The installation's own signatures (Ed25519, RFC 8032): one key a purpose, all derived from SIGNING_KEY.

The embedded default has no SIGNING_KEY of its own and derives from SECRET_KEY.
"""

from __future__ import annotations

import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


@functools.lru_cache(maxsize=8)
def _derived(secret: str, purpose: str) -> Ed25519PrivateKey:
    seed = HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def signing_key(purpose: str) -> Ed25519PrivateKey:
    return _derived(settings.SIGNING_KEY or settings.SECRET_KEY, f"signing:{purpose}")


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that others need to check this key's signatures."""
    return key.public_key().public_bytes(*_RAW)


def key_id(public: bytes) -> str:
    """16 hex characters that name a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def signed_by(public: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True

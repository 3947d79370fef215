"""A security key in software: what a browser would hand on, byte by byte (WebAuthn level 3, sections 6 and 7)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

ORIGIN, RP_ID = "http://localhost:8000", "localhost"
UP, UV, AT = 0x01, 0x04, 0x40


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


@dataclass
class Authenticator:
    """One ES256 credential. `count` is what its counter says next; an authenticator that never counts stays at 0."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    count: int = 1
    counts: bool = True
    flags: int = UP
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        count = self.count if self.counts else 0
        self.count += 1
        rp = hashlib.sha256(self.rp_id.encode()).digest()
        return rp + bytes([flags]) + count.to_bytes(4, "big") + more

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to registration options, attestation "none"."""
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        more = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | AT, more)}
        client = _client_data("webauthn.create", options["challenge"], self.origin)
        return self._credential(clientDataJSON=client, attestationObject=cbor2.dumps(attested))

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to authentication options."""
        client = _client_data("webauthn.get", options["challenge"], self.origin)
        data = self._data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _credential(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.id)
        body = {key: bytes_to_base64url(value) for key, value in response.items()}
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": body,
            "clientExtensionResults": {},
        }

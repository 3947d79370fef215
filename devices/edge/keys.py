"""The hospital's public keys on the robot, and the check of what they signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from devices.wire.tokens import ALGORITHM, TokenError

KEYS_FILE = "server_keys.json"


class ServerKeys:
    """Keys by id from ``server_keys.json``; read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp_ns = -1
        self._keys: dict[str, Ed25519PublicKey] = {}

    def claims(self, token: str) -> Mapping[str, Any]:
        """Claims of a token with a good signature. Raises TokenError("bad_token").

        Audience, age and expiry are judged by devices.wire.tokens, with the right clock.
        """
        self._refresh()
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
            claims: Mapping[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=options)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise TokenError("bad_token", type(error).__name__) from None
        return claims

    def _refresh(self) -> None:
        try:
            stamp_ns = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if stamp_ns == self._stamp_ns:
            return
        rows = json.loads(self._path.read_text())
        self._keys = {row["kid"]: key for row in rows if (key := _ed25519(row["pem"])) is not None}
        self._stamp_ns = stamp_ns


def _ed25519(pem: str) -> Ed25519PublicKey | None:
    key = load_pem_public_key(pem.encode())
    return key if isinstance(key, Ed25519PublicKey) else None

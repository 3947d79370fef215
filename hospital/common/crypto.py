"""Encryption of personal fields and keyed indexes for what must be searched.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the first byte names the format, the second the key
version, so that rotation can read old rows. Indexes are HMAC-SHA-256 with one derived key per kind: equal values
are visible as equal inside one kind, nothing else is (the leak is accepted: exact search needs it).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

FORMAT, KEY_VERSION, NONCE_BYTES = 1, 1, 12


@functools.lru_cache(maxsize=64)
def _derived(purpose: str, master_b64: str) -> bytes:
    master = base64.b64decode(master_b64)
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(master)


def _key(purpose: str) -> bytes:
    return _derived(purpose, settings.FIELD_KEY)


def encrypt(data: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return bytes([FORMAT, KEY_VERSION]) + nonce + AESGCM(_key("field")).encrypt(nonce, data, None)


def decrypt(blob: bytes) -> bytes:
    """ValueError on a format or key version this program does not know; InvalidTag on a changed byte."""
    if blob[:2] != bytes([FORMAT, KEY_VERSION]):
        raise ValueError("unknown cipher format or key version")
    return AESGCM(_key("field")).decrypt(blob[2 : 2 + NONCE_BYTES], blob[2 + NONCE_BYTES :], None)


def blind_index(kind: str, value: str) -> bytes:
    """32 bytes; `kind` separates the keys, so a phone's index never equals a document's."""
    return hmac.digest(_key(f"index:{kind}"), value.encode(), hashlib.sha256)


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """A str in Python, AES-GCM bytes in the database. Can't be searched: keep a `blind_index` beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def _check_str_default_value(self) -> list[Any]:
        return []  # a text field in Python, so a str default is right

    def get_prep_value(self, value: str | None) -> bytes | None:
        return None if value is None else encrypt(value.encode())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        raw = value if prepared else self.get_prep_value(value)
        return super().get_db_prep_value(raw, connection, True)

    def from_db_value(self, value: Any, expression: object, connection: object) -> str | None:
        return None if value is None else decrypt(bytes(value)).decode()

    def to_python(self, value: Any) -> Any:
        return value

    def get_default(self) -> Any:
        if not self.has_default():
            return None if self.null else ""
        return self.default() if callable(self.default) else self.default

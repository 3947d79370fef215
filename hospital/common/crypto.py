"""Encryption of personal fields and objects, and keyed indexes for what must be searched.

A value is `format, suite, key number (2 bytes), nonce (12 bytes), ciphertext, tag`: AES-256-GCM (NIST SP 800-38D) or
SM4-GCM (RFC 8998) by FIELD_CIPHER, a random 96-bit nonce, and as associated data the header and what the value is
bound to: the table and column of a field, the digest of an object. So a value does not decrypt in another column.
It does in another row of its column: keys are bound where the ORM knows them, and it does not know rows in UPDATE.
Format 1 (AES-256-GCM, key 1, bound to nothing) is read for ever and written no more.

Indexes are HMAC-SHA-256 with one key per kind. What they give away to a reader of the database, and to nobody else:
which rows of one kind are equal, and how often each value occurs. So who knows the spread of surnames or syllables
can guess frequent ones, and four digits of a phone have only 10 000 values: a tail's index tells rows apart, no more.
Index keys stay derived from FIELD_KEY and are not rotated: a search must find old rows and new ones at once.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

from .keyring import key_numbered, ring

OLD_FORMAT, FORMAT = bytes([1, 1]), 2
NONCE_BYTES, TAG_BYTES, HEADER_BYTES = 12, 16, 4
SUITES = {"aes-256-gcm": 1, "sm4-gcm": 2}
_KEY_BYTES = {1: 32, 2: 16}
_PURPOSE = {1: "field", 2: "field sm4"}


@functools.lru_cache(maxsize=64)
def _derived(purpose: str, master: bytes, length: int = 32) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=purpose.encode()).derive(master)


def _seal(suite: int, key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    if suite == SUITES["aes-256-gcm"]:
        return AESGCM(key).encrypt(nonce, data, aad)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def _open(suite: int, key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    if suite == SUITES["aes-256-gcm"]:
        return AESGCM(key).decrypt(nonce, data, aad)
    if len(data) < TAG_BYTES:
        raise InvalidTag
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()


def current_header() -> bytes:
    """The first four bytes of every value written now; others are what a rotation looks for."""
    return bytes([FORMAT, SUITES[settings.FIELD_CIPHER]]) + ring().current.to_bytes(2, "big")


def encrypt(data: bytes, *, bound_to: str) -> bytes:
    header, nonce = current_header(), os.urandom(NONCE_BYTES)
    suite, key = header[1], key_numbered(int.from_bytes(header[2:], "big"))
    derived = _derived(_PURPOSE[suite], key, _KEY_BYTES[suite])
    return header + nonce + _seal(suite, derived, nonce, data, header + bound_to.encode())


def decrypt(blob: bytes, *, bound_to: str) -> bytes:
    """ValueError on a format, suite or key that is not known here; InvalidTag on a changed byte or another place."""
    if blob[:2] == OLD_FORMAT:
        nonce, data = blob[2 : 2 + NONCE_BYTES], blob[2 + NONCE_BYTES :]
        return AESGCM(_derived("field", key_numbered(1))).decrypt(nonce, data, None)
    header, rest = blob[:HEADER_BYTES], blob[HEADER_BYTES:]
    if len(header) < HEADER_BYTES or header[0] != FORMAT or header[1] not in _PURPOSE:
        raise ValueError("unknown cipher format")
    suite, key = header[1], key_numbered(int.from_bytes(header[2:], "big"))
    derived = _derived(_PURPOSE[suite], key, _KEY_BYTES[suite])
    return _open(suite, derived, rest[:NONCE_BYTES], rest[NONCE_BYTES:], header + bound_to.encode())


def blind_index(kind: str, value: str) -> bytes:
    """32 bytes; `kind` separates the keys, so a phone's index never equals a document's."""
    master = _derived(f"index:{kind}", base64.b64decode(settings.FIELD_KEY))
    return hmac.digest(master, value.encode(), hashlib.sha256)


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """A str in Python, ciphertext in the database. Can't be searched: keep a `blind_index` beside it.

    Bound to its table and column; whoever renames either keeps the old pair as `bound_to`.
    """

    def __init__(self, *args: Any, bound_to: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        self._bound_to = bound_to
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | ({"bound_to": self._bound_to} if self._bound_to else {})

    @property
    def bound_to(self) -> str:
        return self._bound_to or f"{self.model._meta.db_table}.{self.column}"

    def _check_str_default_value(self) -> list[Any]:
        return []  # a text field in Python, so a str default is right

    def get_prep_value(self, value: str | None) -> bytes | None:
        return None if value is None else encrypt(value.encode(), bound_to=self.bound_to)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        raw = value if prepared else self.get_prep_value(value)
        return super().get_db_prep_value(raw, connection, True)

    def from_db_value(self, value: Any, expression: object, connection: object) -> str | None:
        return None if value is None else decrypt(bytes(value), bound_to=self.bound_to).decode()

    def to_python(self, value: Any) -> Any:
        return value

    def get_default(self) -> Any:
        if not self.has_default():
            return None if self.null else ""
        return self.default() if callable(self.default) else self.default

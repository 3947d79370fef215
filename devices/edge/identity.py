"""Who this robot is: paired once by a one-time code, afterwards known by its own Ed25519 key."""

from __future__ import annotations

import json
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from devices.edge.keys import KEYS_FILE
from devices.edge.version import AGENT_VERSION
from devices.wire.tokens import ALGORITHM

IDENTITY_FILE = "identity.json"
PENDING_KEY_FILE = "pairing_key.pem"
TOKEN_S = 60  # contract: at most 60 s


class PairingRefused(RuntimeError):
    """The server answered and said no: another code is needed, trying again is useless."""


class PairingUnavailable(RuntimeError):
    """The server could not be reached or failed: try again later."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The robot's id and private key."""

    robot_id: str
    name: str
    private_key_pem: str

    def token(self) -> str:
        """A fresh bearer token for the server, each with its own jti."""
        now = int(time.time())
        claims = {"iss": f"robot:{self.robot_id}", "aud": "hospital", "iat": now, "exp": now + TOKEN_S}
        key = load_pem_private_key(self.private_key_pem.encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return jwt.encode(claims | {"jti": uuid.uuid4().hex}, key, algorithm=ALGORITHM)

    def headers(self) -> dict[str, str]:
        """The Authorization header of every robot request."""
        return {"Authorization": f"Robot {self.token()}"}


def load(data_dir: Path) -> Identity | None:
    """The stored identity, or None before pairing."""
    try:
        row = json.loads((data_dir / IDENTITY_FILE).read_text())
    except FileNotFoundError:
        return None
    return Identity(robot_id=row["robot_id"], name=row["name"], private_key_pem=row["private_key_pem"])


def pair(*, server_url: str, code: str, data_dir: Path) -> Identity:
    """Exchange the one-time code for an identity and the server's keys; both are stored.

    Raises PairingRefused, PairingUnavailable. The key is on disk before the code is spent, so that a
    crash in between can be repeated with a new code and the same key.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = _own_key(data_dir / PENDING_KEY_FILE)
    key = load_pem_private_key(pem.encode(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    body = {"code": code, "public_key_pem": public, "agent_version": AGENT_VERSION}
    try:
        answer = httpx.post(f"{server_url}/api/v1/robots/pair", json=body, timeout=10.0)
    except httpx.HTTPError as error:
        raise PairingUnavailable(str(error)) from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise PairingUnavailable(f"HTTP {answer.status_code}")
    if answer.status_code >= 400:
        raise PairingRefused(f"HTTP {answer.status_code}: {answer.text[:200]}")
    row = answer.json()
    store_keys(data_dir, row["server_keys"])
    identity = Identity(robot_id=row["robot_id"], name=row.get("name", ""), private_key_pem=pem)
    _write(
        data_dir / IDENTITY_FILE,
        json.dumps({"robot_id": identity.robot_id, "name": identity.name, "private_key_pem": pem}),
    )
    (data_dir / PENDING_KEY_FILE).unlink(missing_ok=True)
    return identity


def store_keys(data_dir: Path, rows: list[dict[str, Any]]) -> None:
    """Keep the server's public keys; the safety process notices the new file."""
    path = data_dir / KEYS_FILE
    text = json.dumps([{"kid": row["kid"], "pem": row["pem"]} for row in rows])
    if not path.exists() or path.read_text() != text:
        _write(path, text)


def _own_key(path: Path) -> str:
    if path.exists():
        return path.read_text()
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(path, pem.decode())
    return pem.decode()


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)

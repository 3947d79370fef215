"""The control lease as the edge sees it: newest epoch only, bound to one peer, expiring by itself."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any

from devices.wire.tokens import LeaseClaims, TokenError, lease_claims


class LeaseChange(Enum):
    """What a token did."""

    GRANTED = auto()  # a new epoch with nobody before it
    TAKEOVER = auto()  # a newer epoch displaced another
    RENEWED = auto()


EPOCH_FILE = "epoch.json"


def newest_epoch(path: Path) -> int:
    """The newest epoch on disk, 0 before the first. Raises RuntimeError for a damaged file."""
    try:
        return int(json.loads(path.read_text())["epoch"])
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError) as error:
        # An unreadable store must not reopen the door to old epochs.
        raise RuntimeError(f"{path} is damaged: {error}") from error


class EpochStore:
    """The newest epoch ever seen, on disk, so that a restart does not accept an older one.

    Writing happens on a thread: a slow disk must not starve the arm of its 2 ms cycle.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.newest = newest_epoch(path)

    def remember(self, epoch: int) -> None:
        """Keep a newer epoch."""
        if epoch > self.newest:
            self.newest = epoch
            threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        with self._lock:
            temporary = self._path.with_suffix(".tmp")
            with open(temporary, "w") as file:
                json.dump({"epoch": self.newest}, file)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(OSError):
                os.replace(temporary, self._path)


Decode = Callable[[str], Mapping[str, Any]]
"""Checks a token's signature and returns its claims; raises TokenError("bad_token")."""


class Lease:
    """Offer tokens, ask who holds. All times in ms of the monotonic clock."""

    def __init__(self, *, robot_id: str, decode: Decode, store: EpochStore) -> None:
        self._robot_id = robot_id
        self._decode = decode
        self._store = store
        self._expires_ms = 0.0
        self._expiry_told = False
        self._ended_epoch = 0
        self._suspended_serial = -1
        self.claims: LeaseClaims | None = None

    def offer(self, token: str, *, now_ms: float, server_offset_ms: float | None) -> LeaseChange:
        """Take a token. ``server_offset_ms`` = server clock - monotonic clock. Raises TokenError."""
        server_now = None if server_offset_ms is None else now_ms + server_offset_ms
        found = lease_claims(self._decode(token), robot_id=self._robot_id, server_now_ms=server_now)
        if found.epoch < self._store.newest or found.epoch <= self._ended_epoch:
            raise TokenError("old_epoch", str(found.epoch))
        held = self.claims
        if held is not None and held.epoch == found.epoch:
            if found.serial <= held.serial or (found.peer, found.fp) != (held.peer, held.fp):
                raise TokenError("old_epoch", f"serial {found.serial}")
            change = LeaseChange.RENEWED
        else:
            change = LeaseChange.TAKEOVER if self.held(now_ms) else LeaseChange.GRANTED
            self._suspended_serial = -1
        self._store.remember(found.epoch)
        self.claims = found
        self._expires_ms = now_ms + found.ttl_ms
        self._expiry_told = False
        return change

    def end(self, epoch: int) -> bool:
        """Revoked: this epoch and older ones never come back. True when it was the one held."""
        self._ended_epoch = max(self._ended_epoch, min(epoch, self._store.newest))
        if self.claims is None or self.claims.epoch > epoch:
            return False
        self.claims = None
        return True

    def expire(self, now_ms: float) -> bool:
        """True once when the held lease has run out."""
        if self.claims is None or self._expiry_told or now_ms < self._expires_ms:
            return False
        self._expiry_told = True
        return True

    def held(self, now_ms: float) -> bool:
        """Somebody holds an unexpired lease."""
        return self.claims is not None and now_ms < self._expires_ms

    def suspend(self) -> None:
        """Silence went on too long: only a renewal issued after this counts again."""
        if self.claims is not None:
            self._suspended_serial = self.claims.serial

    def live(self, now_ms: float) -> bool:
        """Held, the exam is live, not suspended."""
        claims = self.claims
        return (
            self.held(now_ms)
            and claims is not None
            and claims.live
            and claims.serial > self._suspended_serial
        )

    @property
    def epoch(self) -> int:
        """Epoch of the held lease, else the newest seen."""
        return self.claims.epoch if self.claims is not None else self._store.newest

"""What a recording must not hold: tokens, who the people are, and free text of a request that was refused anyway.

Everything put in its place is answered by the safety process exactly as the real thing was.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from devices.edge.safety import port
from devices.wire import ctl
from devices.wire.channels import BEDSIDE, CONSOLE, CTL_MAX_BYTES
from devices.wire.ctl import SHAPES, CtlError

CLAIMS_KEPT = frozenset(
    {"typ", "aud", "exam", "role", "sub", "peer", "fp", "iat", "exp"}
    | {"epoch", "serial", "live", "ttl_ms", "iat_ms"}
)
CHECKED = "checked"
"""In a token's place; what its check answered follows as an item of its own."""
_SECRET_WORDS = ("password", "passwort", "secret", "token", "key", "credential", "pin")


class Masks:
    """The same person or exam has the same number throughout a recording."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], str] = {}

    def claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """A token's claims without who it is about."""
        kept = {name: value for name, value in claims.items() if name in CLAIMS_KEPT}
        for name in ("sub", "exam"):
            if isinstance(kept.get(name), str) and kept[name]:
                known = self._numbers.setdefault((name, kept[name]), f"{name}-{len(self._numbers) + 1}")
                kept[name] = known
        return kept

    def datagram(self, data: bytes) -> bytes:
        """A message of the link; most pass as they are."""
        if not data or data[0] != port.JSON or not (b'"token"' in data or b'"text"' in data):
            return data
        try:
            message = json.loads(data)
        except ValueError:
            return b"{"  # as unreadable as it was
        if not isinstance(message, dict):
            return data
        if isinstance(message.get("token"), str):
            message["token"] = CHECKED
        if isinstance(message.get("text"), str):
            message["text"] = request_text(message["text"])
        return port.pack_json(message)


def request_text(text: str) -> str:
    """A control request: as it is when somebody may ask it, else a text that is refused for the same reason."""
    for role in (CONSOLE, BEDSIDE):
        with contextlib.suppress(CtlError):
            ctl.parse_request(text, role=role)
            return text
    if len(text.encode()) > CTL_MAX_BYTES:
        return "x" * len(text.encode())
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return "{"
    if not isinstance(message, dict):
        return "[]"
    return json.dumps({name: value for name, value in _without_words(message)})


def _without_words(message: dict[str, Any]) -> list[tuple[str, Any]]:
    kind = message.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    known = set() if shape is None else shape.required.keys() | shape.optional.keys()
    found: list[tuple[str, Any]] = []
    for name, value in message.items():
        if name == "id" and not isinstance(value, str):
            found.append((name, value if isinstance(value, int | float) else None))
        elif name == "type":
            found.append((name, kind if shape is not None else "x"))
        else:
            number = value if value is None or isinstance(value, int | float) else None
            kept = "x" * len(value) if isinstance(value, str) else number
            found.append((name if name in known else "x" * (len(name) + 1), kept))
    return found


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """A driver's options: names always, values unless the name sounds like a secret."""
    return {
        name: "removed" if any(word in name.lower() for word in _SECRET_WORDS) else value
        for name, value in given.items()
    }

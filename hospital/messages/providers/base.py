"""What every provider shares: what it is given, how it answers, and one way to ask over HTTPS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

TIMEOUT_S = 5.0  # design value: a worker's row is taken for 60 s, and other due work waits behind it
ANSWER_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """`key` names this delivery: a later try has the same one as long as nobody said that the last did not arrive.

    `values` fills the carrier's own copy of `template`, in the order of our text; `text` is that text, filled.
    """

    key: str
    channel: str
    to: str
    template: str
    text: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Sent:
    """The provider took it; its own number for it, when it has one, and its word for success."""

    provider_id: str = ""
    code: str = "OK"


class _Answer(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code[:80]


class TryAgain(_Answer):
    """It did not go out now; later it may."""


class Refused(_Answer):
    """It will never go out as it is."""


class Unanswered(_Answer):
    """Nobody knows whether it went out."""


class NotConfigured(TryAgain):
    """MESSAGES_FILE lacks something that this message needs; it is tried again until somebody writes it there."""


def not_now(code: str) -> TryAgain | Unanswered:
    """What to raise for a code that is no end. Without one it was not the service that answered: a gateway on the way
    may have let the request through."""
    return TryAgain(code) if code else Unanswered("no_code")


def section(name: str) -> Mapping[str, Any]:
    """One provider's part of the configuration."""
    found = settings.MESSAGES.get(name)
    if not isinstance(found, dict):
        raise NotConfigured(f"no section {name} in MESSAGES_FILE")
    return found


def needed(configured: Mapping[str, Any], key: str) -> str:
    """One configured value; its name, never its value, is in the error."""
    if not configured.get(key):
        raise NotConfigured(f"no {key} in MESSAGES_FILE")
    return str(configured[key])


def template_of(configured: Mapping[str, Any], message: Outgoing) -> str:
    """The carrier's number for our template: carriers send approved texts only."""
    found = configured.get("templates", {}).get(message.channel, {}).get(message.template)
    if not found:
        raise NotConfigured(f"no {message.channel} template {message.template} in MESSAGES_FILE")
    return str(found)


def ask(url: str, *, headers: Mapping[str, str], content: bytes = b"") -> dict[str, Any]:
    """POST once; the answer's JSON object. TryAgain when nothing was heard out there, Unanswered when nobody answered.

    A request that may have been read is never sent a second time here.
    """
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            answer = client.post(url, headers=dict(headers), content=content)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        raise TryAgain(type(error).__name__) from None
    except httpx.HTTPError as error:
        raise Unanswered(type(error).__name__) from None
    return _object(answer)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json() if len(answer.content) <= ANSWER_MAX_BYTES else None
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    if answer.status_code in (429, 503):
        raise TryAgain(f"http_{answer.status_code}")
    raise Unanswered(f"http_{answer.status_code}")

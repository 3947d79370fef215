"""Who carries messages out of the house, by channel. A provider takes one `Outgoing` and answers `Sent`, or raises.

`settings.MESSAGES` (a JSON file named by MESSAGES_FILE) holds a section for each:

    aliyun   access_key_id, access_key_secret, sign_name, caller_number, templates {sms, voice: {ours: theirs}}
    tencent  secret_id, secret_key, sms_app_id, voice_app_id, sign_name, region, templates {sms, voice: {…}}
    email    host, port, user, password, tls, sender
    groups   {name: {kind: dingtalk | feishu | wecom, url, secret}}

MESSAGES_PROVIDER names who carries SMS and calls: `mailbox` (the embedded default: nothing leaves the house), `aliyun`
or `tencent`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from . import aliyun, group, mail, tencent
from .base import NotConfigured, Outgoing, Refused, Sent, TryAgain, Unanswered

__all__ = [
    "NotConfigured",
    "Outgoing",
    "Provider",
    "Refused",
    "Sent",
    "TryAgain",
    "Unanswered",
    "provider_of",
]
IN_APP, EMAIL, GROUP = "in_app", "email", "group"


class Provider(Protocol):
    """Raises `TryAgain` (not now; also when something is not configured), `Refused` (never) or `Unanswered`."""

    def __call__(self, message: Outgoing, /) -> Sent: ...


@dataclass(frozen=True)
class Carrier:
    name: str
    send: Provider


def _mailbox(message: Outgoing) -> Sent:
    """The row itself is the mailbox, and the notice in the pages: it is delivered by standing there."""
    return Sent()


MAILBOX, PAGES = Carrier("mailbox", _mailbox), Carrier("pages", _mailbox)
PHONES: dict[str, Carrier] = {
    "mailbox": MAILBOX,
    "aliyun": Carrier("aliyun", aliyun.send),
    "tencent": Carrier("tencent", tencent.send),
}


def _phone() -> Carrier | None:
    return PHONES.get(settings.MESSAGES_PROVIDER)


def _mail() -> Carrier | None:
    """Where nothing leaves the house, letters stay in the mailbox too."""
    if "email" in settings.MESSAGES:
        return Carrier("smtp", mail.send)
    return MAILBOX if settings.MESSAGES_PROVIDER == "mailbox" else None


_CHANNELS: dict[str, Callable[[], Carrier | None]] = {
    "sms": _phone,
    "voice": _phone,
    EMAIL: _mail,
    IN_APP: lambda: PAGES,
    GROUP: lambda: Carrier("group", group.send),
}


def group_known(name: str) -> bool:
    """Whether messages to this staff group have somewhere to go."""
    return name in settings.MESSAGES.get("groups", {})


def provider_of(channel: str) -> Carrier:
    """RuntimeError when nobody carries this channel: the message waits until somebody does."""
    found = _CHANNELS[channel]()
    if found is None:
        setting = "MESSAGES_FILE's email" if channel == EMAIL else "MESSAGES_PROVIDER"
        raise RuntimeError(f"{setting} names no provider; the message stays queued")
    return found

"""A staff group's robot: text to DingTalk, Feishu or WeCom by the group's own webhook, signed as each asks.

DingTalk signs `timestamp\\nsecret` with the secret, in milliseconds, in the address. Feishu signs nothing with
`timestamp\\nsecret` as the key, in seconds, in the body. WeCom's secret is the key in the address itself. None has an
idempotency key: an unanswered try may be repeated as a double. Groups read no patient's name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from hospital.common.clock import now

from .base import NotConfigured, Outgoing, Refused, Sent, TryAgain, ask, needed, section

Call = tuple[str, dict[str, Any]]


def dingtalk_sign(secret: str, at_ms: int) -> str:
    """Base64 of HMAC-SHA-256, not yet encoded for an address."""
    digest = hmac.new(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def feishu_sign(secret: str, at_s: int) -> str:
    digest = hmac.new(f"{at_s}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _dingtalk(text: str, ours: Mapping[str, Any], at: datetime) -> Call:
    at_ms = int(at.timestamp() * 1000)
    signature = quote_plus(dingtalk_sign(needed(ours, "secret"), at_ms))
    url = f"{needed(ours, 'url')}&timestamp={at_ms}&sign={signature}"
    return url, {"msgtype": "text", "text": {"content": text}}


def _feishu(text: str, ours: Mapping[str, Any], at: datetime) -> Call:
    at_s = int(at.timestamp())
    signed = {"timestamp": str(at_s), "sign": feishu_sign(needed(ours, "secret"), at_s)}
    return needed(ours, "url"), signed | {"msg_type": "text", "content": {"text": text}}


def _wecom(text: str, ours: Mapping[str, Any], at: datetime) -> Call:
    return needed(ours, "url"), {"msgtype": "text", "text": {"content": text}}


KINDS: dict[str, Callable[[str, Mapping[str, Any], datetime], Call]] = {
    "dingtalk": _dingtalk,
    "feishu": _feishu,
    "wecom": _wecom,
}
# What each answers when the text itself or the group is refused for good; a limit on the rate is not.
_PERMANENT = frozenset({"300001", "310000", "40035", "93000", "19024"})


def send(message: Outgoing) -> Sent:
    """One text to the group that `to` names, see `Provider`."""
    ours = section("groups").get(message.to)
    if not isinstance(ours, dict) or ours.get("kind") not in KINDS:
        raise NotConfigured("no such group in MESSAGES_FILE")
    url, body = KINDS[ours["kind"]](message.text, ours, now())
    content = json.dumps(body, ensure_ascii=False).encode()
    answer = ask(url, headers={"content-type": "application/json; charset=utf-8"}, content=content)
    code = str(answer.get("errcode", answer.get("code", answer.get("StatusCode", "no_code"))))
    if code == "0":
        return Sent(code=code)
    if code in _PERMANENT:
        raise Refused(code)
    raise TryAgain(code)

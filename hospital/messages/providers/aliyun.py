"""Alibaba Cloud: SMS (Dysmsapi 2017-05-25, SendSms) and calls (Dyvmsapi 2017-05-25, SingleCallByTts).

Signed as "V3 request structure and signature", ACS3-HMAC-SHA256: parameters in the query, an empty body.

Doubles: the service knows no idempotency key, but refuses a nonce that it has seen in the last minutes
(`SignatureNonceUsed`). Ours is made from the delivery's key, so a try that repeats an unanswered one is refused when
the first arrived; then it counts as sent, though its number (`BizId`) is unknown. Later than that a repeat may double.
`OutId` carries the key into the carrier's own reports.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hospital.common.clock import now

from .base import Outgoing, Refused, Sent, ask, needed, not_now, section, template_of

VERSION = "2017-05-25"
ALGORITHM = "ACS3-HMAC-SHA256"
SIGNED = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
NONCE_USED = "SignatureNonceUsed"
# Codes after which the same message can never go out; every other one is tried again until it is too old.
PERMANENT = frozenset(
    {
        "isv.MOBILE_NUMBER_ILLEGAL",
        "isv.BLACK_KEY_CONTROL_LIMIT",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.INVALID_JSON_PARAM",
        "isv.INVALID_PARAMETERS",
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.TTS_TEMPLATE_ILLEGAL",
    }
)


def query_of(values: Mapping[str, str]) -> str:
    """Sorted by name, percent-encoded by RFC 3986."""
    return "&".join(f"{quote(name, safe='~')}={quote(values[name], safe='~')}" for name in sorted(values))


def signed_headers(
    *, host: str, action: str, version: str, query: str, at: datetime, nonce: str, key_id: str, secret: str
) -> dict[str, str]:
    """The headers of one POST without a body."""
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": empty,
        "x-acs-date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    lines = "".join(f"{name}:{headers[name]}\n" for name in SIGNED.split(";"))
    canonical = "\n".join(["POST", "/", query, lines, SIGNED, empty])
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"{ALGORITHM} Credential={key_id},SignedHeaders={SIGNED},Signature={signature}"
    return headers


def nonce_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _sms(message: Outgoing, ours: Mapping[str, Any]) -> dict[str, str]:
    return {
        "PhoneNumbers": message.to,
        "SignName": needed(ours, "sign_name"),
        "TemplateCode": template_of(ours, message),
        "TemplateParam": json.dumps(dict(message.values), ensure_ascii=False),
        "OutId": message.key,
    }


def _voice(message: Outgoing, ours: Mapping[str, Any]) -> dict[str, str]:
    return {
        "CalledNumber": message.to,
        "CalledShowNumber": needed(ours, "caller_number"),
        "TtsCode": template_of(ours, message),
        "TtsParam": json.dumps(dict(message.values), ensure_ascii=False),
        "PlayTimes": "2",
        "OutId": message.key,
    }


# channel -> parameters, action, where, what names the delivery in the answer
_CALLS = {
    "sms": (_sms, "SendSms", "https://dysmsapi.aliyuncs.com", "BizId"),
    "voice": (_voice, "SingleCallByTts", "https://dyvmsapi.aliyuncs.com", "CallId"),
}


def send(message: Outgoing) -> Sent:
    """One SMS or one call, see `Provider`."""
    ours = section("aliyun")
    parameters, action, usual, number = _CALLS[message.channel]
    base = str(ours.get(f"{message.channel}_endpoint") or usual)
    query = query_of(parameters(message, ours))
    headers = signed_headers(
        host=base.partition("://")[2],
        action=action,
        version=VERSION,
        query=query,
        at=now(),
        nonce=nonce_of(message.key),
        key_id=needed(ours, "access_key_id"),
        secret=needed(ours, "access_key_secret"),
    )
    answer = ask(f"{base}/?{query}", headers=headers)
    code = str(answer.get("Code", ""))
    if code in ("OK", NONCE_USED):
        return Sent(provider_id=str(answer.get(number, "")), code=code)
    if code in PERMANENT:
        raise Refused(code)
    raise not_now(code)

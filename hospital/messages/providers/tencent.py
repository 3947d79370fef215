"""Tencent Cloud: SMS (2021-01-11, SendSms) and calls (VMS 2020-09-02, SendTtsVoice).

Signed as "Signature v3", TC3-HMAC-SHA256, over `content-type`, `host` and `x-tc-action`.

Doubles: neither service has an idempotency key or a nonce. The delivery's key goes along as `SessionContext` and comes
back in the answer and in the carrier's reports, which is all there is: a try that repeats an unanswered one may reach
the telephone twice. That is chosen over a code or a cancellation that never comes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hospital.common.clock import now

from .base import Outgoing, Refused, Sent, ask, needed, not_now, section, template_of

ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json; charset=utf-8"
SIGNED = "content-type;host;x-tc-action"
# Codes, or the part before the dot, after which the same message can never go out.
PERMANENT = frozenset(
    {
        "InvalidParameterValue.IncorrectPhoneNumber",
        "InvalidParameterValue.TemplateParameterFormatError",
        "InvalidParameterValue.TemplateParameterLengthLimit",
        "InvalidParameterValue.ContentLengthLimit",
        "FailedOperation.ContainSensitiveWord",
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "UnsupportedOperation",
    }
)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def authorization(
    *, host: str, service: str, action: str, body: bytes, at: datetime, secret_id: str, secret_key: str
) -> str:
    """The header `Authorization` of one POST to `/`."""
    headers = f"content-type:{CONTENT_TYPE}\nhost:{host}\nx-tc-action:{action.lower()}\n"
    canonical = "\n".join(["POST", "/", "", headers, SIGNED, hashlib.sha256(body).hexdigest()])
    day = at.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{int(at.timestamp())}\n{scope}\n{digest}"
    key = _hmac(_hmac(_hmac(f"TC3{secret_key}".encode(), day), service), "tc3_request")
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"


def _e164(number: str) -> str:
    return number if number.startswith("+") else f"+86{number}"


def _sms(message: Outgoing, ours: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "PhoneNumberSet": [_e164(message.to)],
        "SmsSdkAppId": needed(ours, "sms_app_id"),
        "SignName": needed(ours, "sign_name"),
        "TemplateId": template_of(ours, message),
        "TemplateParamSet": list(message.values.values()),
        "SessionContext": message.key,
    }


def _voice(message: Outgoing, ours: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "CalledNumber": _e164(message.to),
        "VoiceSdkAppid": needed(ours, "voice_app_id"),
        "TemplateId": template_of(ours, message),
        "TemplateParamSet": list(message.values.values()),
        "PlayTimes": 2,
        "SessionContext": message.key,
    }


_CALLS = {
    "sms": (_sms, "SendSms", "2021-01-11", "https://sms.tencentcloudapi.com"),
    "voice": (_voice, "SendTtsVoice", "2020-09-02", "https://vms.tencentcloudapi.com"),
}
_SERVICE = {"sms": "sms", "voice": "vms"}


def send(message: Outgoing) -> Sent:
    """One SMS or one call, see `Provider`."""
    ours = section("tencent")
    parameters, action, version, usual = _CALLS[message.channel]
    base = str(ours.get(f"{message.channel}_endpoint") or usual)
    host, at = base.partition("://")[2], now()
    body = json.dumps(parameters(message, ours), ensure_ascii=False).encode()
    headers = {
        "content-type": CONTENT_TYPE,
        "host": host,
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-region": str(ours.get("region") or "ap-guangzhou"),
        "x-tc-timestamp": str(int(at.timestamp())),
        "authorization": authorization(
            host=host,
            service=_SERVICE[message.channel],
            action=action,
            body=body,
            at=at,
            secret_id=needed(ours, "secret_id"),
            secret_key=needed(ours, "secret_key"),
        ),
    }
    return _read(ask(f"{base}/", headers=headers, content=body).get("Response") or {})


def _read(response: Mapping[str, Any]) -> Sent:
    """A refused request has `Error`; an SMS its own status; a call has a number or nothing."""
    error = response.get("Error")
    if error:
        _refuse(str(error.get("Code", "")))
    if (call := response.get("SendStatus")) is not None:
        return Sent(provider_id=str(call.get("CallId", "")), code="Ok")
    status = (response.get("SendStatusSet") or [{}])[0]
    if status.get("Code") != "Ok":
        _refuse(str(status.get("Code", "")))
    return Sent(provider_id=str(status.get("SerialNo", "")), code="Ok")


def _refuse(code: str) -> None:
    if code in PERMANENT or code.partition(".")[0] in PERMANENT:
        raise Refused(code)
    raise not_now(code)

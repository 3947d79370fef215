"""Nothing that names a person or opens a door reaches the logs.

Every line passes `ScrubbingFormatter` last, tracebacks included; structured events are also scrubbed by key. This
program's own log sentences are English, so Chinese characters in a line are somebody's data: they go whole. A name in
Latin letters inside free text is not recognisable: log it under one of SECRET_KEYS or, better, log the id.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

MASK = "***"
SECRET_KEYS = frozenset(
    {
        *(
            "name",
            "patient_name",
            "guardian_name",
            "witness_name",
            "username",
            "phone",
            "to",
            "document_number",
        ),
        *("birth_date", "address_line", "password", "totp", "secret", "token", "ticket", "access", "refresh"),
        *(
            "authorization",
            "cookie",
            "pairing_code",
            "findings",
            "impression",
            "clinical_question",
            "history",
        ),
    }
)
_ID = r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])"
_OTHER_DOCUMENT = r"(?<![0-9A-Za-z])(?:[EG][A-Z]?\d{7,8}|[HMC]\d{8}(?:\d{2})?)(?![0-9A-Za-z])"
_PHONE = r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])"
_CJK = r"[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\u00b7\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]*"
_JWT = r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
_BARE = re.compile("|".join((_JWT, _ID, _OTHER_DOCUMENT, _PHONE, _CJK)))
_NAMED = re.compile(
    r"(?i)\b(ticket|token|id_token|password|passwd|secret|client_secret|code_verifier|totp|otp|refresh|pairing_code"
    r"|sessionid|csrftoken|authorization|cookie)"
    r"(['\"]?\s*[=:]\s*['\"]?)(?:(?:bearer|robot)\s+)?[^\s'\"&,;)}\]]+"
)
_SCHEME = re.compile(r"(?i)\b(bearer|robot)(\s+)[\w.~+/=-]{16,}")
_CODE = re.compile(r"(?i)\b(code['\"]?\s*[=:]\s*['\"]?)\d{4,8}\b")
_ANSWER = re.compile(r"([?&](?:code|state)=)[^&\s'\"]+")  # an identity provider's answer in an address
_URL = re.compile(r"(\w+://)[^\s/@]+@")


def scrub(text: str) -> str:
    """The line without tokens, passwords, identity and phone numbers, and without Chinese text."""
    text = _NAMED.sub(rf"\1\2{MASK}", text)
    text = _ANSWER.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1\2{MASK}", text)
    text = _CODE.sub(rf"\1{MASK}", text)
    return _BARE.sub(MASK, _URL.sub(rf"\1{MASK}@", text))


class ScrubbingFormatter(logging.Formatter):
    """The last hand on every line, after message and traceback were put together."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def scrub_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog: what stands under a secret key goes, whatever it looks like."""
    return {key: MASK if key in SECRET_KEYS else value for key, value in event.items()}


def configure() -> None:
    """structlog through the standard library's handlers, so that there is one way out."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            scrub_event,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )

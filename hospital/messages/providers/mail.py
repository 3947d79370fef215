"""E-mail by SMTP, through Django's.

Doubles: `Message-ID` is made from the delivery's key, so a letter that is sent again after an answer was lost is the
same letter to mail servers and readers that look at it (RFC 5322, 3.6.4); SMTP itself promises no more.
"""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMessage, get_connection

from .base import TIMEOUT_S, Outgoing, Refused, Sent, TryAgain, Unanswered, needed, section

BACKEND = "django.core.mail.backends.smtp.EmailBackend"
SUBJECT = "长三角互联网医院 Yangtze Delta Internet Hospital"
PERMANENT_FROM = 500  # RFC 5321, 4.2.1: 5yz is for good, 4yz for now


def _connection(ours: Mapping[str, Any]) -> Any:
    return get_connection(
        BACKEND,
        host=needed(ours, "host"),
        port=int(ours.get("port") or 25),
        username=str(ours.get("user") or ""),
        password=str(ours.get("password") or ""),
        use_tls=bool(ours.get("tls")),
        timeout=TIMEOUT_S,
    )


def _letter(message: Outgoing, ours: Mapping[str, Any]) -> EmailMessage:
    sender = needed(ours, "sender")
    number = f"<{message.key}@{sender.rpartition('@')[2]}>"
    return EmailMessage(
        SUBJECT, message.text, sender, [message.to], headers={"Message-ID": number},
        connection=_connection(ours),
    )  # fmt: skip


def _refuse(code: int) -> None:
    raise Refused(f"smtp_{code}") if code >= PERMANENT_FROM else TryAgain(f"smtp_{code}")


def send(message: Outgoing) -> Sent:
    """One letter, see `Provider`."""
    letter = _letter(message, section("email"))
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as error:
        _refuse(max(code for code, _ in error.recipients.values()))
    except smtplib.SMTPAuthenticationError as error:
        raise TryAgain(f"smtp_{error.smtp_code}") from None  # ours to put right, not the letter's fault
    except smtplib.SMTPResponseException as error:
        _refuse(error.smtp_code)
    except smtplib.SMTPServerDisconnected as error:
        raise Unanswered(type(error).__name__) from None
    except (ConnectionError, OSError) as error:
        raise TryAgain(type(error).__name__) from None
    return Sent(provider_id=str(letter.extra_headers["Message-ID"]))

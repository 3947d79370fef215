"""Messages leave through the outbox: the row and its work are written in the transaction of their cause."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from hospital.common.clock import now
from hospital.common.crypto import blind_index
from hospital.common.work import work_add, worker

from .models import Message
from .templates import render

Provider = Callable[[Message], None]


IN_APP = "in_app"


def _mailbox(message: Message) -> None:
    """The embedded default: the row itself is the mailbox; nothing leaves the house."""


PROVIDERS: dict[str, Provider] = {"mailbox": _mailbox}


def phone_plain(phone: str) -> str:
    """Full-width digits as ASCII, no blanks, hyphens or mainland prefix; whether it is a number is not checked."""
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", phone))
    return re.sub(r"^(\+86|0086)", "", plain)


def recipient_index(to: str) -> bytes:
    return blind_index("message_to", to)


@transaction.atomic
def message_send(
    *, to: str, channel: str, template: str, context: dict[str, str], expires_at: datetime | None = None
) -> Message:
    """Queue one message; a `code` in the context is also kept apart. After `expires_at` it is no longer sent."""
    message = Message.objects.create(
        channel=channel,
        to=to,
        to_index=recipient_index(to),
        template=template,
        text=render(template, channel, context),
        code=context.get("code"),
        expires_at=expires_at,
    )
    work_add(kind="message", key=str(message.id), payload={"message_id": str(message.id)})
    return message


@worker("message")
def _deliver(payload: dict[str, Any]) -> None:
    message = Message.objects.select_for_update().get(id=payload["message_id"])
    if message.status != "queued":
        return
    if message.expires_at is not None and message.expires_at <= now():
        message.status = "expired"
        message.save(update_fields=["status"])
        return
    # A notice in the pages is delivered by standing there.
    provider = _mailbox if message.channel == IN_APP else PROVIDERS.get(settings.MESSAGES_PROVIDER)
    if provider is None:
        raise RuntimeError("MESSAGES_PROVIDER names no provider; the message stays queued")
    provider(message)
    message.status, message.sent_at = "sent", now()
    message.save(update_fields=["status", "sent_at"])

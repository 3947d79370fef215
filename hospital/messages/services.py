"""Messages leave through the outbox: the row and its work are written in the transaction of their cause.

A notice in the pages is delivered by standing there, so it stands with its cause and no worker is asked.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.common.clock import now
from hospital.common.crypto import blind_index
from hospital.common.events import emit
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.work import work_add

from .events import NoticeGiven, NoticesRead
from .models import Message, MessageReceipt
from .providers import GROUP as GROUP
from .providers import IN_APP as IN_APP
from .providers import provider_of
from .states import Event, Outcome, State, advance
from .templates import render

WORK = "message"


def phone_plain(phone: str) -> str:
    """Full-width digits as ASCII, no blanks, hyphens or mainland prefix; whether it is a number is not checked."""
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", phone))
    return re.sub(r"^(\+86|0086)", "", plain)


def recipient_index(to: str) -> bytes:
    return blind_index("message_to", to)


def fill(message: Message, *, to: str, template: str, context: dict[str, str]) -> None:
    """Write reader and words into the row; not saved. KeyError when a value is missing."""
    message.to, message.to_index = to, recipient_index(to)
    message.template, message.text = template, render(template, message.channel, context)
    message.code, message.context = context.get("code"), json.dumps(context, ensure_ascii=False)


def message_send(
    *,
    to: str,
    channel: str,
    template: str,
    context: dict[str, str],
    expires_at: datetime | None = None,
    about: tuple[str, UUID] | None = None,
) -> Message:
    """Queue one message that leaves the pages; a `code` in the context is also kept apart. After `expires_at` it is
    no longer sent.

    `about` (kind, id) names what it speaks of: reader and words are asked again when it is sent, see `composing`.
    """
    message = Message(channel=channel, expires_at=expires_at)
    if about is not None:
        message.about_kind, message.about_id = about
    fill(message, to=to, template=template, context=context)
    with transaction.atomic(savepoint=False):
        message.save()
        work_add(kind=WORK, key=str(message.id), payload={"message_id": str(message.id)})
    return message


@transaction.atomic(savepoint=False)
def notices_give(*, user_ids: Iterable[UUID], template: str, context: dict[str, str]) -> None:
    """The same notice in the pages of each of these people, and word to the pages they have open."""
    rows = [_notice(user_id, template, context) for user_id in sorted(set(user_ids))]
    Message.objects.bulk_create(rows)
    carrier = provider_of(IN_APP).name
    MessageReceipt.objects.bulk_create(
        MessageReceipt(
            message=row, number=1, provider=carrier, outcome=Outcome.ACCEPTED, answered_at=row.sent_at
        )
        for row in rows
    )
    for row in rows:
        emit(NoticeGiven(user_id=UUID(row.to)))


def _notice(user_id: UUID, template: str, context: dict[str, str]) -> Message:
    row = Message(channel=IN_APP, status=advance(State.QUEUED, Event.TAKEN), sent_at=now())
    fill(row, to=str(user_id), template=template, context=context)
    return row


@prebuilt
def _waiting(*, kind: Value, about_id: Value) -> QuerySet[Message, UUID]:
    rows = Message.objects.select_for_update(skip_locked=True)
    rows = rows.filter(about_kind=kind, about_id=about_id, status=str(State.QUEUED))
    return rows.values_list("id", flat=True)


@transaction.atomic(savepoint=False)
def notices_read(*, user_id: UUID, ids: Iterable[UUID]) -> int:
    """The person has seen these of their notices; how many were new to them. Their open pages hear of it."""
    mine = Message.objects.filter(channel=IN_APP, to_index=recipient_index(str(user_id)), read_at=None)
    count = mine.filter(id__in=list(ids)).update(read_at=now())
    if count:
        emit(NoticesRead(user_id=user_id))
    return count


@transaction.atomic(savepoint=False)
def messages_drop(*, about: tuple[str, UUID], reason: str) -> int:
    """What still waits about this thing is not said any more; how many. One that is being sent now is sent."""
    kind, about_id = about
    ids = _waiting(kind=kind, about_id=about_id)
    if not ids:
        return 0
    return Message.objects.filter(id__in=ids).update(status=advance(State.QUEUED, Event.MOOT), reason=reason)

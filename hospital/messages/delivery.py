"""Sending: a try is written down before the provider is asked, so what a killed worker left behind can be seen.

A try repeats the last one's key as long as nobody said that it did not arrive; what that saves from doubles is the
provider's to say, see each. One message is sent by one worker at a time: its row is locked while the provider is asked.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import structlog

from hospital.common.clock import now
from hospital.common.events import emit
from hospital.common.rows import only
from hospital.common.work import work_add, worker

from . import quiet
from .composing import About, Moot, Said, compose
from .events import MessageUndelivered, NoticeGiven
from .kinds import PHONE_CHANNELS
from .models import Message, MessageReceipt
from .providers import Outgoing, Refused, Sent, TryAgain, Unanswered, provider_of
from .services import IN_APP, WORK, fill
from .states import Event, Outcome, State, advance
from .templates import values_of

log = structlog.get_logger()


def _end(message: Message, event: Event, reason: str = "") -> None:
    message.status, message.reason = advance(State(message.status), event), reason[:60]
    if event is Event.TAKEN:
        message.sent_at = now()
    message.save()
    if event is Event.REFUSED:
        log.error("message_failed", channel=message.channel, template=message.template, reason=reason)
        _undelivered(message, reason, final=True)


def _undelivered(message: Message, code: str, *, final: bool) -> None:
    """Told to the app that knows what it is about: somebody may want to use the telephone."""
    if message.about_id is not None:
        emit(
            MessageUndelivered(
                about_kind=message.about_kind,
                about_id=message.about_id,
                template=message.template,
                context=json.loads(message.context or "{}"),
                final=final,
                code=code,
            )
        )


def _waiting(payload: dict[str, Any]) -> Message | None:
    """The message, its row locked, while it is still to be sent."""
    message = only(Message.objects.select_for_update().filter(id=payload["message_id"]))
    return message if message is not None and message.status == State.QUEUED else None


def _words(message: Message) -> Said | Moot | None:
    """What it says now; None for a message that speaks of nothing that can change."""
    if message.about_id is None:
        return None
    context = json.loads(message.context or "{}")
    about = About(template=message.template, channel=message.channel, id=message.about_id, context=context)
    return compose(message.about_kind, about)


def _again(message: Message, key: str, at: Any) -> None:
    payload = {"message_id": str(message.id)}
    work_add(kind=WORK, key=f"{message.id}:{key}", payload=payload, due_at=at)


def _held(message: Message, *, urgent: bool) -> bool:
    """Whether the night keeps it; then the morning's work is written."""
    until = quiet.held_until(channel=message.channel, template=message.template, at=now(), urgent=urgent)
    if until is None:
        return False
    message.not_before = until
    message.save()
    _again(message, f"held:{until.isoformat()}", until)
    return True


def _prepare(payload: dict[str, Any]) -> None:
    """Ask what it says now, whether it may go now, and write down the try."""
    message = _waiting(payload)
    if message is None:
        return
    if message.expires_at is not None and message.expires_at <= now():
        _end(message, Event.TOO_LATE)
        return
    said = _words(message)
    if isinstance(said, Moot):
        _end(message, Event.MOOT, said.reason)
        return
    if said is not None:
        fill(message, to=said.to, template=said.template, context=said.context)
    message.save()
    if not _held(message, urgent=said is not None and said.urgent):
        _try_add(message)


def _try_add(message: Message) -> None:
    carrier = provider_of(message.channel)
    left = message.receipts.filter(outcome=Outcome.TRYING)
    left.update(outcome=Outcome.UNANSWERED, code="worker_gone")
    MessageReceipt.objects.create(message=message, number=message.receipts.count() + 1, provider=carrier.name)


def _key(message: Message) -> str:
    """One for all tries since the last that surely did not arrive."""
    refused = message.receipts.filter(outcome=Outcome.TEMPORARY).count()
    return f"{message.id}.{refused}"


def _outgoing(message: Message) -> Outgoing:
    context = json.loads(message.context or "{}")
    # Only carriers of SMS and calls have copies of our texts to fill; all else goes as it was written.
    filled = bool(context) and message.channel in PHONE_CHANNELS
    return Outgoing(
        key=_key(message),
        channel=message.channel,
        to=message.to,
        template=message.template,
        text=message.text,
        values=values_of(message.template, message.channel, context) if filled else {},
    )


@worker(WORK, first=_prepare)
def deliver(payload: dict[str, Any]) -> None:
    """Ask the provider once and write down what it answered."""
    message = _waiting(payload)
    receipt = None if message is None else message.receipts.filter(outcome=Outcome.TRYING).first()
    if message is None or receipt is None:
        return
    try:
        sent = provider_of(message.channel).send(_outgoing(message))
    except Refused as error:
        _answered(receipt, Outcome.PERMANENT, error.code)
        _end(message, Event.REFUSED, error.code)
    except TryAgain as error:
        _answered(receipt, Outcome.TEMPORARY, error.code)
        _later(message, receipt)
    except Unanswered as error:
        _answered(receipt, Outcome.UNANSWERED, error.code)
        _later(message, receipt)
    else:
        _accepted(message, receipt, sent)


def _accepted(message: Message, receipt: MessageReceipt, sent: Sent) -> None:
    receipt.provider_id = sent.provider_id[:120]
    _answered(receipt, Outcome.ACCEPTED, sent.code)
    _end(message, Event.TAKEN)
    if message.channel == IN_APP:  # queued by a release in which notices still went through here
        emit(NoticeGiven(user_id=UUID(message.to)))


def _answered(receipt: MessageReceipt, outcome: Outcome, code: str) -> None:
    receipt.outcome, receipt.code, receipt.answered_at = outcome, code[:80], now()
    receipt.save()


def _later(message: Message, receipt: MessageReceipt) -> None:
    """Another try, until the news is too old."""
    since = message.not_before or message.created_at
    if now() - since > quiet.GIVE_UP_AFTER:
        _end(message, Event.REFUSED, "tried_too_long")
        return
    if receipt.number == quiet.WORRY_AFTER:
        _undelivered(message, receipt.code, final=False)
    _again(message, str(receipt.number), now() + quiet.next_try(receipt.number))

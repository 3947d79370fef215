"""What lies below the record and has its own time: sign-ins, codes, messages, kept answers, finished work.

Their tables belong to apps below this one; this is the one list of how long they stay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from hospital.access.models import (
    AccessToken,
    Activation,
    CodeTry,
    KeyChallenge,
    LoginCode,
    NewTotp,
    Proof,
    ProviderRequest,
    RefreshToken,
    TabletOpening,
    Ticket,
    UnknownName,
)
from hospital.common.models import IdempotentRequest, Work
from hospital.common.retention import HANDLING, NETWORK, PATIENT, RECORD, Clock, Part, Rows, Words, span
from hospital.messages.models import Message

from .models import ErasureRequest, Restriction

# Design values. What a sign-in leaves stays long enough to look into what happened yesterday. A refresh token seen
# twice must be known as long as it could be used; a kept answer must outlive the longest time a phone is without a
# network; a message must outlive the question "did you get it?".
OVER = span("over", timedelta(hours=1), ("失效", "the end of its use"))
DAY = span("day", timedelta(days=1), ("产生或失效", "the moment it was made or ended"))
MONTH = span("month", timedelta(days=30), ("完成", "the moment it was done"))


def rows(name: str, words: Words, clock: Clock, old: Callable[[datetime], QuerySet[Any]]) -> Rows:
    """A class whose rows are simply deleted, the oldest keys first, at most so many at once."""

    def clear(before: datetime, limit: int) -> int:
        found = old(before)
        keys = list(found.order_by("pk").values_list("pk", flat=True)[:limit])
        found.model._base_manager.filter(pk__in=keys).delete()
        return len(keys)

    return Rows(name=name, words=words, clock=clock, count=lambda before: old(before).count(), clear=clear)


def _unknown(before: datetime) -> QuerySet[UnknownName]:
    over = Q(locked_until=None) | Q(locked_until__lt=before)
    return UnknownName.objects.filter(over, last_at__lt=before)


def _tokens(before: datetime) -> QuerySet[AccessToken]:
    """Sign-ins say who came from where: the network log of persons. Tickets go with them."""
    return AccessToken.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before))


def _refresh(before: datetime) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(expires_at__lt=before)


def _messages(before: datetime) -> QuerySet[Message]:
    """Queued ones are never cleared: what must be sent is not lost."""
    return Message.objects.exclude(status="queued").filter(created_at__lt=before)


def _codes_said(before: datetime) -> QuerySet[Message]:
    return Message.objects.exclude(status="queued").filter(code__isnull=False, created_at__lt=before)


def _requests(before: datetime) -> QuerySet[ErasureRequest]:
    """Answered so long ago; the one under a restriction that still stands stays with it."""
    live = Restriction.objects.filter(request__isnull=False).values("request_id")
    return ErasureRequest.objects.filter(answered_at__lt=before).exclude(id__in=live)


def _restrictions(patient_id: UUID, before: datetime | None) -> QuerySet[Restriction]:
    return Restriction.objects.filter(patient_id=patient_id)


CLASSES: tuple[Part | Rows, ...] = (
    rows("access.token", ("登录记录", "sign-ins"), NETWORK, _tokens),
    rows("access.refresh_token", ("续期凭证", "refresh tokens"), OVER, _refresh),
    rows(
        "access.ticket",
        ("连接凭证", "socket tickets"),
        DAY,
        lambda at: Ticket.objects.filter(expires_at__lt=at),
    ),
    rows(
        "access.proof",
        ("身份复核凭证", "proofs of identity"),
        OVER,
        lambda at: Proof.objects.filter(expires_at__lt=at),
    ),
    rows(
        "access.login_code",
        ("一次性验证码", "one-time codes"),
        DAY,
        lambda at: LoginCode.objects.filter(created_at__lt=at),
    ),
    rows(
        "access.code_try",
        ("验证码的尝试", "tries at one-time codes"),
        DAY,
        lambda at: CodeTry.objects.filter(at__lt=at),
    ),
    rows("access.unknown_name", ("不存在的用户名", "names that nobody has"), DAY, _unknown),
    rows(
        "access.key_challenge",
        ("安全密钥的质询", "challenges to security keys"),
        DAY,
        lambda at: KeyChallenge.objects.filter(expires_at__lt=at),
    ),
    rows(
        "access.new_totp",
        ("未确认的新验证器", "authenticators that were never confirmed"),
        OVER,
        lambda at: NewTotp.objects.filter(expires_at__lt=at),
    ),
    rows(
        "access.tablet_opening",
        ("床旁平板上的班次", "shifts on a bedside tablet"),
        DAY,
        lambda at: TabletOpening.objects.filter(ends_at__lt=at),
    ),
    rows(
        "access.provider_request",
        ("外部登录的请求", "sign-ins sent to a provider"),
        DAY,
        lambda at: ProviderRequest.objects.filter(expires_at__lt=at),
    ),
    rows(
        "access.activation",
        ("已用的开通码", "activations that were used or closed"),
        MONTH,
        lambda at: Activation.objects.filter(Q(used_at__lt=at) | Q(closed_at__lt=at)),
    ),
    rows(
        "sessions.page",
        ("页面会话", "page sessions"),
        OVER,
        lambda at: Session.objects.filter(expire_date__lt=at),
    ),
    rows(
        "common.answer",
        ("可重复请求的答复", "answers kept for repeated requests"),
        DAY,
        lambda at: IdempotentRequest.objects.filter(started_at__lt=at),
    ),
    rows(
        "common.work",
        ("已完成的后台任务", "finished work"),
        MONTH,
        lambda at: Work.objects.filter(finished_at__lt=at),
    ),
    rows("messages.code", ("含验证码的消息", "messages that held a code"), DAY, _codes_said),
    rows("messages.message", ("已发送的消息", "messages that were sent"), MONTH, _messages),
    rows(
        "keeping.request", ("删除申请与答复", "requests for erasure and their answers"), HANDLING, _requests
    ),
    Part(
        name="keeping.restriction",
        words=("限制使用的记载", "notes of a restriction"),
        subject=PATIENT,
        clock=RECORD,
        order=5,
        count=lambda patient, before: _restrictions(patient, before).count(),
        erase=lambda patient, before: _restrictions(patient, before).delete()[0],
    ),
)

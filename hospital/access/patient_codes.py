"""Patients' one-time codes: six random digits, hashed, 5 minutes, 5 tries, used once; never a fixed one."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from hospital.audit.services import request_address
from hospital.common.clock import now
from hospital.common.crypto import blind_index
from hospital.common.errors import TooMany, Unauthenticated
from hospital.common.locks import limit_lock_wait
from hospital.messages.services import message_send

from .models import AccessToken, CodeTry, LoginCode, PatientAccount
from .phones import phone_index
from .services import PATIENT_LIFE, token_issue

# Design values. A phone has one account, so what is counted over a day by the phone is the account's.
CODE_LIFE, CODE_TRIES_N = timedelta(minutes=5), 5
CODE_EVERY, CODE_PER_HOUR_N, CODE_PER_DAY_N, CODE_PER_ADDRESS_N = timedelta(seconds=60), 5, 10, 60
TRIES_PER_DAY_N, TRIES_PER_ADDRESS_N = 20, 120
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _code_hash(phone: str, code: str) -> bytes:
    """Keyed: a million codes are hashed in a second, so a plain hash would hide nothing."""
    return blind_index("login_code", f"{phone}:{code}")


def _one_at_a_time(key: bytes) -> None:
    """Until the end of the transaction: rates are counted by one request of a phone or address after another."""
    number = int.from_bytes(hashlib.sha256(key).digest()[:8], "big", signed=True)
    limit_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _within(rows: QuerySet[Any], field: str, most: int, span: timedelta, limit: str) -> None:
    """TooMany when `most` rows lie within the span; `limit` says whose limit it is, Retry-After when one is free."""
    times = rows.filter(**{f"{field}__gt": now() - span}).order_by(f"-{field}").values_list(field, flat=True)
    newest = list(times[:most])
    if len(newest) >= most:
        left_s = (newest[-1] + span - now()).total_seconds()
        raise TooMany("too_many", limit=limit, retry_after_s=max(1, math.ceil(left_s)))


def _in_turn(phone: str, address: str) -> None:
    # Always the address first: one order of locks, no deadlock.
    _one_at_a_time(b"code-address:" + address.encode())
    _one_at_a_time(b"code-phone:" + phone_index(phone))


def _within_rates(phone: str, address: str) -> None:
    _in_turn(phone, address)
    mine = LoginCode.objects.filter(phone_index=phone_index(phone))
    _within(mine, "created_at", 1, CODE_EVERY, "phone")
    _within(mine, "created_at", CODE_PER_HOUR_N, HOUR, "phone")
    _within(mine, "created_at", CODE_PER_DAY_N, DAY, "account")
    _within(LoginCode.objects.filter(address=address), "created_at", CODE_PER_ADDRESS_N, HOUR, "address")


def _tried(phone: str, address: str) -> None:
    """Count this try; TooMany beyond the account's or the address's."""
    _in_turn(phone, address)
    mine = CodeTry.objects.filter(phone_index=phone_index(phone))
    _within(mine, "at", TRIES_PER_DAY_N, DAY, "account")
    _within(CodeTry.objects.filter(address=address), "at", TRIES_PER_ADDRESS_N, HOUR, "address")
    CodeTry.objects.create(phone_index=phone_index(phone), address=address)


@transaction.atomic
def code_send(*, phone: str, channel: str, address: str, deliver: bool) -> int:
    """Make a one-time code for a phone in normal form; returns its life in seconds. TooMany beyond the rates.

    With `deliver` false (nobody's phone) all is the same but the message: strangers are not called.
    """
    _within_rates(phone, address)
    code, expires_at = f"{secrets.randbelow(10**6):06d}", now() + CODE_LIFE
    LoginCode.objects.create(
        phone_index=phone_index(phone),
        address=address,
        code_hash=_code_hash(phone, code),
        expires_at=expires_at,
    )
    if deliver:
        message_send(
            to=phone, channel=channel, template="login_code", context={"code": code}, expires_at=expires_at
        )
    return int(CODE_LIFE.total_seconds())


def code_check(*, phone: str, code: str) -> UUID:
    """The phone's newest code, if it is this one; its id, to be consumed. Every try counts, committed at once.

    Unauthenticated `code_invalid`; TooMany `too_many` beyond the tries of an account or an address.
    """
    with transaction.atomic():
        _tried(phone, request_address.get())
        newest = (
            LoginCode.objects.filter(phone_index=phone_index(phone)).order_by("-created_at").values("id")[:1]
        )
        row = LoginCode.objects.select_for_update().filter(id__in=newest).first()
        usable = (
            row is not None and row.used_at is None and row.expires_at > now() and row.attempts < CODE_TRIES_N
        )
        if row is not None and usable:
            row.attempts += 1
            row.save(update_fields=["attempts"])
    if row is None or not usable or not hmac.compare_digest(bytes(row.code_hash), _code_hash(phone, code)):
        raise Unauthenticated("code_invalid")
    return row.id


@transaction.atomic
def code_consume(*, code_id: UUID, phone: str) -> tuple[str, AccessToken]:
    """Use the code up, once, and sign the phone's account in for 30 minutes."""
    if not LoginCode.objects.filter(id=code_id, used_at=None, expires_at__gt=now()).update(used_at=now()):
        raise Unauthenticated("code_invalid")
    return account_sign_in(phone=phone)


def account_sign_in(*, phone: str) -> tuple[str, AccessToken]:
    """A token of 30 minutes for the account of a phone that was just proven; in the caller's transaction."""
    account, _ = PatientAccount.objects.get_or_create(
        phone_index=phone_index(phone), defaults={"phone": phone}
    )
    PatientAccount.objects.filter(id=account.id).update(last_sign_in_at=now())
    return token_issue(life=PATIENT_LIFE, account=account)

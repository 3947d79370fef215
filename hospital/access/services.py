"""Writes of access: sign-in, tokens, step-up, tickets, patients' one-time codes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.crypto import blind_index
from hospital.common.errors import Forbidden, Invalid, TooMany, Unauthenticated
from hospital.messages.services import message_send

from . import selectors, totp
from .models import AccessToken, LoginCode, PatientAccount, Ticket, User
from .principals import SYSTEM, Principal

STAFF_LIFE, PATIENT_LIFE = timedelta(hours=8), timedelta(minutes=30)  # design values
PAGE_LIFE = timedelta(hours=12)
LOCK_AFTER_N, LOCKED_FOR = 5, timedelta(minutes=30)  # SEC-02, usual values
PROOF_LIFE = timedelta(minutes=10)
TICKET_LIFE = timedelta(seconds=30)
CODE_LIFE, CODE_TRIES_N = timedelta(minutes=5), 5
CODE_EVERY, CODE_PER_HOUR_N, CODE_PER_ADDRESS_N = timedelta(seconds=60), 5, 60
SESSION_KEY = "access_token_id"
_PHONE = re.compile(r"^1[3-9][0-9]{9}$", re.ASCII)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def phone_normal(phone: str) -> str:
    """A mainland mobile number, 11 digits. Invalid `phone_invalid` for anything else."""
    plain = re.sub(r"[\s-]", "", phone).removeprefix("+86")
    if not _PHONE.match(plain):
        raise Invalid("phone_invalid")
    return plain


@transaction.atomic
def user_create(*, username: str, name: str, password: str | None = None) -> tuple[User, str, str]:
    """A member of staff with a strong password and a TOTP secret; both are returned once."""
    chosen, secret = password or secrets.token_urlsafe(12), totp.new_secret()
    user = User.objects.create(username=username, name=name, password=make_password(chosen), totp_secret=secret)
    audit_record(principal=SYSTEM, action="user.create", object_kind="user", object_id=user.id)
    return user, chosen, secret


def _credentials_checked(*, username: str, password: str, code: str) -> User:
    """Both factors or nothing: the answer never says which one was wrong. Failures are counted and lock."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(username=username, is_active=True).first()
        if user is None:
            make_password(password)  # the same work as for a known name, so that time tells nothing
            raise Unauthenticated("bad_credentials")
        if user.locked_until and user.locked_until > now():
            raise TooMany("locked", until=user.locked_until.isoformat())
        step = totp.matching_step(user.totp_secret, code, now_s=time.time(), after=user.totp_last_step)
        good = check_password(password, user.password) and step is not None
        _count(user, step if good else None)
    if not good:
        raise Unauthenticated("bad_credentials")
    return user


def _count(user: User, step: int | None) -> None:
    """Note success (the code's step is used up) or failure, in the transaction that looked."""
    if step is not None:
        user.totp_last_step, user.failed_n, user.locked_until = step, 0, None
    else:
        user.failed_n += 1
        if user.failed_n >= LOCK_AFTER_N:
            user.failed_n, user.locked_until = 0, now() + LOCKED_FOR
    user.save(update_fields=["totp_last_step", "failed_n", "locked_until"])
    outcome = "success" if step is not None else "refused"
    actor = selectors.principal_of_user(user)
    audit_record(principal=actor, action="auth.sign_in", object_kind="user", object_id=user.id, outcome=outcome)


def _token(*, life: timedelta, user: User | None = None, account: PatientAccount | None = None) -> tuple[str, AccessToken]:
    token = secrets.token_urlsafe(32)
    row = AccessToken.objects.create(digest=_digest(token), user=user, account=account, expires_at=now() + life)
    return token, row


def staff_sign_in(*, username: str, password: str, code: str) -> tuple[str, AccessToken]:
    """A bearer token for 8 h. Unauthenticated `bad_credentials`, TooMany `locked`."""
    return _token(life=STAFF_LIFE, user=_credentials_checked(username=username, password=password, code=code))


def page_sign_in(*, request: HttpRequest, username: str, password: str, totp: str) -> None:
    """The same for pages: the session holds only the token row's id, under a fresh session key."""
    user = _credentials_checked(username=username, password=password, code=totp)
    _, row = _token(life=PAGE_LIFE, user=user)
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(row.id)


def page_sign_out(*, request: HttpRequest) -> None:
    AccessToken.objects.filter(id=request.session.get(SESSION_KEY)).update(revoked_at=now())
    request.session.flush()


@transaction.atomic
def step_up(*, principal: Principal, code: str) -> datetime:
    """A fresh proof of identity on this token, good for one signature within 10 minutes; returns its end."""
    user = User.objects.select_for_update().get(id=principal.id)
    step = totp.matching_step(user.totp_secret, code, now_s=time.time(), after=user.totp_last_step)
    if step is None:
        raise Forbidden("bad_credentials")
    user.totp_last_step = step
    user.save(update_fields=["totp_last_step"])
    AccessToken.objects.filter(id=principal.token_id).update(stepped_up_at=now())
    audit_record(principal=principal, action="auth.step_up", object_kind="user", object_id=user.id)
    return now() + PROOF_LIFE


def proof_consume(*, principal: Principal) -> None:
    """Use up the proof, once; Forbidden `proof_required` when there is none from the last 10 minutes."""
    fresh = AccessToken.objects.filter(id=principal.token_id, stepped_up_at__gt=now() - PROOF_LIFE)
    if not fresh.update(stepped_up_at=None):
        raise Forbidden("proof_required")


def ticket_issue(*, principal: Principal) -> tuple[str, datetime]:
    ticket, expires_at = secrets.token_urlsafe(24), now() + TICKET_LIFE
    Ticket.objects.create(digest=_digest(ticket), token_id=principal.token_id, expires_at=expires_at)
    return ticket, expires_at


def ticket_redeem(*, ticket: str) -> Principal:
    """The ticket's principal, once; one UPDATE decides between two sockets with the same ticket."""
    digest = _digest(ticket)
    if not Ticket.objects.filter(digest=digest, used_at=None, expires_at__gt=now()).update(used_at=now()):
        raise Unauthenticated("ticket_invalid")
    row = Ticket.objects.get(digest=digest)
    principal = selectors.principal_of_token_id(row.token_id)
    if principal is None:
        raise Unauthenticated("ticket_invalid")
    return principal


def phone_index(phone: str) -> bytes:
    return blind_index("phone", phone)


def _code_hash(phone: str, code: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"{phone}:{code}".encode(), hashlib.sha256)


@transaction.atomic
def code_send(*, phone: str, channel: str, address: str) -> datetime:
    """Send a one-time code; the answer is the same for phones known and unknown. TooMany beyond the rates."""
    phone = phone_normal(phone)
    index, hour_ago = phone_index(phone), now() - timedelta(hours=1)
    recent = LoginCode.objects.filter(phone_index=index, created_at__gt=hour_ago)
    if recent.filter(created_at__gt=now() - CODE_EVERY).exists():
        raise TooMany("too_many", retry_after_s=int(CODE_EVERY.total_seconds()))
    from_address = LoginCode.objects.filter(address=address, created_at__gt=hour_ago).count()
    if recent.count() >= CODE_PER_HOUR_N or from_address >= CODE_PER_ADDRESS_N:
        raise TooMany("too_many", retry_after_s=3600)
    code, expires_at = f"{secrets.randbelow(10**6):06d}", now() + CODE_LIFE
    LoginCode.objects.create(
        phone_index=index, address=address, code_hash=_code_hash(phone, code), expires_at=expires_at
    )
    message_send(to=phone, channel=channel, template="login_code", context={"code": code})
    return expires_at


def code_check(*, phone: str, code: str) -> UUID:
    """The newest code of the phone, if it is this one; its id, to be consumed. Every wrong try counts."""
    phone = phone_normal(phone)
    with transaction.atomic():
        row = (
            LoginCode.objects.select_for_update()
            .filter(phone_index=phone_index(phone), used_at=None, expires_at__gt=now(), attempts__lt=CODE_TRIES_N)
            .order_by("-created_at")
            .first()
        )
        good = row is not None and hmac.compare_digest(bytes(row.code_hash), _code_hash(phone, code))
        if row is not None:
            row.attempts += 1
            row.save(update_fields=["attempts"])
    if row is None or not good:
        raise Unauthenticated("code_invalid")
    return row.id


@transaction.atomic
def code_consume(*, code_id: UUID, phone: str) -> tuple[str, AccessToken]:
    """Use the code up, once, and sign the phone's account in for 30 minutes."""
    if not LoginCode.objects.filter(id=code_id, used_at=None).update(used_at=now()):
        raise Unauthenticated("code_invalid")
    phone = phone_normal(phone)
    account, _ = PatientAccount.objects.get_or_create(phone_index=phone_index(phone), defaults={"phone": phone})
    return _token(life=PATIENT_LIFE, account=account)

"""Writes of access: staff and institutions, sign-in, tokens, step-up, tickets. Patients' codes: `patient_codes`."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from hospital.audit.services import audit_record, request_address
from hospital.common.clock import now
from hospital.common.errors import Forbidden, Invalid, TooMany, Unauthenticated
from hospital.common.locks import limit_lock_wait

from . import rules, selectors, sessions
from . import totp as one_time
from .models import AccessToken, Institution, PatientAccount, Ticket, User
from .phones import phone_index as phone_index
from .phones import phone_normal as phone_normal
from .principals import NOBODY, SYSTEM, Principal

STAFF_LIFE, PATIENT_LIFE = timedelta(hours=8), timedelta(minutes=30)  # design values
PAGE_LIFE = timedelta(hours=12)
LOCK_AFTER_N, LOCKED_FOR = 5, timedelta(minutes=30)  # SEC-02, usual values
PROOF_LIFE = timedelta(minutes=10)
TICKET_LIFE = timedelta(seconds=30)
SESSION_KEY = "access_token_id"
AGENT_MAX = 200


def digest_of(token: str) -> bytes:
    """What is stored of a secret that is long and random by itself."""
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def institution_create(
    *, name: str, name_en: str, short_name: str, region_code: str, uscc: str
) -> Institution:
    """A hospital. Invalid `uscc_invalid` when the credit code's check character is wrong (ID-08)."""
    if not rules.uscc_valid(uscc):
        raise Invalid("uscc_invalid", field="uscc")
    row = Institution.objects.create(
        name=name, name_en=name_en, short_name=short_name, region_code=region_code, uscc=uscc
    )
    audit_record(principal=SYSTEM, action="institution.create", object_kind="institution", object_id=row.id)
    return row


@transaction.atomic
def user_create(*, username: str, name: str, password: str | None = None) -> tuple[User, str, str]:
    """A member of staff: (row, password, TOTP secret); both secrets are returned once. Invalid `password_weak`."""
    chosen, secret = password or secrets.token_urlsafe(12), one_time.new_secret()
    sessions.password_check(password=chosen, username=username)
    user = User.objects.create(
        username=username, name=name, password=make_password(chosen), totp_secret=secret
    )
    audit_record(principal=SYSTEM, action="user.create", object_kind="user", object_id=user.id)
    return user, chosen, secret


def _refused(actor: Principal, action: str, user: User | None, reason: str) -> None:
    audit_record(
        principal=actor,
        action=action,
        object_kind="user",
        object_id=user.id if user else None,
        outcome="refused",
        reason=reason,
    )


def _unlocked(user: User) -> bool:
    return user.locked_until is None or user.locked_until <= now()


def _locked_error(user: User) -> TooMany:
    assert user.locked_until is not None
    left_s = max(1, int((user.locked_until - now()).total_seconds()))
    return TooMany("locked", until=user.locked_until.isoformat(), retry_after_s=left_s)


def _proven(user: User, *, code: str, password: str | None) -> bool:
    """Check what was given under the caller's row lock; use up the code's step, or count the failure."""
    step = one_time.matching_step(user.totp_secret, code, now_s=time.time(), after=user.totp_last_step)
    known = password is None or check_password(password, user.password)
    if known and step is not None:
        user.totp_last_step, user.failed_n, user.locked_until = step, 0, None
    else:
        user.failed_n += 1
        if user.failed_n >= LOCK_AFTER_N:
            user.failed_n, user.locked_until = 0, now() + LOCKED_FOR
    user.save(update_fields=["totp_last_step", "failed_n", "locked_until"])
    return known and step is not None


def _credentials_checked(*, username: str, password: str, code: str) -> User:
    """Both factors or nothing: the answer never says which one was wrong. Failures are counted and lock.

    The refusal's row and the counter are committed before the error leaves.
    """
    with transaction.atomic():
        limit_lock_wait()
        named = {"username": username.replace("\0", ""), "is_active": True}
        user = User.objects.select_for_update().filter(**named).first()
        locked = user is not None and not _unlocked(user)
        if user is None:
            make_password(password)  # the same work as for a known name, so that time tells nothing
        elif not locked and _proven(user, code=code, password=password):
            actor = selectors.principal_of_user(user)
            audit_record(principal=actor, action="auth.sign_in", object_kind="user", object_id=user.id)
            return user
        _refused(NOBODY, "auth.sign_in", user, "locked" if locked else "bad_credentials")
    if user is not None and locked:
        raise _locked_error(user)
    raise Unauthenticated("bad_credentials")


def _idle_s(user: User | None) -> int | None:
    """Patients' tokens are short already and end only by the clock."""
    return None if user is None else sessions.idle_s_of(user.memberships.values_list("role", flat=True))


def token_issue(
    *, life: timedelta, user: User | None = None, account: PatientAccount | None = None, agent: str = ""
) -> tuple[str, AccessToken]:
    """An opaque random token; only its digest stays here. A member of staff's ends when it is not used."""
    token = secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        digest=digest_of(token),
        user=user,
        account=account,
        expires_at=now() + life,
        idle_s=_idle_s(user),
        address=request_address.get(),
        agent=agent[:AGENT_MAX],
    )
    return token, row


@transaction.atomic
def _password_renewed(user: User, new_password: str, *, keep: UUID | None = None) -> None:
    """An old password opens nothing but its own change (SEC-01). All other sign-ins of the person end."""
    if new_password:
        sessions.password_check(password=new_password, username=user.username, before=user.password)
        sessions.password_set(user=user, password=new_password, keep=keep)
        actor = selectors.principal_of_user(user)
        audit_record(principal=actor, action="auth.password", object_kind="user", object_id=user.id)
    elif sessions.password_old(user):
        raise Forbidden("password_old")


def password_change(*, principal: Principal, password: str, new_password: str, code: str) -> None:
    """A new password, proven with both factors; this sign-in stays, the person's others end.

    Invalid `password_weak` or `password_same`, Unauthenticated `bad_credentials`, TooMany `locked`.
    """
    user = User.objects.get(id=principal.id)
    sessions.password_check(password=new_password, username=user.username)
    user = _credentials_checked(username=user.username, password=password, code=code)
    _password_renewed(user, new_password, keep=_token_id(principal))


def _worth_a_code(username: str, new_password: str) -> None:
    """Refuse a weak new password before the one-time code is used up by it."""
    if new_password:
        sessions.password_check(password=new_password, username=username)


def staff_sign_in(
    *, username: str, password: str, code: str, new_password: str = "", agent: str = ""
) -> tuple[str, AccessToken]:
    """A bearer token for 8 h. Unauthenticated `bad_credentials`, TooMany `locked`, Forbidden `password_old`.

    With `new_password` the password is changed in the same step; all other sign-ins of the person end.
    """
    _worth_a_code(username, new_password)
    user = _credentials_checked(username=username, password=password, code=code)
    _password_renewed(user, new_password)
    return token_issue(life=STAFF_LIFE, user=user, agent=agent)


def page_sign_in(
    *, request: HttpRequest, username: str, password: str, totp: str, new_password: str = ""
) -> None:
    """The same for pages: a new session holds only the token row's id; what was there before ends."""
    _worth_a_code(username, new_password)
    user = _credentials_checked(username=username, password=password, code=totp)
    _password_renewed(user, new_password)
    page_sign_out(request=request)
    _, row = token_issue(life=PAGE_LIFE, user=user, agent=request.headers.get("User-Agent", ""))
    request.session[SESSION_KEY] = str(row.id)
    rotate_token(request)


def page_sign_out(*, request: HttpRequest) -> None:
    if token_id := request.session.get(SESSION_KEY):
        AccessToken.objects.filter(id=token_id, revoked_at=None).update(revoked_at=now())
    request.session.flush()


def _token_id(principal: Principal) -> UUID:
    """Robots and the system have no token, so they can neither sign nor open a page's socket."""
    if principal.token_id is None:
        raise Forbidden("not_permitted")
    return principal.token_id


def step_up(*, principal: Principal, code: str) -> datetime:
    """A fresh proof of identity on this token, good for one signature within 10 minutes; returns its end.

    Forbidden `bad_credentials` for a wrong or used code, TooMany `locked`: failures count as at sign-in.
    """
    with transaction.atomic():
        limit_lock_wait()
        user = User.objects.select_for_update().get(id=principal.id)
        locked = not _unlocked(user)
        good = not locked and _proven(user, code=code, password=None)
        if good:
            AccessToken.objects.filter(id=_token_id(principal)).update(stepped_up_at=now())
            audit_record(principal=principal, action="auth.step_up", object_kind="user", object_id=user.id)
        else:
            _refused(principal, "auth.step_up", user, "locked" if locked else "bad_credentials")
    if locked:
        raise _locked_error(user)
    if not good:
        raise Forbidden("bad_credentials")
    return now() + PROOF_LIFE


def proof_consume(*, principal: Principal) -> None:
    """Use up the proof, once; Forbidden `proof_required` when there is none from the last 10 minutes.

    In the caller's transaction: a signature that is rolled back leaves the proof unused.
    """
    mine = AccessToken.objects.filter(id=_token_id(principal), revoked_at=None)
    if not mine.filter(stepped_up_at__gt=now() - PROOF_LIFE).update(stepped_up_at=None):
        raise Forbidden("proof_required")


def ticket_issue(*, principal: Principal) -> tuple[str, datetime]:
    """(ticket, its end): opens one socket within 30 s."""
    ticket, expires_at = secrets.token_urlsafe(24), now() + TICKET_LIFE
    Ticket.objects.create(digest=digest_of(ticket), token_id=_token_id(principal), expires_at=expires_at)
    return ticket, expires_at


def ticket_redeem(*, ticket: str) -> Principal:
    """The ticket's principal, once; one UPDATE decides between two sockets with the same ticket."""
    digest = digest_of(ticket)
    if not Ticket.objects.filter(digest=digest, used_at=None, expires_at__gt=now()).update(used_at=now()):
        raise Unauthenticated("ticket_invalid")
    row = Ticket.objects.get(digest=digest)
    principal = selectors.principal_of_token_id(row.token_id)
    if principal is None:
        raise Unauthenticated("ticket_invalid")
    return principal

"""Writes of access: staff and institutions, sign-in, tokens, step-up, tickets. Patients' codes: `patient_codes`."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from hospital.audit.services import audit_record, request_address
from hospital.common.clock import now
from hospital.common.errors import Forbidden, Invalid, Unauthenticated
from hospital.common.locks import limit_lock_wait

from . import rules, selectors, sessions, stale
from . import totp as one_time
from .factors import Given, locked_error, name_unknown, proven, refused, unlocked
from .keys import Touch
from .models import AccessToken, Institution, PatientAccount, Tablet, Ticket, UnknownName, User
from .phones import phone_index as phone_index
from .phones import phone_normal as phone_normal
from .principals import NOBODY, SYSTEM, Principal
from .proofs import proof_consume as proof_consume
from .proofs import step_up as step_up
from .proofs import token_id_of

STAFF_LIFE, PATIENT_LIFE = timedelta(hours=8), timedelta(minutes=30)  # design values
PAGE_LIFE = timedelta(hours=12)
TICKET_LIFE = timedelta(seconds=30)
SESSION_KEY = "access_token_id"
AGENT_MAX = 200


def digest_of(token: str) -> bytes:
    """What is stored of a secret that is long and random by itself."""
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def institution_create(
    *, name: str, name_en: str, short_name: str, region_code: str, uscc: str, principal: Principal = SYSTEM
) -> Institution:
    """A hospital. Invalid `uscc_invalid` when the credit code's check character is wrong (ID-08)."""
    if not rules.uscc_valid(uscc):
        raise Invalid("uscc_invalid", field="uscc")
    row = Institution.objects.create(
        name=name, name_en=name_en, short_name=short_name, region_code=region_code, uscc=uscc
    )
    audit_record(
        principal=principal, action="institution.create", object_kind="institution", object_id=row.id
    )
    return row


@transaction.atomic
def user_create(
    *, username: str, name: str, password: str | None = None, principal: Principal = SYSTEM
) -> tuple[User, str, str]:
    """A member of staff: (row, password, TOTP secret); both secrets are returned once. Invalid `password_weak`."""
    chosen, secret = password or secrets.token_urlsafe(12), one_time.new_secret()
    sessions.password_check(password=chosen, username=username)
    user = User.objects.create(
        username=username, name=name, password=make_password(chosen), totp_secret=secret
    )
    audit_record(principal=principal, action="user.create", object_kind="user", object_id=user.id)
    return user, chosen, secret


def signed_in_recorded(user: User, method: str, **details: str) -> None:
    """A sign-in is on record and counts as use of the account."""
    User.objects.filter(id=user.id).update(last_sign_in_at=now())
    actor = selectors.principal_of_user(user)
    audit_record(
        principal=actor,
        action="auth.sign_in",
        object_kind="user",
        object_id=user.id,
        details={"method": method, **details},
    )


def _credentials_checked(*, username: str, password: str, given: Given) -> User:
    """Both factors or nothing: the answer never says which one was wrong. Failures are counted and lock.

    The refusal's row and the counter are committed before the error leaves.
    """
    with transaction.atomic():
        limit_lock_wait()
        name = username.replace("\0", "")
        user = User.objects.select_for_update().filter(username=name, is_active=True).first()
        locked: User | UnknownName | None
        if user is None or stale.is_stale(user):
            make_password(password)  # the same work as for a known name, so that time tells nothing
            locked = name_unknown(name)
        elif not unlocked(user):
            check_password(password, user.password)  # nor does it tell that somebody is locked
            locked = user
        elif proven(user, given, password=password):
            signed_in_recorded(user, given.method)
            return user
        else:
            locked = None
        refused(NOBODY, "auth.sign_in", user, "locked" if locked else "bad_credentials")
    if locked is not None:
        raise locked_error(locked)
    raise Unauthenticated("bad_credentials")


def _idle_s(user: User | None) -> int | None:
    """Patients' tokens are short already and end only by the clock."""
    return None if user is None else sessions.idle_s_of(user.memberships.values_list("role", flat=True))


def token_issue(
    *,
    life: timedelta,
    user: User | None = None,
    account: PatientAccount | None = None,
    agent: str = "",
    tablet: Tablet | None = None,
    bedside_only: bool = False,
) -> tuple[str, AccessToken]:
    """An opaque random token; only its digest stays here. A member of staff's ends when it is not used.

    A change of person at the bedside is no sign-in with both factors: it has proven nothing for deeds that need them.
    """
    token = secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        digest=digest_of(token),
        user=user,
        account=account,
        expires_at=now() + life,
        idle_s=_idle_s(user),
        proven_at=now() if user is not None and not bedside_only else None,
        tablet=tablet,
        bedside_only=bedside_only,
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


def password_change(
    *,
    principal: Principal,
    password: str,
    new_password: str,
    code: str = "",
    touch: Touch | None = None,
) -> None:
    """A new password, proven with both factors; this sign-in stays, the person's others end.

    Invalid `password_weak` or `password_same`, Unauthenticated `bad_credentials`, TooMany `locked`.
    """
    user = User.objects.get(id=principal.id)
    sessions.password_check(password=new_password, username=user.username)
    given = Given(code=code, touch=touch)
    user = _credentials_checked(username=user.username, password=password, given=given)
    _password_renewed(user, new_password, keep=token_id_of(principal))


def _worth_a_code(username: str, new_password: str) -> None:
    """Refuse a weak new password before the one-time code is used up by it."""
    if new_password:
        sessions.password_check(password=new_password, username=username)


def staff_sign_in(
    *,
    username: str,
    password: str,
    code: str = "",
    touch: Touch | None = None,
    new_password: str = "",
    agent: str = "",
) -> tuple[str, AccessToken]:
    """A bearer token for 8 h. Unauthenticated `bad_credentials`, TooMany `locked`, Forbidden `password_old`.

    With `new_password` the password is changed in the same step; all other sign-ins of the person end.
    """
    _worth_a_code(username, new_password)
    given = Given(code=code, touch=touch)
    user = _credentials_checked(username=username, password=password, given=given)
    _password_renewed(user, new_password)
    return token_issue(life=STAFF_LIFE, user=user, agent=agent)


def page_sign_in(
    *,
    request: HttpRequest,
    username: str,
    password: str,
    totp: str = "",
    touch: Touch | None = None,
    new_password: str = "",
) -> None:
    """The same for pages: a new session holds only the token row's id; what was there before ends."""
    _worth_a_code(username, new_password)
    given = Given(code=totp, touch=touch)
    user = _credentials_checked(username=username, password=password, given=given)
    _password_renewed(user, new_password)
    page_begin(request=request, user=user)


def page_begin(*, request: HttpRequest, user: User) -> None:
    """A new page session of somebody whose factors were just seen."""
    page_sign_out(request=request)
    _, row = token_issue(life=PAGE_LIFE, user=user, agent=request.headers.get("User-Agent", ""))
    request.session[SESSION_KEY] = str(row.id)
    rotate_token(request)


def page_sign_out(*, request: HttpRequest) -> None:
    if token_id := request.session.get(SESSION_KEY):
        AccessToken.objects.filter(id=token_id, revoked_at=None).update(revoked_at=now())
    request.session.flush()


def ticket_issue(*, principal: Principal) -> tuple[str, datetime]:
    """(ticket, its end): opens one socket within 30 s."""
    ticket, expires_at = secrets.token_urlsafe(24), now() + TICKET_LIFE
    Ticket.objects.create(digest=digest_of(ticket), token_id=token_id_of(principal), expires_at=expires_at)
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

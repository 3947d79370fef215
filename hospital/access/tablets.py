"""Bedside tablets: pairing one with a room, and a change of person on it within seconds.

A change is proven by three things together: the tablet's own key over a challenge of ours, the person's sign-in with
both factors on this tablet earlier in the shift, and the person's PIN or security key. None is of use alone, and the
PIN nowhere else. What begins is a sign-in for the bedside only; the one before it on this tablet is over.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from hospital.common.locks import limit_lock_wait

from . import keys, rules, sessions, stale
from .factors import unlocked
from .models import AccessToken, BedsidePin, KeyChallenge, SecurityKey, Tablet, TabletOpening, User
from .principals import NOBODY, Principal
from .proofs import recently_proven, token_id_of
from .selectors import principal_of_token
from .services import SESSION_KEY, digest_of, token_issue
from .table import places

MANAGE = "tablet.manage"
CODE_LIFE = timedelta(minutes=15)  # design value: from the desk to the room and typed there
ALPHABET, CODE_LEN = "ABCDEFGHJKMNPQRSTUVWXYZ23456789", 10
PIN_TRIES = 5  # SEC-02's usual number; then only a sign-in with both factors opens the tablet again
SIGNATURE_LEN = 64  # r and s of P-256, as WebCrypto gives them
CURVE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A tablet's answer to a challenge: base64url of r || s over `message`."""

    tablet_id: UUID
    challenge_id: UUID
    signature: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who wants to stand here, and what they gave: six digits or an assertion of their key."""

    user_id: UUID
    pin: str = ""
    credential: dict[str, Any] = field(default_factory=dict)


def message(*, purpose: str, tablet_id: UUID, user_id: UUID | None, challenge: bytes) -> bytes:
    """What the tablet signs: bound to one purpose (roster, open, change) and, for a change, to one person."""
    lines = ("bedside tablet 1", purpose, tablet_id, user_id or "", bytes_to_base64url(challenge))
    return "\n".join(str(line) for line in lines).encode()


def signature_holds(public_key: bytes, signature: str, signed: bytes) -> bool:
    """ECDSA P-256 over SHA-256."""
    try:
        raw = base64url_to_bytes(signature)
        key = serialization.load_der_public_key(public_key)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        if len(raw) != SIGNATURE_LEN:
            return False
        r, s = (int.from_bytes(part) for part in (raw[:CURVE_BYTES], raw[CURVE_BYTES:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _noted(principal: Principal, action: str, tablet: Tablet, **details: Any) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="tablet",
        object_id=tablet.id,
        institution_id=tablet.institution_id,
        details={key: str(value) for key, value in details.items()},
    )


def tablets_of(principal: Principal) -> list[Tablet]:
    """Those of the institutions in which the caller may pair, in use first."""
    mine = Tablet.objects.filter(institution_id__in=places(principal, MANAGE))
    return list(mine.order_by("revoked_at", "name"))[:200]


def tablet_offer(
    *, principal: Principal, institution_id: UUID | None, room_id: UUID, name: str
) -> tuple[Tablet, str]:
    """A tablet to be paired within 15 min and the code for it, told once. NotFound, Conflict `tablet_name_taken`.

    The caller says whose room it is; `institution_id` None is a room that is not there.
    """
    if institution_id is None or institution_id not in places(principal, MANAGE):
        raise NotFound()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LEN))
    try:
        with transaction.atomic():
            tablet = Tablet.objects.create(
                institution_id=institution_id,
                room_id=room_id,
                name=name.strip(),
                code_digest=digest_of(code),
                code_expires_at=now() + CODE_LIFE,
                created_by_id=principal.id,
            )
            _noted(principal, "tablet.offer", tablet, room=room_id)
    except IntegrityError as error:
        raise Conflict("tablet_name_taken") from error
    return tablet, f"{code[:5]}-{code[5:]}"


def _key_checked(spki: str) -> bytes:
    try:
        raw = base64url_to_bytes(spki)
        key = serialization.load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid("tablet_key_invalid") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Invalid("tablet_key_invalid")
    return raw


def _code_plain(code: str) -> str:
    return "".join(code.upper().split()).replace("-", "")


@transaction.atomic
def tablet_pair(*, code: str, public_key: str, signature: str) -> Tablet:
    """Bind the browser's key (SPKI, base64url), which has signed the code, to the tablet that the code names; once.

    Unauthenticated `tablet_code_invalid`, Invalid `tablet_key_invalid`.
    """
    limit_lock_wait()
    plain, spki = _code_plain(code), _key_checked(public_key)
    waiting = Tablet.objects.select_for_update().filter(
        code_digest=digest_of(plain), code_expires_at__gt=now(), revoked_at=None
    )
    tablet = waiting.first()
    if tablet is None:
        raise Unauthenticated("tablet_code_invalid")
    if not signature_holds(spki, signature, f"bedside tablet 1\npair\n{plain}".encode()):
        raise Invalid("tablet_key_invalid")
    tablet.public_key, tablet.paired_at, tablet.code_digest = spki, now(), None
    tablet.save(update_fields=["public_key", "paired_at", "code_digest"])
    _noted(NOBODY, "tablet.pair", tablet)
    return tablet


@transaction.atomic
def tablet_revoke(*, principal: Principal, tablet_id: UUID) -> None:
    """Lost, stolen or replaced: nothing it holds works from the next request on, and its sockets close."""
    limit_lock_wait()
    mine = Tablet.objects.select_for_update().filter(institution_id__in=places(principal, MANAGE))
    tablet = mine.filter(id=tablet_id, revoked_at=None).first()
    if tablet is None:
        raise NotFound()
    tablet.revoked_at, tablet.revoked_by_id, tablet.code_digest = now(), principal.id, None
    tablet.save(update_fields=["revoked_at", "revoked_by", "code_digest"])
    AccessToken.objects.filter(tablet=tablet, revoked_at=None).update(revoked_at=now())
    TabletOpening.objects.filter(tablet=tablet).delete()
    _noted(principal, "tablet.revoke", tablet)


def _paired(tablet_id: UUID, *, locked: bool = False) -> Tablet | None:
    rows = Tablet.objects.select_for_update() if locked else Tablet.objects.all()
    return rows.filter(id=tablet_id, paired_at__isnull=False, revoked_at=None).first()


def challenge_issue(*, tablet_id: UUID) -> dict[str, Any]:
    """{challenge_id, expires_at, options}; Unauthenticated `tablet_unknown` for a tablet that is not paired."""
    if _paired(tablet_id) is None:
        raise Unauthenticated("tablet_unknown")
    return keys.tablet_options(keys.tablet_challenge(tablet_id=tablet_id))


def _device_holds(tablet: Tablet, signed: Signed, purpose: str, user_id: UUID | None) -> bytes | None:
    """The challenge that this tablet's key signed for this purpose; used up in any case, None when it did not."""
    challenge = keys.tablet_challenge_taken(challenge_id=signed.challenge_id, tablet_id=tablet.id)
    if challenge is None or tablet.public_key is None:
        return None
    said = message(purpose=purpose, tablet_id=tablet.id, user_id=user_id, challenge=challenge)
    return challenge if signature_holds(bytes(tablet.public_key), signed.signature, said) else None


def roster(*, signed: Signed) -> tuple[Tablet, list[dict[str, Any]]]:
    """The tablet, and who may change in on it: [{id, name (masked), pin, key}], newest sign-in first."""
    tablet = _paired(signed.tablet_id)
    if tablet is None or _device_holds(tablet, signed, "roster", None) is None:
        raise Unauthenticated("tablet_unknown")
    rows = TabletOpening.objects.filter(tablet=tablet, ends_at__gt=now()).select_related("user")
    keyed = set(SecurityKey.objects.filter(suspended_at=None).values_list("user_id", flat=True))
    pinned = set(BedsidePin.objects.values_list("user_id", flat=True))
    return tablet, [
        {
            "id": str(row.user_id),
            "name": rules.name_masked(row.user.name),
            "pin": row.user_id in pinned,
            "key": row.user_id in keyed,
        }
        for row in rows.order_by("-opened_at")
        if _may_stand(row.user, tablet, row)
    ]


def _may_stand(user: User, tablet: Tablet, opening: TabletOpening) -> bool:
    """An account in good standing, with a bedside role here, that signed in since its password was set."""
    here = user.memberships.filter(institution_id=tablet.institution_id, role__in=rules.BEDSIDE_ROLES)
    sound = user.is_active and unlocked(user) and not stale.is_stale(user) and not sessions.password_old(user)
    return sound and opening.opened_at >= user.password_set_at and here.exists()


@transaction.atomic
def tablet_open(*, principal: Principal, signed: Signed, pin: str = "") -> None:
    """Note the caller's sign-in with both factors, on this tablet, for the shift; with `pin` also a new PIN.

    Forbidden `step_up_required` when it is older than 10 min, `tablet_elsewhere` without a bedside role there;
    Unauthenticated `tablet_unknown`, Invalid `pin_weak`.
    """
    limit_lock_wait()
    recently_proven(principal=principal)
    if pin and rules.pin_weak(pin):
        raise Invalid("pin_weak", field="pin")
    tablet = _paired(signed.tablet_id, locked=True)
    if tablet is None or _device_holds(tablet, signed, "open", principal.id) is None:
        raise Unauthenticated("tablet_unknown")
    if not any(principal.has(role, tablet.institution_id) for role in rules.BEDSIDE_ROLES):
        raise Forbidden("tablet_elsewhere")
    ends_at = now() + timedelta(hours=settings.TABLET_SHIFT_HOURS)
    TabletOpening.objects.update_or_create(
        tablet=tablet, user_id=principal.id, defaults={"opened_at": now(), "ends_at": ends_at}
    )
    if pin:
        BedsidePin.objects.update_or_create(
            user_id=principal.id, defaults={"digest": make_password(pin), "set_at": now(), "failed_n": 0}
        )
    BedsidePin.objects.filter(user_id=principal.id).update(failed_n=0)
    AccessToken.objects.filter(id=token_id_of(principal)).update(tablet=tablet)
    _noted(principal, "tablet.open", tablet, pin=bool(pin))


def person_proven(*, signed: Signed, person: Person) -> None:
    """Tablet and person together, or Unauthenticated `tablet_refused`, which says no more than that.

    Tries and refusals are committed before the error leaves. Of two at once on one tablet the first one counts: every
    other challenge that is open is used up with it.
    """
    with transaction.atomic():
        limit_lock_wait()
        tablet = _paired(signed.tablet_id, locked=True)
        good = tablet is not None and _proven(tablet, signed, person)
        if good:
            others = KeyChallenge.objects.filter(tablet_id=signed.tablet_id, used_at=None)
            others.update(used_at=now())
        elif tablet is not None:
            _refused(tablet, person)
    if not good:
        raise Unauthenticated("tablet_refused")


def _refused(tablet: Tablet, person: Person) -> None:
    audit_record(
        principal=NOBODY,
        action="tablet.change",
        object_kind="tablet",
        object_id=tablet.id,
        institution_id=tablet.institution_id,
        outcome="refused",
        reason="tablet_refused",
        details={"user_id": str(person.user_id)},
    )


def _proven(tablet: Tablet, signed: Signed, person: Person) -> bool:
    challenge = _device_holds(tablet, signed, "change", person.user_id)
    if challenge is None:
        return False
    user = User.objects.select_for_update().filter(id=person.user_id).first()
    opening = TabletOpening.objects.filter(tablet=tablet, user=user, ends_at__gt=now()).first()
    if user is None or opening is None or not _may_stand(user, tablet, opening):
        make_password(person.pin)  # the same work as for somebody who is known here
        return False
    if person.credential:
        return keys.key_touched(user=user, challenge=challenge, credential=person.credential)
    return _pin_holds(user, person.pin)


def _pin_holds(user: User, pin: str) -> bool:
    """Under the person's row lock: count the failure; the last one ends what the person has open on every tablet."""
    row = BedsidePin.objects.filter(user=user).first()
    if row is None or row.failed_n >= PIN_TRIES or row.set_at < user.password_set_at:
        make_password(pin)
        return False
    if check_password(pin, row.digest):
        BedsidePin.objects.filter(user=user).update(failed_n=0)
        return True
    row.failed_n += 1
    row.save(update_fields=["failed_n"])
    if row.failed_n >= PIN_TRIES:
        TabletOpening.objects.filter(user=user).delete()
    return False


def seat_taken(*, signed: Signed, user_id: UUID, before: UUID | None, agent: str) -> AccessToken:
    """The new person's sign-in for the bedside, after `person_proven`; every other one of the tablet ends with it.

    `before` is the sign-in of the browser's own session. In the caller's transaction.
    """
    limit_lock_wait()
    tablet = _paired(signed.tablet_id, locked=True)
    if tablet is None:
        raise Unauthenticated("tablet_refused")
    AccessToken.objects.filter(tablet=tablet, revoked_at=None).update(revoked_at=now())
    if before is not None:
        AccessToken.objects.filter(id=before, revoked_at=None).update(revoked_at=now())
    opening = TabletOpening.objects.select_related("user").get(tablet=tablet, user_id=user_id)
    _, row = token_issue(
        life=opening.ends_at - now(), user=opening.user, agent=agent, tablet=tablet, bedside_only=True
    )
    Tablet.objects.filter(id=tablet.id).update(last_used_at=now())
    _noted(principal_of_token(row), "tablet.change", tablet)
    return row


def seat_session(*, request: HttpRequest, row: AccessToken) -> None:
    """The browser's session is the new person's, once the change is committed."""
    request.session.flush()
    request.session[SESSION_KEY] = str(row.id)
    rotate_token(request)


def session_token_of(request: HttpRequest) -> UUID | None:
    found = request.session.get(SESSION_KEY)
    return UUID(found) if found else None


def room_seen(room_id: UUID) -> tuple[bool, datetime | None]:
    """(the room has a paired tablet, when one of them was last used)."""
    rows = Tablet.objects.filter(room_id=room_id, revoked_at=None, paired_at__isnull=False)
    found = list(rows.values_list("last_used_at", flat=True))
    return bool(found), max((at for at in found if at), default=None)


def still_seated(token_id: UUID | None) -> bool:
    """False when this sign-in was on a tablet and was ended, by a change of person or by taking the pairing back.

    One that merely ran out keeps its live page: the bedside must not lose it under a patient.
    """
    if token_id is None:
        return True
    ended = AccessToken.objects.filter(id=token_id, tablet__isnull=False, revoked_at__isnull=False)
    return not ended.exists()

"""Security keys and passkeys (WebAuthn level 3): challenges, registration, what an assertion proves.

Keys are discoverable: sign-in names no credential, so it gives away neither who exists nor which keys they have. A
touch is enough (user presence): the password, or the sign-in that is stepped up, is the other factor.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hospital.audit.services import audit_record, request_address
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound, TooMany
from hospital.common.locks import limit_lock_wait

from .models import KeyChallenge, SecurityKey, User
from .principals import Principal

CHALLENGE_LIFE = timedelta(minutes=2)  # design value: find the key, touch it
# Design values: a hospital behind one address signs in at the change of shift.
SIGN_IN_PER_ADDRESS_N, SIGN_IN_WINDOW = 120, timedelta(minutes=5)
KEYS_PER_PERSON_N = 10
RP_NAME = "Yangtze Delta Internet Hospital"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a proof is good for: one action on one object in one version. All empty: any one signature."""

    action: str = ""
    object_id: UUID | None = None
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Touch:
    """An assertion as the browser gives it (`PublicKeyCredential.toJSON()`), and the challenge it answers."""

    challenge_id: UUID
    credential: dict[str, Any]


def _challenge(*, purpose: str, principal: Principal | None = None, deed: Deed | None = None) -> KeyChallenge:
    deed = deed or Deed()
    return KeyChallenge.objects.create(
        challenge=secrets.token_bytes(32),
        purpose=purpose,
        token_id=principal.token_id if principal else None,
        address=request_address.get(),
        action=deed.action,
        object_id=deed.object_id,
        version=deed.version,
        expires_at=now() + CHALLENGE_LIFE,
    )


def _asked(row: KeyChallenge, options: Any) -> dict[str, Any]:
    return {
        "challenge_id": str(row.id),
        "expires_at": row.expires_at.isoformat(),
        "options": json.loads(options_to_json(options)),
    }


def _assertion_options(row: KeyChallenge, credentials: list[bytes]) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        challenge=bytes(row.challenge),
        timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
        allow_credentials=[PublicKeyCredentialDescriptor(id=found) for found in credentials],
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return _asked(row, options)


def _usable(user_id: UUID) -> list[bytes]:
    rows = SecurityKey.objects.filter(user_id=user_id, suspended_at=None)
    return [bytes(found) for found in rows.values_list("credential_id", flat=True)]


def sign_in_challenge() -> dict[str, Any]:
    """{challenge_id, expires_at, options} for anybody who is about to sign in; TooMany beyond the address's rate."""
    began = now() - SIGN_IN_WINDOW
    recent = KeyChallenge.objects.filter(
        purpose="sign_in", address=request_address.get(), created_at__gt=began
    )
    if recent.count() >= SIGN_IN_PER_ADDRESS_N:
        raise TooMany("too_many", retry_after_s=int(SIGN_IN_WINDOW.total_seconds()))
    return _assertion_options(_challenge(purpose="sign_in"), [])


def proof_challenge(*, principal: Principal, deed: Deed) -> dict[str, Any]:
    """The same for one deed of somebody signed in. Conflict `no_key` without a key that counts."""
    credentials = _usable(principal.id)
    if not credentials:
        raise Conflict("no_key")
    return _assertion_options(_challenge(purpose="proof", principal=principal, deed=deed), credentials)


def register_challenge(*, principal: Principal) -> dict[str, Any]:
    """What a new key is made with. The caller has used up a fresh proof: a factor is added by its owner only."""
    user = User.objects.get(id=principal.id)
    known = list(SecurityKey.objects.filter(user=user).values_list("credential_id", flat=True))
    if len(known) >= KEYS_PER_PERSON_N:
        raise Conflict("too_many_keys")
    row = _challenge(purpose="register", principal=principal)
    options = generate_registration_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        rp_name=RP_NAME,
        user_id=user.id.bytes,
        user_name=user.username,
        user_display_name=user.name,
        challenge=bytes(row.challenge),
        timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(found)) for found in known],
    )
    return _asked(row, options)


def _taken(*, challenge_id: UUID, purpose: str, token_id: UUID | None) -> KeyChallenge | None:
    """The challenge, used up whatever comes of it; None when it is used, old or another's. One UPDATE decides."""
    mine = KeyChallenge.objects.filter(id=challenge_id, purpose=purpose, token_id=token_id)
    if not mine.filter(used_at=None, expires_at__gt=now()).update(used_at=now()):
        return None
    return KeyChallenge.objects.get(id=challenge_id)


def key_register(
    *, principal: Principal, challenge_id: UUID, credential: dict[str, Any], name: str
) -> SecurityKey:
    """Keep a new key. Invalid `key_refused` for what is not an answer to our challenge, Conflict `key_known`."""
    row = _taken(challenge_id=challenge_id, purpose="register", token_id=principal.token_id)
    if row is None:
        raise Invalid("challenge_invalid")
    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=bytes(row.challenge),
            expected_rp_id=settings.WEBAUTHN_RP_ID,
            expected_origin=settings.WEBAUTHN_ORIGINS,
            require_user_verification=False,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Invalid("key_refused") from error
    try:
        with transaction.atomic():
            key = SecurityKey.objects.create(
                user_id=principal.id,
                credential_id=found.credential_id,
                public_key=found.credential_public_key,
                sign_count=found.sign_count,
                aaguid=str(found.aaguid),
                backed_up=found.credential_backed_up,
                name=name.strip(),
            )
            audit_record(
                principal=principal, action="auth.key_add", object_kind="security_key", object_id=key.id
            )
    except IntegrityError as error:
        raise Conflict("key_known") from error
    return key


def keys_of(principal: Principal) -> list[dict[str, Any]]:
    """The caller's own keys, oldest first."""
    return [
        {
            "id": str(key.id),
            "name": key.name,
            "created_at": key.created_at.isoformat(),
            "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            "backed_up": key.backed_up,
            "suspended": key.suspended_at is not None,
        }
        for key in SecurityKey.objects.filter(user_id=principal.id).order_by("created_at")
    ]


@transaction.atomic
def key_remove(*, principal: Principal, key_id: UUID) -> None:
    """NotFound for anybody else's; Conflict `last_factor` when nothing would be left to prove oneself with."""
    limit_lock_wait()
    user = User.objects.select_for_update().get(id=principal.id)
    key = SecurityKey.objects.filter(id=key_id, user=user).first()
    if key is None:
        raise NotFound()
    others = SecurityKey.objects.filter(user=user, suspended_at=None).exclude(id=key.id)
    if not user.totp_secret and not others.exists():
        raise Conflict("last_factor")
    key.delete()
    audit_record(principal=principal, action="auth.key_remove", object_kind="security_key", object_id=key_id)


def _key_named(touch: Touch, user: User) -> SecurityKey | None:
    try:
        credential_id = base64url_to_bytes(str(touch.credential["id"]))
    except (KeyError, TypeError, ValueError):
        return None
    return SecurityKey.objects.filter(user=user, credential_id=credential_id, suspended_at=None).first()


def touch_holds(
    *, user: User, touch: Touch, purpose: str, token_id: UUID | None = None, deed: Deed | None = None
) -> bool:
    """Whether this is the person's own key answering our challenge for this deed; under the person's row lock.

    The challenge is used up in any case. A counter that did not grow means that two have the key: it is suspended.
    """
    row = _taken(challenge_id=touch.challenge_id, purpose=purpose, token_id=token_id)
    key = _key_named(touch, user)
    if row is None or key is None:
        return False
    if deed is not None and (row.action, row.object_id, row.version) != (
        deed.action,
        deed.object_id,
        deed.version,
    ):
        return False
    return _asserted(user, key, bytes(row.challenge), touch.credential)


def tablet_challenge(*, tablet_id: UUID) -> KeyChallenge:
    """What a paired tablet signs, once, and a person's key with it; TooMany beyond the tablet's rate."""
    recent = KeyChallenge.objects.filter(tablet_id=tablet_id, created_at__gt=now() - SIGN_IN_WINDOW)
    if recent.count() >= SIGN_IN_PER_ADDRESS_N:
        raise TooMany("too_many", retry_after_s=int(SIGN_IN_WINDOW.total_seconds()))
    return KeyChallenge.objects.create(
        challenge=secrets.token_bytes(32),
        purpose="tablet",
        tablet_id=tablet_id,
        address=request_address.get(),
        expires_at=now() + CHALLENGE_LIFE,
    )


def tablet_options(row: KeyChallenge) -> dict[str, Any]:
    """The same challenge as the page gives it to a key."""
    return _assertion_options(row, [])


def tablet_challenge_taken(*, challenge_id: UUID, tablet_id: UUID) -> bytes | None:
    """The challenge, used up whatever comes of it; None when it is used, old or another tablet's."""
    mine = KeyChallenge.objects.filter(id=challenge_id, purpose="tablet", tablet_id=tablet_id)
    if not mine.filter(used_at=None, expires_at__gt=now()).update(used_at=now()):
        return None
    return bytes(mine.values_list("challenge", flat=True).get())


def key_touched(*, user: User, challenge: bytes, credential: dict[str, Any]) -> bool:
    """Whether the person's own key signed a challenge that the caller has used up; under the person's row lock."""
    key = _key_named(Touch(challenge_id=UUID(int=0), credential=credential), user)
    return key is not None and _asserted(user, key, challenge, credential)


def _asserted(user: User, key: SecurityKey, challenge: bytes, credential: dict[str, Any]) -> bool:
    try:
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=settings.WEBAUTHN_RP_ID,
            expected_origin=settings.WEBAUTHN_ORIGINS,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=0,  # compared below, after the signature
            require_user_verification=False,
        )
    except (
        InvalidAuthenticationResponse,
        WebAuthnException,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ):
        return False
    if (found.new_sign_count or key.sign_count) and found.new_sign_count <= key.sign_count:
        _suspend(key, user)
        return False
    key.sign_count, key.last_used_at, key.backed_up = found.new_sign_count, now(), found.credential_backed_up
    key.save(update_fields=["sign_count", "last_used_at", "backed_up"])
    return True


def _suspend(key: SecurityKey, user: User) -> None:
    from .selectors import principal_of_user

    SecurityKey.objects.filter(id=key.id).update(suspended_at=now())
    audit_record(
        principal=principal_of_user(user),
        action="auth.key_suspend",
        object_kind="security_key",
        object_id=key.id,
        outcome="refused",
        reason="sign_count",
    )

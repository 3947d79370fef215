"""Other institutions' systems: their public keys, and the short signed tokens (RFC 7519) they come with.

A token names its key (`kid`), the institution (`iss`), the person or program there (`sub`), this house (`aud`), and
is used once (`jti`) within five minutes. The private key never comes here.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound, Unauthenticated

from .models import Institution, Peer, PeerNonce
from .principals import NOBODY, Principal
from .scopes import Asked, scope_register, within
from .table import INSTITUTION, PEER, places

AUDIENCE = "hospital"
TOKEN_MAX_S, LEEWAY_S = 300, 5
JTI_MAX, SUB_MAX = 64, 80
LONGEST_DAYS = 366  # design value: a key is changed at least once a year
Key = Ed25519PublicKey | EllipticCurvePublicKey


def _key(pem: str) -> tuple[Key, str]:
    """(key, JWT algorithm); Invalid `peer_key_invalid` for anything but Ed25519 and P-256."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except Exception as error:
        raise Invalid("peer_key_invalid", field="public_key_pem") from error
    if isinstance(key, Ed25519PublicKey):
        return key, "EdDSA"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key, "ES256"
    raise Invalid("peer_key_invalid", field="public_key_pem")


def _normal(key: Key) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(encoding, form).decode()


@transaction.atomic
def peer_register(*, principal: Principal, institution_id: UUID, public_key_pem: str, days: int) -> Peer:
    """A key of another institution, good for `days`, towards what the caller's own institution keeps.

    Invalid `peer_key_invalid`, `peer_days`, `peer_institution`; Conflict `peer_key_known`, also for a revoked one.
    """
    keeper = places(principal, "peer.manage")[0]
    if institution_id == keeper or not Institution.objects.filter(id=institution_id).exists():
        raise Invalid("peer_institution", field="institution_id")
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid("peer_days", field="days")
    key, algorithm = _key(public_key_pem)
    pem = _normal(key)
    try:
        with transaction.atomic():
            row = Peer.objects.create(
                institution_id=institution_id,
                keeper_id=keeper,
                kid=hashlib.sha256(pem.encode()).hexdigest()[:16],
                algorithm=algorithm,
                public_key_pem=pem,
                registered_by_id=principal.id,
                expires_at=now() + timedelta(days=days),
            )
    except IntegrityError:
        raise Conflict("peer_key_known") from None
    _noted(principal, "peer.register", row)
    return row


@transaction.atomic
def peer_revoke(*, principal: Principal, peer_id: UUID) -> None:
    """The key's next token opens nothing. NotFound for what is not the caller's, or was revoked before."""
    mine = peers(principal).filter(id=peer_id, revoked_at=None).values_list("id", flat=True)
    row = Peer.objects.select_for_update().filter(id__in=mine).first()
    if row is None:
        raise NotFound()
    row.revoked_at, row.revoked_by_id = now(), principal.id
    row.save(update_fields=["revoked_at", "revoked_by"])
    _noted(principal, "peer.revoke", row)


def peers(principal: Principal) -> QuerySet[Peer]:
    """The keys that the caller's institutions registered, the newest first."""
    rows = Peer.objects.select_related("institution", "registered_by")
    return rows.filter(within(principal, "peer.manage", "peer")).order_by("-registered_at")


def _noted(principal: Principal, action: str, row: Peer) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="peer",
        object_id=row.id,
        institution_id=row.keeper_id,
        details={"kid": row.kid, "institution": str(row.institution_id)},
    )


def peer_authenticate(*, token: str) -> Principal:
    """The institution whose key signed the token, each token once. Unauthenticated `peer_not_authenticated`; the
    refusal is on record."""
    try:
        return _authenticated(token)
    except Unauthenticated as error:
        audit_record(
            principal=NOBODY,
            action="auth.peer",
            object_kind="peer",
            object_id=None,
            outcome="refused",
            reason=error.code,
        )
        raise


def _authenticated(token: str) -> Principal:
    row = _of_token(token)
    claims = _claims(token, row)
    try:
        with transaction.atomic():
            PeerNonce.objects.create(
                peer=row,
                jti_sha256=hashlib.sha256(str(claims["jti"]).encode()).digest(),
                expires_at=datetime.fromtimestamp(claims["exp"] + 2 * LEEWAY_S, UTC),
            )
    except IntegrityError:
        raise Unauthenticated("peer_not_authenticated") from None
    name = f"{row.institution.name} {claims['sub']}"
    return Principal(
        kind="peer", id=row.id, name=name, memberships=((row.institution_id, PEER),), token_id=None
    )


def _of_token(token: str) -> Peer:
    """The key in force that the token names, of the institution it names."""
    try:
        kid = str(jwt.get_unverified_header(token)["kid"])
        issuer = UUID(str(jwt.decode(token, options={"verify_signature": False})["iss"]))
    except Exception as error:
        raise Unauthenticated("peer_not_authenticated") from error
    rows = Peer.objects.select_related("institution")
    row = rows.filter(kid=kid, institution_id=issuer, revoked_at=None, expires_at__gt=now()).first()
    if row is None:
        raise Unauthenticated("peer_not_authenticated")
    return row


def _claims(token: str, row: Peer) -> dict[str, Any]:
    key, algorithm = _key(row.public_key_pem)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=AUDIENCE,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "jti", "iss", "sub"]},
        )
        short = 0 < claims["exp"] - claims["iat"] <= TOKEN_MAX_S
    except Exception as error:
        raise Unauthenticated("peer_not_authenticated") from error
    named = 0 < len(str(claims["jti"])) <= JTI_MAX and 0 < len(str(claims["sub"])) <= SUB_MAX
    if not short or not named:
        raise Unauthenticated("peer_not_authenticated")
    return claims


def nonces_clear() -> None:
    """Tokens that are too old to count need no trace."""
    PeerNonce.objects.filter(expires_at__lt=now()).delete()


def _kept(asked: Asked) -> Q:
    return Q(keeper_id__in=asked.institutions)


def register() -> None:
    scope_register("peer", INSTITUTION, _kept)

"""Sign-in by an OpenID Connect provider: who may ask, the one answer, and which member of staff a subject is.

A provider proves who somebody is there. What they may do here is only what this house wrote down: nobody is created,
and no role is given, by what a token says.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from hospital.audit.services import audit_record, request_address
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from hospital.common.locks import limit_lock_wait

from . import oidc, rules, selectors, stale
from .factors import Given, locked_error, proven, refused, unlocked
from .models import IdentityProvider, ProviderRequest, ProviderSubject, User
from .principals import NOBODY, Principal
from .services import digest_of, page_begin, signed_in_recorded
from .table import places

REQUEST_LIFE = timedelta(minutes=10)  # design value: time to sign in over there
PENDING_LIFE = timedelta(minutes=5)  # design value: time to find the key or the code
PER_ADDRESS_N, RATE_WINDOW = 60, timedelta(minutes=5)  # design values
SCOPES = {"staff": "openid", "city": "openid phone profile"}
PENDING_KEY = "provider_pending"


def _client(provider: IdentityProvider) -> oidc.Client:
    return oidc.Client(
        issuer=provider.issuer, client_id=provider.client_id, client_secret=provider.client_secret
    )


def providers_open(kind: str) -> list[IdentityProvider]:
    return list(IdentityProvider.objects.filter(kind=kind, is_active=True).order_by("name"))


def provider_begin(*, provider_id: UUID, kind: str, redirect_uri: str, binding: str) -> str:
    """Where to send the browser. `binding` is a secret of the browser or app that begins: only it may end.

    NotFound, TooMany, Invalid `redirect_uri_invalid`, Unavailable `provider_unavailable`.
    """
    provider = IdentityProvider.objects.filter(id=provider_id, kind=kind, is_active=True).first()
    if provider is None:
        raise NotFound()
    if kind == "city" and redirect_uri not in provider.redirect_uris:
        raise Invalid("redirect_uri_invalid", field="redirect_uri")
    recent = ProviderRequest.objects.filter(address=request_address.get(), created_at__gt=now() - RATE_WINDOW)
    if recent.count() >= PER_ADDRESS_N:
        raise TooMany("too_many", retry_after_s=int(RATE_WINDOW.total_seconds()))
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = oidc.authorization_url(
        _client(provider),
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        verifier=verifier,
        scope=SCOPES[kind],
    )
    ProviderRequest.objects.create(
        state_digest=digest_of(state),
        binding_digest=digest_of(binding),
        provider=provider,
        nonce=nonce,
        verifier=verifier,
        redirect_uri=redirect_uri,
        address=request_address.get(),
        expires_at=now() + REQUEST_LIFE,
    )
    return url


def _request_taken(state: str, binding: str, kind: str) -> ProviderRequest:
    rows = ProviderRequest.objects.filter(
        state_digest=digest_of(state), provider__kind=kind, provider__is_active=True
    )
    row = rows.select_related("provider").first()
    if row is None or not hmac.compare_digest(bytes(row.binding_digest), digest_of(binding)):
        raise Unauthenticated("provider_refused")
    if not rows.filter(used_at=None, expires_at__gt=now()).update(used_at=now()):
        raise Unauthenticated("provider_refused")
    return row


def provider_finish(
    *, kind: str, state: str, code: str, binding: str, issuer: str = ""
) -> tuple[IdentityProvider, dict[str, Any]]:
    """The provider and its verified claims, once. Unauthenticated `provider_refused`, Unavailable."""
    row = _request_taken(state, binding, kind)
    client = _client(row.provider)
    token = oidc.id_token(
        client, code=code, redirect_uri=row.redirect_uri, verifier=row.verifier, answered_issuer=issuer
    )
    return row.provider, oidc.claims(client, token, nonce=row.nonce)


def _staff_of(provider: IdentityProvider, claims: dict[str, Any]) -> User:
    """The active person whom the security administrator wrote down for this subject, with a role at that hospital."""
    mapped = ProviderSubject.objects.select_related("user").filter(provider=provider, subject=claims["sub"])
    found = mapped.first()
    user = found.user if found is not None else None
    works_there = user is not None and user.memberships.filter(institution=provider.institution).exists()
    if user is None or not user.is_active or stale.is_stale(user) or not works_there:
        refused(NOBODY, "auth.sign_in", user, "provider_unknown")
        raise Unauthenticated("provider_unknown")
    if not unlocked(user):
        refused(NOBODY, "auth.sign_in", user, "locked")
        raise locked_error(user)
    return user


def page_sign_in_by_provider(
    *, request: HttpRequest, state: str, code: str, binding: str, issuer: str
) -> bool:
    """True: signed in. False: the provider showed no cryptographic second factor, ours is asked for next."""
    provider, claims = provider_finish(kind="staff", state=state, code=code, binding=binding, issuer=issuer)
    user = _staff_of(provider, claims)
    shown = rules.second_factor_shown(
        amr=claims.get("amr"), acr=claims.get("acr"), trusted_acr=provider.trusted_acr
    )
    if shown:
        with transaction.atomic():
            signed_in_recorded(user, "provider", provider=str(provider.id))
            page_begin(request=request, user=user)
        return True
    request.session[PENDING_KEY] = {
        "user": str(user.id),
        "provider": str(provider.id),
        "ends": (now() + PENDING_LIFE).timestamp(),
    }
    return False


def page_second_factor(*, request: HttpRequest, given: Given) -> None:
    """The other half of a sign-in that a provider began. Failures count and lock as everywhere."""
    pending = request.session.get(PENDING_KEY)
    if not pending or pending["ends"] < now().timestamp():
        request.session.pop(PENDING_KEY, None)
        raise Unauthenticated("provider_refused")
    with transaction.atomic():
        limit_lock_wait()
        user = User.objects.select_for_update().get(id=pending["user"])
        locked = not unlocked(user)
        good = not locked and user.is_active and proven(user, given, password=None)
        if good:
            signed_in_recorded(user, given.method, provider=pending["provider"])
        else:
            refused(NOBODY, "auth.sign_in", user, "locked" if locked else "bad_credentials")
    if locked:
        raise locked_error(user)
    if not good:
        raise Unauthenticated("bad_credentials")
    page_begin(request=request, user=user)


# what the security administrator does


def _mine(principal: Principal, provider_id: UUID) -> IdentityProvider:
    homes = places(principal, "auth.providers")
    provider = IdentityProvider.objects.filter(id=provider_id, institution_id__in=homes).first()
    if provider is None:
        raise NotFound()
    return provider


def providers_of(principal: Principal) -> list[IdentityProvider]:
    homes = places(principal, "auth.providers")
    rows = IdentityProvider.objects.filter(institution_id__in=homes)
    return list(rows.prefetch_related("subjects__user").order_by("created_at"))


@transaction.atomic
def provider_create(*, principal: Principal, redirect_uris: list[str], **fields: Any) -> IdentityProvider:
    """A provider of the administrator's own hospital. Invalid `issuer_invalid`, Conflict `provider_known`."""
    oidc.issuer_checked(fields["issuer"])
    if not all(urlsplit(uri).scheme not in ("", "http", "javascript", "data") for uri in redirect_uris):
        raise Invalid("redirect_uri_invalid", field="redirect_uris")
    try:
        with transaction.atomic():
            provider = IdentityProvider.objects.create(
                institution_id=places(principal, "auth.providers")[0], redirect_uris=redirect_uris, **fields
            )
    except IntegrityError as error:
        raise Conflict("provider_known") from error
    _noted(principal, "auth.provider_add", provider)
    return provider


def provider_test(*, principal: Principal, provider_id: UUID) -> str:
    """Whether the provider answers, describes itself, has keys and knows us; see `oidc.connection`. On record."""
    provider = _mine(principal, provider_id)
    back = (
        provider.redirect_uris[0] if provider.redirect_uris else f"{settings.BASE_URL}/console/sign-in/back/"
    )
    outcome = oidc.connection(_client(provider), redirect_uri=back)
    _noted(principal, "auth.provider_test", provider, outcome=outcome)
    return outcome


@transaction.atomic
def provider_end(*, principal: Principal, provider_id: UUID) -> None:
    """No more sign-ins by it; what is on record stays."""
    provider = _mine(principal, provider_id)
    IdentityProvider.objects.filter(id=provider.id).update(is_active=False)
    _noted(principal, "auth.provider_end", provider)


@transaction.atomic
def subject_map(*, principal: Principal, provider_id: UUID, username: str, subject: str) -> ProviderSubject:
    """Write down who a subject is: an active person with a role at the provider's hospital, never oneself."""
    provider = _mine(principal, provider_id)
    user = User.objects.filter(
        username=username, is_active=True, memberships__institution=provider.institution
    ).first()
    if user is None or provider.kind != "staff":
        raise NotFound()
    if user.id == principal.id:
        raise Forbidden("not_yourself")
    try:
        with transaction.atomic():
            row = ProviderSubject.objects.create(provider=provider, subject=subject, user=user)
    except IntegrityError as error:
        raise Conflict("subject_known") from error
    _noted(principal, "auth.subject_map", provider, user=str(user.id))
    return row


@transaction.atomic
def subject_unmap(*, principal: Principal, provider_id: UUID, subject_id: UUID) -> None:
    provider = _mine(principal, provider_id)
    row = ProviderSubject.objects.filter(id=subject_id, provider=provider).first()
    if row is None:
        raise NotFound()
    row.delete()
    _noted(principal, "auth.subject_unmap", provider, user=str(row.user_id))


def _noted(principal: Principal, action: str, provider: IdentityProvider, **details: str) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="identity_provider",
        object_id=provider.id,
        institution_id=provider.institution_id,
        details=details,
    )


def pending_name(request: HttpRequest) -> str:
    """Of the person whose second factor is waited for; empty when nobody's is."""
    pending = request.session.get(PENDING_KEY)
    if not pending or pending["ends"] < now().timestamp():
        return ""
    return selectors.user_names(ids=[UUID(pending["user"])]).get(UUID(pending["user"]), "")

"""The protocol with an OpenID Connect provider: discovery, authorization code with PKCE, the ID token's checks.

OpenID Connect Core 1.0 section 3.1.3.7, Discovery 1.0 section 4.3, RFC 7636 (S256), RFC 9207 (`iss` in the answer).
Only the ID token is used; the provider's access token is thrown away.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import structlog
from django.conf import settings

from hospital.common.errors import Invalid, Unauthenticated, Unavailable

log = structlog.get_logger()
TIMEOUT_S = 5.0  # design value: a person waits for it
KEPT_S = 300.0  # design value: how long a provider's own description and keys are believed
LEEWAY_S, ISSUED_WITHIN_S = 30, 600
ANSWER_MAX_BYTES = 256 * 1024
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")  # public keys only: never "none", never a shared secret
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who we are at one provider."""

    issuer: str
    client_id: str
    client_secret: str


def issuer_checked(issuer: str) -> str:
    """HTTPS without query; the embedded default also believes this machine. Invalid `issuer_invalid`."""
    parts = urlsplit(issuer)
    here = settings.EMBEDDED and parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    plain = not (parts.query or parts.fragment or parts.username)
    if not (parts.hostname and plain and (parts.scheme == "https" or here)):
        raise Invalid("issuer_invalid", field="issuer")
    return issuer


def _refused(reason: str) -> Unauthenticated:
    log.warning("oidc_refused", reason=reason)
    return Unauthenticated("provider_refused")


def _ask(method: str, url: str, **given: Any) -> httpx.Response:
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            answer = client.request(method, url, headers={"Accept": "application/json"}, **given)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("oidc_unavailable", error=type(error).__name__)
        raise Unavailable("provider_unavailable") from error
    if answer.status_code >= 500 or len(answer.content) > ANSWER_MAX_BYTES:
        raise Unavailable("provider_unavailable")
    return answer


def _document(url: str, *, fresh: bool = False) -> dict[str, Any]:
    """JSON at `url`, believed for five minutes."""
    kept = _kept.get(url)
    if kept is not None and not fresh and time.monotonic() - kept[0] < KEPT_S:
        return kept[1]
    answer = _ask("GET", url)
    try:
        found = answer.json() if answer.status_code == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("provider_unavailable")
    _kept[url] = (time.monotonic(), found)
    return found


def described(issuer: str, *, fresh: bool = False) -> dict[str, Any]:
    """The provider's description of itself; it must name the issuer that was asked for (Discovery 4.3)."""
    found = _document(issuer.rstrip("/") + "/.well-known/openid-configuration", fresh=fresh)
    if found.get("issuer") != issuer:
        raise _refused("issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        try:
            issuer_checked(str(found.get(name)))
        except Invalid:
            raise _refused(name) from None
    return found


def authorization_url(
    client: Client, *, redirect_uri: str, state: str, nonce: str, verifier: str, scope: str
) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": client.client_id, "redirect_uri": redirect_uri, "scope": scope,
        "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{described(client.issuer)['authorization_endpoint']}?{urlencode(query)}"


def id_token(client: Client, *, code: str, redirect_uri: str, verifier: str, answered_issuer: str) -> str:
    """Exchange the code, once. An answer that names another issuer than the one asked is a mix-up (RFC 9207)."""
    about = described(client.issuer)
    wanted = about.get("authorization_response_iss_parameter_supported") is True
    if (wanted or answered_issuer) and answered_issuer != client.issuer:
        raise _refused("answered_issuer")
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    answer = _ask("POST", about["token_endpoint"], data=body, auth=(client.client_id, client.client_secret))
    try:
        token = answer.json().get("id_token") if answer.status_code == 200 else None
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str):
        raise _refused(f"token endpoint {answer.status_code}")
    return token


def _key(client: Client, token: str) -> jwt.PyJWK:
    """The provider's key that the token names; an unknown one is asked for anew: keys are rotated."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise _refused("header") from error
    if header.get("alg") not in ALGORITHMS:
        raise _refused("algorithm")
    url = described(client.issuer)["jwks_uri"]
    for fresh in (False, True):
        rows = _document(url, fresh=fresh).get("keys")
        for row in rows if isinstance(rows, list) else []:
            named = isinstance(row, dict) and row.get("kid") == header.get("kid") and row.get("kty") != "oct"
            if named and row.get("use", "sig") == "sig":
                return _read(row, header["alg"])
    raise _refused("unknown key")


def _read(row: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        return jwt.PyJWK(row, algorithm=algorithm)
    except jwt.PyJWTError as error:
        raise _refused("key") from error


def claims(client: Client, token: str, *, nonce: str) -> dict[str, Any]:
    """Verified claims of an ID token meant for us, just issued, for the request with this nonce."""
    key = _key(client, token)
    try:
        found: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=client.client_id,
            issuer=client.issuer,
            leeway=LEEWAY_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except jwt.PyJWTError as error:
        raise _refused(type(error).__name__) from error
    several = isinstance(found["aud"], list) and len(found["aud"]) > 1
    if (several or "azp" in found) and found.get("azp") != client.client_id:
        raise _refused("azp")
    if found["nonce"] != nonce:
        raise _refused("nonce")
    if not isinstance(found["iat"], (int, float)) or found["iat"] < time.time() - ISSUED_WITHIN_S:
        raise _refused("iat")
    if not isinstance(found["sub"], str) or not 0 < len(found["sub"]) <= 255:
        raise _refused("sub")
    return found


def connection(client: Client, *, redirect_uri: str) -> str:
    """What a sign-in would meet, asked anew: `ok`, `unreachable`, `description`, `keys`, `client_refused`, `unclear`.

    The token endpoint is asked with a code nobody gave out: a provider that knows us refuses the code
    (`invalid_grant`), one that does not refuses us (`invalid_client`, RFC 6749 section 5.2).
    """
    try:
        about = described(client.issuer, fresh=True)
        keys = _document(about["jwks_uri"], fresh=True).get("keys")
        if not any(isinstance(row, dict) and row.get("kty") != "oct" for row in keys or []):
            return "keys"
        body = {"grant_type": "authorization_code", "code": "connection-test", "redirect_uri": redirect_uri}
        body["code_verifier"] = "connection-test" * 3
        answer = _ask(
            "POST", about["token_endpoint"], data=body, auth=(client.client_id, client.client_secret)
        )
        said = answer.json().get("error")
    except Unavailable:
        return "unreachable"
    except Unauthenticated:
        return "description"
    except (ValueError, AttributeError, TypeError):
        return "unclear"
    if said in ("invalid_client", "unauthorized_client"):
        return "client_refused"
    return "ok" if said == "invalid_grant" else "unclear"

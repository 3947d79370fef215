from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from tests.oidc import provider


class Validator(OAuth2Validator):
    """The library's, with what the tests say about each person, and the lies they ask for."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        return provider.about.get(request.user.username, {})

    def get_id_token_dictionary(self, token: Any, token_handler: Any, request: Any) -> Any:
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        claims |= provider.lies
        provider.lies.clear()
        return claims, expires

"""Hospital staff by their own identity provider: a real one, which also lies when it is told to."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from rest_framework.test import APIClient

from hospital.access import oidc, services, totp
from hospital.access.models import IdentityProvider, Membership, ProviderRequest, ProviderSubject, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from tests.factories import World, make_world

from .conftest import Provider
from .provider import CLIENT

pytestmark = pytest.mark.django_db
CRYPTOGRAPHIC = {"amr": ["pwd", "hwk"]}


@pytest.fixture
def world(settings: Any) -> World:
    settings.EMBEDDED = True
    return make_world()


@pytest.fixture
def trusted(world: World, provider: Provider) -> IdentityProvider:
    """The expert hospital trusts the provider; its `doctor` is our expert."""
    row = IdentityProvider.objects.create(
        institution=world.places["expert"], kind="staff", name="专家医院", name_en="Expert hospital",
        issuer=provider.issuer, **CLIENT,
    )  # fmt: skip
    ProviderSubject.objects.create(provider=row, subject="1", user=world.users["expert"])
    return row


def sent(browser: Client, trusted: IdentityProvider) -> str:
    answer = browser.get(f"/console/sign-in/with/{trusted.id}/?next=/console/account/")
    assert answer.status_code == 302, answer.content.decode()[-400:]
    return str(answer["Location"])


def back(browser: Client, given: dict[str, str]) -> Any:
    return browser.get("/console/sign-in/back/", given)


def page_opens(browser: Client) -> bool:
    return bool(browser.get("/console/account/").status_code == 200)


@pytest.fixture
def browser() -> Client:
    return Client(HTTP_HOST="localhost:8000")


def test_who_is_mapped_and_showed_a_key_over_there_is_signed_in(
    browser: Client, trusted: IdentityProvider, provider: Provider, world: World
) -> None:
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    answer = back(browser, provider.signed_in(sent(browser, trusted)))
    assert (answer.status_code, answer["Location"]) == (302, "/console/account/")
    assert page_opens(browser)
    entry = AuditEntry.objects.get(action="auth.sign_in", outcome="done")
    assert entry.object_id == world.users["expert"].id
    assert entry.details == {"method": "provider", "provider": str(trusted.id)}


def test_the_request_carries_state_nonce_and_a_hashed_verifier(
    browser: Client, trusted: IdentityProvider
) -> None:
    query = parse_qs(urlsplit(sent(browser, trusted)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost:8000/console/sign-in/back/"]
    row = ProviderRequest.objects.get()
    assert query["nonce"] == [row.nonce]
    assert row.verifier not in str(query)


@pytest.mark.parametrize("claims", [{}, {"amr": ["pwd", "sms"]}, {"amr": ["pwd", "mfa"]}, {"acr": "2"}])
def test_without_a_cryptographic_factor_over_there_ours_is_asked(
    browser: Client, trusted: IdentityProvider, provider: Provider, world: World, claims: dict[str, Any]
) -> None:
    provider.tell("about/doctor", claims)
    answer = back(browser, provider.signed_in(sent(browser, trusted)))
    assert answer["Location"].startswith("/console/sign-in/second/")
    assert not page_opens(browser)
    assert "王思远" in browser.get(answer["Location"]).content.decode()
    wrong = browser.post("/console/sign-in/second/", {"totp": "000000"})
    assert wrong.status_code == 401
    code = totp.code(world.users["expert"].totp_secret, int(time.time()) // totp.STEP_S)
    right = browser.post("/console/sign-in/second/", {"totp": code, "next": "/console/account/"})
    assert (right.status_code, right["Location"]) == (302, "/console/account/")
    assert page_opens(browser)


def test_a_level_that_the_administrator_trusts_is_enough(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    IdentityProvider.objects.update(trusted_acr=["level-3"])
    provider.tell("about/doctor", {"acr": "level-3"})
    back(browser, provider.signed_in(sent(browser, trusted)))
    assert page_opens(browser)


def test_the_second_factor_locks_after_five_tries(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    back(browser, provider.signed_in(sent(browser, trusted)))
    tries = [browser.post("/console/sign-in/second/", {"totp": "000000"}).status_code for _ in range(6)]
    assert tries == [401] * 5 + [429]


def test_nobody_is_made_up_from_a_token(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    before = User.objects.count(), Membership.objects.count()
    provider.tell("about/colleague", CRYPTOGRAPHIC | {"roles": ["remote_physician"], "name": "expert"})
    answer = back(browser, provider.signed_in(sent(browser, trusted), "colleague"))
    assert answer.status_code == 401
    assert "未关联本院账号" in answer.content.decode()
    assert (User.objects.count(), Membership.objects.count()) == before
    assert AuditEntry.objects.filter(action="auth.sign_in", reason="provider_unknown").exists()


@pytest.mark.parametrize("change", ["inactive", "unused", "left", "locked", "provider"])
def test_a_mapping_opens_nothing_for_who_may_not_sign_in(
    browser: Client, trusted: IdentityProvider, provider: Provider, world: World, change: str
) -> None:
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    url, user = sent(browser, trusted), User.objects.filter(username="expert")
    if change == "inactive":
        user.update(is_active=False)
    elif change == "unused":
        user.update(active_since=now() - timedelta(days=91))
    elif change == "left":
        Membership.objects.filter(user=world.users["expert"]).delete()
    elif change == "locked":
        user.update(locked_until=now() + timedelta(minutes=5))
    else:
        IdentityProvider.objects.update(is_active=False)
    assert back(browser, provider.signed_in(url)).status_code in (401, 429)
    assert not page_opens(browser)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["hospital", "another-client"]},
        {"aud": ["hospital", "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"iss": "http://localhost:1"},
        {"exp": 1_000_000},
        {"iat": 1_000_000},
        {"sub": ""},
        {"sub": 1},
    ],
    ids=str,
)
def test_a_signed_token_that_is_not_meant_for_this_sign_in_opens_nothing(
    browser: Client, trusted: IdentityProvider, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    given = provider.signed_in(sent(browser, trusted))
    provider.tell("lie", lie)
    answer = back(browser, given)
    assert answer.status_code == 401
    assert "统一身份认证未成功" in answer.content.decode()
    assert not page_opens(browser)


def test_two_audiences_are_right_when_the_token_was_issued_to_us(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    """Shows that the lies above are refused for what they say, not for being told."""
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    given = provider.signed_in(sent(browser, trusted))
    provider.tell("lie", {"aud": ["hospital", "another-client"], "azp": "hospital"})
    assert back(browser, given).status_code == 302


def test_a_rotated_key_is_fetched_and_an_old_one_is_not_believed_for_ever(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    assert back(browser, provider.signed_in(sent(browser, trusted))).status_code == 302
    browser.post("/console/sign-out/")
    provider.tell("rotate", {})
    assert back(browser, provider.signed_in(sent(browser, trusted))).status_code == 302
    assert page_opens(browser)


def test_a_token_signed_with_a_key_that_is_not_published_opens_nothing(
    browser: Client, trusted: IdentityProvider, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider's published keys are replaced on the way by another provider's."""
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    given = provider.signed_in(sent(browser, trusted))
    fetched = oidc._document

    def others(url: str, *, fresh: bool = False) -> dict[str, Any]:
        found = fetched(url, fresh=fresh)
        return {"keys": []} if "keys" in found else found

    monkeypatch.setattr(oidc, "_document", others)
    assert back(browser, given).status_code == 401


def test_a_code_and_a_state_count_once(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    given = provider.signed_in(sent(browser, trusted))
    binding = browser.session["provider_binding"]
    assert back(browser, given).status_code == 302
    session = browser.session
    session["provider_binding"] = binding
    session.save()
    assert back(browser, given).status_code == 401
    ProviderRequest.objects.update(used_at=None)
    session["provider_binding"] = binding
    session.save()
    assert back(browser, given).status_code == 401, "the provider itself refuses a used code"


def test_an_answer_counts_only_in_the_browser_that_asked(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    """Nobody is signed in as somebody else by a link."""
    provider.tell("about/doctor", CRYPTOGRAPHIC)
    given = provider.signed_in(sent(browser, trusted))
    other = Client(HTTP_HOST="localhost:8000")
    assert back(other, given).status_code == 401
    sent(other, trusted)
    assert back(other, given).status_code == 401
    assert back(browser, given).status_code == 302


@pytest.mark.parametrize("change", [{"state": "x"}, {"code": "x"}, {"iss": "http://localhost:1"}])
def test_a_changed_answer_opens_nothing(
    browser: Client, trusted: IdentityProvider, provider: Provider, change: dict[str, str]
) -> None:
    given = provider.signed_in(sent(browser, trusted))
    assert back(browser, given | change).status_code == 401


def test_an_answer_after_ten_minutes_is_too_late(
    browser: Client, trusted: IdentityProvider, provider: Provider
) -> None:
    given = provider.signed_in(sent(browser, trusted))
    ProviderRequest.objects.update(expires_at=now())
    assert back(browser, given).status_code == 401


def test_a_refusal_over_there_is_a_sentence_here(browser: Client, trusted: IdentityProvider) -> None:
    sent(browser, trusted)
    answer = back(browser, {"error": "access_denied", "state": "x"})
    assert (answer.status_code, "请重新登录" in answer.content.decode()) == (401, True)


def test_a_provider_that_is_down_is_said_so_and_the_form_still_works(
    browser: Client, trusted: IdentityProvider
) -> None:
    oidc._kept.clear()
    IdentityProvider.objects.update(issuer="http://localhost:9")
    answer = browser.get(f"/console/sign-in/with/{trusted.id}/")
    assert (answer.status_code, 'name="password"' in answer.content.decode()) == (503, True)


def test_the_sign_in_page_offers_the_provider_by_name(browser: Client, trusted: IdentityProvider) -> None:
    assert "通过专家医院登录" in browser.get("/console/sign-in/").content.decode()
    browser.cookies["lang"] = "en"
    assert "Sign in by Expert hospital" in browser.get("/console/sign-in/").content.decode()


def administrator(world: World, place: str = "expert") -> APIClient:
    user, _, _ = services.user_create(
        username=f"security-{place}", name="安全", password="correct horse battery"
    )
    Membership.objects.create(user=user, institution=world.places[place], role="security_admin")
    token, _ = services.token_issue(life=timedelta(hours=1), user=user)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def test_the_security_administrator_sets_up_a_provider_and_who_is_who(
    world: World, provider: Provider
) -> None:
    client = administrator(world)
    body = {"kind": "staff", "name": "院", "name_en": "H", "issuer": provider.issuer, **CLIENT}
    made = client.post("/api/v1/auth/providers", body, format="json")
    assert made.status_code == 201
    assert "client_secret" not in made.json()
    assert client.post("/api/v1/auth/providers", body, format="json").json()["code"] == "provider_known"
    path = f"/api/v1/auth/providers/{made.json()['id']}/subjects"
    mapped = client.post(path, {"username": "expert", "subject": "1"}, format="json")
    assert mapped.status_code == 201
    again = client.post(path, {"username": "expert2", "subject": "1"}, format="json")
    assert again.json()["code"] == "subject_known"
    for username, code in (("desk", "not_found"), ("security-expert", "not_yourself")):
        refused = client.post(path, {"username": username, "subject": "9"}, format="json")
        assert refused.json()["code"] == code
    stranger = administrator(world, "other")
    assert stranger.get("/api/v1/auth/providers").json()["results"] == []
    assert stranger.post(path, {"username": "expert", "subject": "2"}, format="json").status_code == 404
    assert client.delete(f"{path}/{mapped.json()['id']}").status_code == 204
    assert client.delete(f"/api/v1/auth/providers/{made.json()['id']}").status_code == 204
    assert {"auth.provider_add", "auth.subject_map", "auth.subject_unmap", "auth.provider_end"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "ok"),
        ({"client_secret": "not the one"}, "client_refused"),
        ({"client_id": "nobody"}, "client_refused"),
        ({"issuer": "http://127.0.0.1:9"}, "unreachable"),
        ({"issuer": "/elsewhere"}, "unreachable"),
    ],
)
def test_a_test_of_the_connection_says_what_a_sign_in_would_meet(
    world: World, provider: Provider, changes: dict[str, str], outcome: str
) -> None:
    client = administrator(world)
    body = {"kind": "staff", "name": "院", "name_en": "H", "issuer": provider.issuer, **CLIENT} | changes
    if body["issuer"].startswith("/"):
        body["issuer"] = provider.issuer + body["issuer"]
    made = client.post("/api/v1/auth/providers", body, format="json").json()
    answer = client.post(f"/api/v1/auth/providers/{made['id']}/test")
    assert answer.json() == {"outcome": outcome}
    assert AuditEntry.objects.filter(action="auth.provider_test").latest("seq").details == {
        "outcome": outcome
    }
    assert administrator(world, "other").post(f"/api/v1/auth/providers/{made['id']}/test").status_code == 404


@pytest.mark.parametrize(
    "issuer", ["http://hospital.example", "ftp://x", "https://a@b.example", "https://", "x"]
)
def test_an_issuer_is_an_https_address(world: World, issuer: str) -> None:
    body = {"kind": "staff", "name": "院", "name_en": "H", "issuer": issuer, **CLIENT}
    answer = administrator(world).post("/api/v1/auth/providers", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "issuer_invalid")

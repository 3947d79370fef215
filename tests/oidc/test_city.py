"""Patients by their city's identity provider: what it checked counts, a phone alone opens nothing."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access.models import AccessToken, IdentityProvider, PatientAccount
from tests.factories import World, make_world

from .conftest import Provider
from .provider import CLIENT

pytestmark = pytest.mark.django_db
APP = "https://app.example/signed-in"
PHONE, DOCUMENT = "+86 139 0000 0001", "310229195003150012"
CITIZEN = {"phone_number": PHONE, "phone_number_verified": True, "citizen_number": DOCUMENT}


@pytest.fixture
def world(settings: Any) -> World:
    settings.EMBEDDED = True
    return make_world()


@pytest.fixture
def city(world: World, provider: Provider) -> IdentityProvider:
    return IdentityProvider.objects.create(
        institution=world.places["home"], kind="city", name="随申办", name_en="City", issuer=provider.issuer,
        document_claim="citizen_number", redirect_uris=[APP], **CLIENT,
    )  # fmt: skip


def post(path: str, body: Any) -> Any:
    return APIClient().post(f"/api/v1/auth/patient/{path}", body, format="json")


def sign_in(city: IdentityProvider, provider: Provider, claims: dict[str, Any], **changes: str) -> Any:
    provider.tell("about/citizen", claims)
    begun = post("city", {"provider_id": str(city.id), "redirect_uri": APP})
    assert begun.status_code == 201, begun.json()
    given = provider.signed_in(begun.json()["authorization_url"], "citizen")
    return post("city/token", given | {"binding": begun.json()["binding"]} | changes)


def test_a_checked_phone_and_document_open_the_patients_own_record(
    city: IdentityProvider, provider: Provider, world: World
) -> None:
    answer = sign_in(city, provider, CITIZEN)
    assert answer.status_code == 200
    assert len(answer.json()["patients"]) == 1
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/me/exams").status_code == 200
    refreshed = post("refresh", {"refresh": answer.json()["refresh"]})
    assert refreshed.status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"phone_number_verified": False}, "phone_not_verified"),
        ({"phone_number_verified": "true"}, "phone_not_verified"),
        ({"phone_number": None}, "phone_not_verified"),
        ({"phone_number": "+1 202 555 0100"}, "phone_invalid"),
        ({"citizen_number": ""}, "document_required"),
        ({"citizen_number": "320584194802290036"}, "city_no_match"),
        ({"phone_number": "13911112222"}, "city_no_match"),
    ],
)
def test_what_was_not_checked_or_does_not_match_opens_nothing(
    city: IdentityProvider, provider: Provider, change: dict[str, Any], code: str
) -> None:
    assert sign_in(city, provider, CITIZEN | change).json()["code"] == code
    assert not AccessToken.objects.exclude(account=None).exists()
    assert not PatientAccount.objects.exists()


def test_a_phone_whose_patient_was_proven_before_signs_in_again_without_the_document(
    city: IdentityProvider, provider: Provider
) -> None:
    assert sign_in(city, provider, CITIZEN).status_code == 200
    phone_only = {"phone_number": PHONE, "phone_number_verified": True}
    assert sign_in(city, provider, phone_only).status_code == 200


def test_only_the_app_that_began_may_end_and_only_once(city: IdentityProvider, provider: Provider) -> None:
    assert sign_in(city, provider, CITIZEN, binding="stolen").json()["code"] == "provider_refused"
    provider.tell("about/citizen", CITIZEN)
    begun = post("city", {"provider_id": str(city.id), "redirect_uri": APP}).json()
    body = provider.signed_in(begun["authorization_url"], "citizen") | {"binding": begun["binding"]}
    assert [post("city/token", body).status_code for _ in range(2)] == [200, 401]


def test_a_staff_provider_signs_no_patient_in_and_a_city_no_staff(
    city: IdentityProvider, provider: Provider, world: World
) -> None:
    from django.test import Client

    assert Client(HTTP_HOST="localhost").get(f"/console/sign-in/with/{city.id}/").status_code == 404
    IdentityProvider.objects.update(kind="staff")
    assert post("city", {"provider_id": str(city.id), "redirect_uri": APP}).status_code == 404


def test_the_way_back_is_one_that_is_registered(city: IdentityProvider) -> None:
    answer = post("city", {"provider_id": str(city.id), "redirect_uri": "https://evil.example/"})
    assert (answer.status_code, answer.json()["code"]) == (422, "redirect_uri_invalid")
    assert APIClient().get("/api/v1/auth/patient/city").json()["results"][0]["name"] == "随申办"

"""A patient says how to be told; the desk says it for who has no app."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import PatientAccount
from hospital.people.models import MessageWish
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
ENGLISH = {"language": "en", "channel": "sms", "refused": ["reminder"]}


@pytest.fixture
def world() -> World:
    return make_world()


def app(world: World, phone: str = "13900000001", *, linked: bool = True) -> APIClient:
    account = PatientAccount.objects.get(id=world.account(phone, linked=linked).id)
    token, _ = access.token_issue(life=timedelta(hours=1), account=account)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def test_a_patient_reads_changes_and_keeps_their_wishes(world: World) -> None:
    client, path = app(world), f"/api/v1/me/patients/{world.patient.id}/messages"
    assert client.get(path).json()["refused"] == []
    answer = client.put(path, ENGLISH, format="json")
    assert (answer.status_code, answer.json()["language"]) == (200, "en")
    assert client.get(path).json() == answer.json()
    assert MessageWish.objects.get().changed_by_kind == "patient"


def test_a_move_or_a_cancellation_is_never_refused(world: World) -> None:
    client, path = app(world), f"/api/v1/me/patients/{world.patient.id}/messages"
    answer = client.put(path, ENGLISH | {"refused": ["cancelled"]}, format="json")
    assert answer.json()["code"] == "message_not_refusable"
    assert not MessageWish.objects.exists()


def test_another_phone_neither_reads_nor_changes_them(world: World) -> None:
    client = app(world, "13900000099", linked=False)
    path = f"/api/v1/me/patients/{world.patient.id}/messages"
    assert client.get(path).status_code == 404
    assert client.put(path, ENGLISH, format="json").status_code == 404
    assert not MessageWish.objects.exists()

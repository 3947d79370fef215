"""The patient's own list of consents, and taking one back from the phone (PI-03)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import PatientAccount
from hospital.audit.models import AuditEntry
from hospital.common.ids import uuid7
from hospital.people import selectors, services
from hospital.people.models import Consent
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def app(world: World, phone: str = "13900000001", *, linked: bool = True) -> APIClient:
    account = world.account(phone, linked=linked)
    token, _ = access.token_issue(life=timedelta(hours=1), account=PatientAccount.objects.get(id=account.id))
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def given(world: World) -> tuple[Consent, UUID]:
    exam_id = uuid7()
    row = services.consent_record(
        principal=world.principals["bedside"], patient_id=world.patient.id, kind="remote_exam", exam_id=exam_id,
        text_version="1", given_by="patient", method="witness", witness_name="钱丽",
    )  # fmt: skip
    return row, exam_id


def test_the_list_shows_the_text_and_one_request_takes_a_consent_back(world: World) -> None:
    row, exam_id = given(world)
    client = app(world)
    path = f"/api/v1/me/patients/{world.patient.id}/consents"
    [shown] = client.get(path).json()["results"]
    assert (shown["id"], shown["body_zh"], shown["withdrawn_at"]) == (str(row.id), "同意", None)
    assert client.delete(f"/api/v1/me/consents/{row.id}").status_code == 204
    assert selectors.consent_active(exam_id=exam_id, kind="remote_exam") is None
    [shown] = client.get(path).json()["results"]
    assert shown["withdrawn_at"] is not None
    assert client.delete(f"/api/v1/me/consents/{row.id}").status_code == 404
    assert AuditEntry.objects.filter(action="consent.withdraw", actor_kind="patient").count() == 1


def test_another_patient_neither_sees_nor_takes_back(world: World) -> None:
    row, exam_id = given(world)
    other = app(world, "13911112222", linked=False)
    assert other.get(f"/api/v1/me/patients/{world.patient.id}/consents").status_code == 404
    assert other.delete(f"/api/v1/me/consents/{row.id}").status_code == 404
    assert selectors.consent_active(exam_id=exam_id, kind="remote_exam") is not None

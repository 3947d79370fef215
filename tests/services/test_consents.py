"""Consents that decide: what each kind opens, what its withdrawal closes on the next request, who may give it."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from devices.fleet.authentication import robot_principal
from devices.fleet.models import ControlLease
from hospital.access import services as access
from hospital.access.models import PatientAccount
from hospital.common.errors import Conflict, Forbidden, Invalid
from hospital.people import consents
from hospital.people.models import Consent, Patient
from hospital.records.models import Image
from teleconsult import live, services
from teleconsult.models import Exam
from tests.factories import World, make_world
from tests.interop.synthetic import dataset, written

pytestmark = pytest.mark.django_db
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"picture").decode()
WITNESSED: dict[str, Any] = {
    "text_version": "1",
    "given_by": "patient",
    "method": "witness",
    "witness_name": "钱丽",
}


@pytest.fixture
def world() -> World:
    world = make_world()
    for kind in ("recording", "wristband_monitoring", "transfer"):
        consents.consent_text_publish(kind=kind, version="1", body_zh="同意", body_en="consent")
    return world


def client_of(world: World, who: str) -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def patient_client(world: World) -> APIClient:
    account = PatientAccount.objects.get(id=world.account().id)
    token, _ = access.token_issue(life=timedelta(hours=1), account=account)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def give(world: World, **fields: Any) -> Consent:
    given = WITNESSED | {"patient_id": world.patient.id} | fields
    return consents.consent_record(principal=world.principals["desk"], **given)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "everything"}, "consent_text_unknown"),
        ({"kind": "transfer"}, "consent_receiver_named"),
        ({"kind": "wristband_monitoring", "receiver_id": "expert"}, "consent_receiver_named"),
        ({"kind": "remote_exam"}, "consent_exam_named"),
        ({"kind": "recording"}, "consent_exam_named"),
    ],
)
def test_a_consent_names_what_its_kind_is_about(world: World, fields: dict[str, Any], code: str) -> None:
    if "receiver_id" in fields:
        fields = fields | {"receiver_id": world.places["expert"].id}
    with pytest.raises(Invalid) as caught:
        give(world, **fields)
    assert caught.value.code in (code, "consent_kind_unknown")
    assert not Consent.objects.exists()


def test_the_database_knows_what_a_consent_is_about(world: World) -> None:
    row = give(world, kind="transfer", receiver_id=world.places["expert"].id)
    for change in (
        {"receiver": None},
        {"kind": "wristband_monitoring"},
        {"kind": "everything"},
        {"exam_id": world.patient.id},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.filter(id=row.id).update(**change)


def test_one_active_consent_for_each_receiver_and_a_new_one_after_withdrawal(world: World) -> None:
    place = world.places["expert"]
    first = give(world, kind="transfer", receiver_id=place.id)
    with pytest.raises(Conflict):
        give(world, kind="transfer", receiver_id=place.id)
    assert give(world, kind="transfer", receiver_id=world.places["other"].id)
    consents.consent_take_back(
        principal=world.principals["desk"], action="patient.consent", consent_id=first.id, reason="x"
    )
    assert give(world, kind="transfer", receiver_id=place.id).id != first.id


def test_a_child_needs_a_guardian_also_for_a_transfer(world: World) -> None:
    Patient.objects.update(birth_date=date(2020, 2, 29))
    with pytest.raises(Invalid) as caught:
        give(world, kind="transfer", receiver_id=world.places["expert"].id)
    assert caught.value.code == "guardian_required"
    row = give(
        world, kind="transfer", receiver_id=world.places["expert"].id, given_by="guardian",
        guardian_name="王大东", guardian_relation="父亲", method="signature", signature_png=PNG, witness_name="",
    )  # fmt: skip
    assert row.guardian_relation == "父亲"


def test_the_patient_withdraws_by_app_and_a_live_exam_pauses_on_the_spot(world: World) -> None:
    """The console's open token and its lease are worth nothing from then on."""
    exam = world.live()
    client = patient_client(world)
    listed = client.get(f"/api/v1/me/patients/{world.patient.id}/consents").json()["results"]
    assert [row["kind"] for row in listed] == ["remote_exam"]
    expert = client_of(world, "expert")
    assert client.delete(f"/api/v1/me/consents/{listed[0]['id']}").status_code == 204
    exam.refresh_from_db()
    assert exam.state == "paused"
    assert not ControlLease.objects.filter(released_at=None).exists()
    answer = expert.post(f"/api/v1/exams/{exam.id}/resume", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_missing")
    assert client.delete(f"/api/v1/me/consents/{listed[0]['id']}").status_code == 404


def test_nobody_elses_consent_is_withdrawn(world: World) -> None:
    row = give(world, kind="transfer", receiver_id=world.places["expert"].id)
    other = client_of(world, "other_desk")
    body = {"reason": "x"}
    assert other.post(f"/api/v1/consents/{row.id}/withdraw", body, format="json").status_code == 404
    phone = world.account("13900000055", linked=False)
    token, _ = access.token_issue(life=timedelta(hours=1), account=PatientAccount.objects.get(id=phone.id))
    stranger = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert stranger.delete(f"/api/v1/me/consents/{row.id}").status_code == 404
    assert stranger.get(f"/api/v1/me/patients/{world.patient.id}/consents").status_code == 404
    row.refresh_from_db()
    assert row.withdrawn_at is None


def test_the_desk_records_a_transfer_and_lists_it(world: World) -> None:
    desk = client_of(world, "desk")
    path = f"/api/v1/patients/{world.patient.id}/consents"
    body = WITNESSED | {"kind": "transfer", "receiver_id": str(world.places["expert"].id)}
    answer = desk.post(path, body, format="json")
    assert answer.status_code == 201, answer.json()
    assert [row["receiver"]["id"] for row in desk.get(path).json()["results"]] == [
        str(world.places["expert"].id)
    ]
    assert client_of(world, "other_desk").get(path).status_code == 404


def film(world: World, exam: Exam, frames: int) -> Any:
    data = written(
        dataset(
            np.zeros((frames, 16, 16), np.uint8), StudyInstanceUID=exam.study_uid,
            PatientID=world.patient.mpi, SOPInstanceUID="2.25.77",
        )
    )  # fmt: skip
    meta = {
        "frame_id": 1, "width": 16, "height": 16, "mm_per_px_x": 0.4, "mm_per_px_y": 0.4,
        "region": [0, 0, 16, 16], "kind": "loop", "sop_uid": "2.25.77", "frames": frames, "view": "liver",
    }  # fmt: skip
    return live.image_received(principal=robot_principal(world.robot), exam_id=exam.id, meta=meta, data=data)


def test_a_recording_is_kept_only_with_its_own_consent_and_a_loop_without(world: World) -> None:
    exam = world.live()
    with pytest.raises(Forbidden) as caught:
        film(world, exam, 301)
    assert caught.value.code == "recording_consent_missing"
    assert not Image.objects.exists()
    services.exam_pause(principal=world.principals["bedside"], exam_id=exam.id, reason="x")
    consents.consent_record(
        principal=world.principals["bedside"], patient_id=world.patient.id, kind="recording",
        exam_id=exam.id, **WITNESSED,
    )  # fmt: skip
    film(world, exam, 301)
    assert Image.objects.count() == 1


def test_a_loop_needs_no_consent_to_recording(world: World) -> None:
    film(world, world.live(), 300)
    assert Image.objects.count() == 1


def test_withdrawing_the_recording_leaves_the_exam_running(world: World) -> None:
    exam = world.live()
    consents.consent_record(
        principal=world.principals["bedside"], patient_id=world.patient.id, kind="recording",
        exam_id=exam.id, **WITNESSED,
    )  # fmt: skip
    services.exam_consent_withdraw(
        principal=world.principals["bedside"], exam_id=exam.id, reason="不想被录", kind="recording"
    )
    exam.refresh_from_db()
    assert exam.state == "live"
    with pytest.raises(Forbidden):
        film(world, exam, 301)

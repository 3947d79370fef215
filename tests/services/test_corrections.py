"""A patient asks for a correction from the phone; a person answers in time; what was there is kept."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import AccessToken, PatientAccount
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people import selectors
from hospital.people.models import CorrectionRequest, Delegation, DuplicateReview, Patient
from teleconsult import services as exams
from tests.access.house_rows import PNG
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def app(world: World) -> APIClient:
    token, _ = access.token_issue(
        life=timedelta(hours=1), account=PatientAccount.objects.get(id=world.account().id)
    )
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def desk(world: World, who: str = "desk") -> APIClient:
    token, row = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    AccessToken.objects.filter(id=row.id).update(stepped_up_at=now())
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def ask(world: World, app: APIClient, **changes: Any) -> Any:
    body = {"field": "name", "wanted": "王晓东", "reason": "登记时写错了字"}
    return app.post(f"/api/v1/me/patients/{world.patient.id}/corrections", body | changes, format="json")


def decide(world: World, client: APIClient, accepted: bool, answer: str = "") -> Any:
    row = CorrectionRequest.objects.get(status="open")
    body = {"accepted": accepted, "answer": answer}
    return client.post(f"/api/v1/corrections/{row.id}/decide", body, format="json")


def test_an_accepted_correction_changes_the_registration_and_keeps_what_was_there(
    world: World, app: APIClient
) -> None:
    asked = ask(world, app)
    assert (asked.status_code, asked.json()["status"]) == (201, "open")
    client = desk(world)
    listed = client.get("/api/v1/corrections")
    assert "王小东" not in listed.content.decode() and "王晓东" not in listed.content.decode()
    row = client.get(f"/api/v1/corrections/{listed.json()['results'][0]['id']}").json()
    assert row["patient"]["name"] == "王小东"
    assert (row["now"], row["wanted"], row["days_left"], row["overdue"]) == ("王小东", "王晓东", 15, False)
    done = decide(world, client, True)
    assert (done.status_code, done.json()["status"], done.json()["now"]) == (200, "accepted", "王小东")
    for query, found in (("王晓东", 1), ("wxd", 1), ("王小东", 0)):
        assert len(selectors.patient_search(principal=world.principals["desk"], q=query)) == found
    [mine] = app.get(f"/api/v1/me/patients/{world.patient.id}/corrections").json()["results"]
    assert mine["status"] == "accepted"
    assert Message.objects.filter(template="correction_answered").count() == 1
    assert decide_again(client, row["id"]) == (409, "correction_decided")
    with connection.cursor() as cursor:
        cursor.execute("SELECT before, wanted, reason FROM people_correctionrequest")
        stored = b"".join(bytes(value) for value in cursor.fetchone() or ())
    assert "王小东".encode() not in stored and "王晓东".encode() not in stored
    read = AuditEntry.objects.filter(object_kind="correction", outcome="read")
    assert [entry.patient_ids for entry in read] == [[world.patient.id]]
    log = AuditEntry.objects.filter(object_kind="correction", outcome="done").values_list(
        "action", "reason", "details"
    )
    assert list(log) == [
        ("correction.ask", "open", {"field": "name"}),
        ("correction.decide", "accepted", {"field": "name"}),
    ]


def decide_again(client: APIClient, row_id: str) -> tuple[int, str]:
    answer = client.post(f"/api/v1/corrections/{row_id}/decide", {"accepted": True}, format="json")
    return answer.status_code, answer.json()["code"]


def test_a_refusal_needs_a_reason_and_changes_nothing(world: World, app: APIClient) -> None:
    ask(world, app)
    client = desk(world)
    refused = decide(world, client, False)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
    assert decide(world, client, False, "与证件不符").status_code == 200
    assert Patient.objects.get(id=world.patient.id).name == "王小东"
    [mine] = app.get(f"/api/v1/me/patients/{world.patient.id}/corrections").json()["results"]
    assert (mine["status"], mine["answer"]) == ("refused", "与证件不符")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"field": "mpi"}, "correction_field"),
        ({"wanted": "王3"}, "name_invalid"),
        ({"wanted": "王小东"}, "correction_same"),
        ({"reason": " "}, "invalid"),
        ({"field": "birth_date", "wanted": "1950-02-30"}, "birth_date_invalid"),
        ({"field": "sex", "wanted": "7"}, "sex_invalid"),
        ({"field": "phone", "wanted": "12"}, "phone_invalid"),
        ({"proof": base64.b64encode(b"<svg onload=alert(1)>").decode()}, "correction_proof"),
    ],
)
def test_what_cannot_be_right_is_refused_at_once(
    world: World, app: APIClient, changes: dict[str, str], code: str
) -> None:
    assert ask(world, app, **changes).json()["code"] == code
    assert not CorrectionRequest.objects.exists()


def test_one_open_request_for_one_field(world: World, app: APIClient) -> None:
    assert ask(world, app).status_code == 201
    assert ask(world, app, wanted="王晓冬").json()["code"] == "correction_open"
    assert ask(world, app, field="phone", wanted="13900000055").status_code == 201


def test_a_birth_date_that_does_not_fit_the_number_stops_at_the_decision(
    world: World, app: APIClient
) -> None:
    ask(world, app, field="birth_date", wanted="1950-03-16")
    answer = decide(world, desk(world), True)
    assert (answer.status_code, answer.json()["code"]) == (422, "document_conflict")
    assert CorrectionRequest.objects.get().status == "open"


def test_a_document_of_somebody_else_is_refused_and_a_corrected_phone_may_show_a_double(
    world: World, app: APIClient
) -> None:
    from .doubles import registered

    registered(world, name="王大力", document_type="01", document_number="310229195003150039")
    assert not DuplicateReview.objects.exists()
    ask(world, app, field="document_number", wanted="310229195003150039")
    answer = decide(world, desk(world), True)
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_exists")
    CorrectionRequest.objects.all().delete()
    ask(world, app, field="phone", wanted="13900000088")
    assert decide(world, desk(world), True).status_code == 200
    assert DuplicateReview.objects.get().reasons == ["phone_birth"]


def test_nobodys_name_changes_while_they_are_examined(world: World, app: APIClient) -> None:
    exam = world.book()
    exams.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    ask(world, app)
    answer = decide(world, desk(world), True)
    assert (answer.status_code, answer.json()["code"]) == (409, "merge_exam_open")


def test_a_decision_needs_a_proof_and_the_patients_own_hospital(world: World, app: APIClient) -> None:
    ask(world, app)
    assert decide(world, desk(world, "other_desk"), True).status_code == 404
    path = f"/api/v1/corrections/{CorrectionRequest.objects.get().id}"
    assert desk(world, "other_desk").get(path).status_code == 404
    client = desk(world)
    AccessToken.objects.update(stepped_up_at=None)
    assert decide(world, client, True).json()["code"] == "proof_required"
    assert desk(world, "admin").get("/api/v1/corrections").status_code == 403


def test_a_proof_is_shown_to_the_desk_alone_and_as_a_picture(world: World, app: APIClient) -> None:
    asked = ask(world, app, proof="data:image/png;base64," + base64.b64encode(PNG).decode()).json()
    path = f"/api/v1/corrections/{asked['id']}/proof"
    shown = desk(world).get(path)
    assert (shown.status_code, shown.content, shown["Content-Type"]) == (200, PNG, "image/png")
    assert desk(world, "other_desk").get(path).status_code == 404
    assert app.get(path).status_code == 403
    assert AuditEntry.objects.filter(object_kind="proof", outcome="read").count() == 1


def test_a_delegate_reads_but_does_not_correct(world: World) -> None:
    account = world.account("13900000077", linked=False)
    row = PatientAccount.objects.get(id=account.id)
    Delegation.objects.create(
        patient=world.patient, name="沈梅", relation="女儿", phone=row.phone, phone_index=row.phone_index,
        scopes=["read", "copy"], granted_by_kind="patient", granted_by_id=account.id, proven_at=now(),
        expires_at=now() + timedelta(days=1),
    )  # fmt: skip
    token, _ = access.token_issue(life=timedelta(hours=1), account=row)
    assert ask(world, APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")).status_code == 404


def test_after_fifteen_days_without_an_answer_that_is_on_record(world: World, app: APIClient) -> None:
    ask(world, app)
    row = CorrectionRequest.objects.get()
    assert row.due_at - row.asked_at == pytest.approx(timedelta(days=15), abs=timedelta(seconds=5))
    Work.objects.update(due_at=now())
    CorrectionRequest.objects.update(due_at=now() - timedelta(hours=1))
    work_drain()
    assert AuditEntry.objects.filter(action="correction.overdue").count() == 1
    assert desk(world).get("/api/v1/corrections").json()["results"][0]["overdue"]

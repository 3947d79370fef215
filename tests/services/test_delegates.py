from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access.models import LoginCode
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people import services as people
from hospital.people.models import Delegation
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
ELDER, DAUGHTER = "13900000001", "13900000077"
DOCUMENT, OTHER_DOCUMENT = "310229195003150012", "320584194802290036"
GRANT = {"name": "沈梅", "relation": "女儿", "phone": DAUGHTER, "scopes": ["read"], "days": 30}


@pytest.fixture
def world() -> World:
    return make_world()


def sign_in(phone: str, document_number: str = "") -> Any:
    client = APIClient()
    LoginCode.objects.update(created_at=now() - timedelta(minutes=2))
    client.post("/api/v1/auth/patient/code", {"phone": phone}, format="json")
    message = Message.objects.order_by("-created_at").first()
    body = {
        "phone": phone,
        "code": message.code if message else "000000",
        "document_number": document_number,
    }
    return client.post("/api/v1/auth/patient/token", body, format="json")


def app(phone: str, document_number: str = "") -> APIClient:
    answer = sign_in(phone, document_number)
    assert answer.status_code == 200, answer.json()
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")


def granted(world: World, **changes: Any) -> Any:
    elder = app(ELDER, DOCUMENT)
    path = f"/api/v1/me/patients/{world.patient.id}/delegates"
    return elder.post(path, GRANT | changes, format="json")


def exams_seen(client: APIClient) -> int:
    return len(client.get("/api/v1/me/exams").json()["results"])


def test_a_delegate_sees_the_elders_exams_after_naming_the_document_once(world: World) -> None:
    world.book()
    assert granted(world).status_code == 201
    first = sign_in(DAUGHTER)
    assert (first.status_code, first.json()["code"]) == (422, "document_required")
    assert exams_seen(app(DAUGHTER, DOCUMENT)) == 1
    assert exams_seen(app(DAUGHTER)) == 1


def test_a_phone_that_was_granted_nothing_gets_no_code_and_opens_nothing(world: World) -> None:
    before = Message.objects.count()
    answer = sign_in(DAUGHTER, DOCUMENT)
    assert (answer.status_code, answer.json()["code"]) == (401, "code_invalid")
    assert Message.objects.count() == before


@pytest.mark.parametrize("end", ["expired", "revoked_by_elder", "given_back", "other_scope"])
def test_a_delegation_that_ended_opens_nothing_from_the_next_request_on(world: World, end: str) -> None:
    world.book()
    row_id = granted(world).json()["id"]
    daughter = app(DAUGHTER, DOCUMENT)
    assert exams_seen(daughter) == 1
    rows = Delegation.objects.filter(id=row_id)
    if end == "expired":
        rows.update(expires_at=now(), granted_at=now() - timedelta(days=1))
    elif end == "other_scope":
        rows.update(scopes=["book"])
    elif end == "given_back":
        assert daughter.delete(f"/api/v1/me/delegations/{row_id}").status_code == 204
    else:
        path = f"/api/v1/me/patients/{world.patient.id}/delegates/{row_id}"
        assert app(ELDER).delete(path).status_code == 204
    assert exams_seen(daughter) == 0


def test_one_phone_acts_for_many_elders_and_only_for_those_who_granted_it(world: World) -> None:
    granted(world)
    people.patient_register(
        principal=world.principals["desk"],
        name="吴秀英",
        document_type="01",
        document_number=OTHER_DOCUMENT,
        birth_date=date(1948, 2, 29),
        sex="1",
        phone="13900000033",
    )
    refused = sign_in(DAUGHTER, OTHER_DOCUMENT)
    assert refused.json()["code"] == "code_invalid"
    found = sign_in(DAUGHTER, DOCUMENT).json()["patients"]
    assert [row["id"] for row in found] == [str(world.patient.id)]


def test_a_delegate_cannot_delegate_further(world: World) -> None:
    granted(world)
    daughter = app(DAUGHTER, DOCUMENT)
    path = f"/api/v1/me/patients/{world.patient.id}/delegates"
    assert daughter.post(path, GRANT | {"phone": "13900000088"}, format="json").status_code == 404
    assert daughter.get(path).status_code == 404


def test_the_desk_grants_against_a_paper_and_only_for_its_own_patients(world: World) -> None:
    from hospital.access import services as access

    path = f"/api/v1/patients/{world.patient.id}/delegates"
    clients = {}
    for who in ("desk", "other_desk"):
        token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
        clients[who] = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    refused = clients["desk"].post(path, GRANT, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "delegation_paper")
    assert clients["other_desk"].post(path, GRANT | {"paper": "P-7"}, format="json").status_code == 404
    assert not Delegation.objects.exists()
    made = clients["desk"].post(path, GRANT | {"paper": "P-7"}, format="json")
    assert made.status_code == 201
    assert DAUGHTER not in str(made.json())
    entry = AuditEntry.objects.get(action="delegation.grant")
    assert (entry.object_id, entry.actor_id) == (world.patient.id, world.users["desk"].id)
    assert clients["desk"].delete(f"{path}/{made.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scopes": []}, "delegation_scope"),
        ({"scopes": ["everything"]}, "delegation_scope"),
        ({"days": 0}, "delegation_days"),
        ({"days": 400}, "delegation_days"),
        ({"phone": ELDER}, "delegation_self"),
        ({"phone": "12"}, "phone_invalid"),
        ({"name": "7"}, "name_invalid"),
    ],
)
def test_a_delegation_that_makes_no_sense_is_refused(world: World, change: dict[str, Any], code: str) -> None:
    answer = granted(world, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Delegation.objects.exists()


def test_the_same_phone_is_granted_once_at_a_time(world: World) -> None:
    assert granted(world).status_code == 201
    answer = granted(world)
    assert (answer.status_code, answer.json()["code"]) == (409, "delegation_exists")
    Delegation.objects.update(expires_at=now(), granted_at=now() - timedelta(days=1))
    assert granted(world).status_code == 201


def test_a_number_unused_for_half_a_year_names_the_document_again(world: World) -> None:
    from hospital.access.models import PatientAccount

    granted(world)
    app(DAUGHTER, DOCUMENT)
    PatientAccount.objects.update(last_sign_in_at=now() - timedelta(days=181))
    assert sign_in(DAUGHTER).json()["code"] == "document_required"


def test_both_are_told_two_weeks_before_a_delegation_ends(world: World) -> None:
    granted(world)
    work = Work.objects.get(kind="delegation.ending")
    row = Delegation.objects.get()
    assert row.expires_at - work.due_at == timedelta(days=14)
    Work.objects.filter(id=work.id).update(due_at=now())
    Delegation.objects.update(expires_at=now() + timedelta(days=13))
    before = Message.objects.count()
    work_drain()
    told = Message.objects.filter(template="delegation_ends")
    assert (Message.objects.count() - before, {message.to for message in told}) == (2, {ELDER, DAUGHTER})


def test_a_delegation_that_was_revoked_warns_nobody(world: World) -> None:
    granted(world)
    Delegation.objects.update(revoked_at=now(), expires_at=now() + timedelta(days=13))
    Work.objects.filter(kind="delegation.ending").update(due_at=now())
    work_drain()
    assert not Message.objects.filter(template="delegation_ends").exists()


def test_the_list_says_which_delegations_end_soon(world: World) -> None:
    granted(world)
    path = f"/api/v1/me/patients/{world.patient.id}/delegates"
    [row] = app(ELDER).get(path).json()["results"]
    assert (row["ends_soon"], row["ends_in_days"]) == (False, 29)
    Delegation.objects.update(expires_at=now() + timedelta(days=5))
    [row] = app(ELDER).get(path).json()["results"]
    assert (row["ends_soon"], row["ends_in_days"]) == (True, 4)

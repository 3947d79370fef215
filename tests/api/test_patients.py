from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from rest_framework.test import APIClient

from hospital.access import services
from hospital.audit.models import AuditEntry
from hospital.common.clock import now, today
from hospital.common.errors import DomainError
from hospital.common.events import _handlers, subscribe
from hospital.common.ids import uuid7
from hospital.people import rules, selectors
from hospital.people import services as people
from hospital.people.consents import ConsentWithdrawn
from hospital.people.models import Agreement, ConsentText, Patient, Practitioner
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
NEW = {
    "name": "单晓明",
    "document_type": "01",
    "document_number": "320584194802290036",
    "birth_date": "1948-02-29",
    "sex": "1",
    "phone": "13900000003",
}


@pytest.fixture
def world() -> World:
    return make_world()


def client(world: World, who: str = "desk") -> APIClient:
    token, _ = services.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def register(world: World, who: str = "desk", **changes: Any) -> Any:
    return client(world, who).post("/api/v1/patients", NEW | changes, format="json")


def test_a_new_patient_gets_a_number_and_the_document_stays_masked(world: World) -> None:
    answer = register(world)
    body = answer.json()
    assert answer.status_code == 201
    assert len(body["mpi"]) == 9
    assert body["mpi"].startswith("P")
    assert (body["document_tail"], body["document_masked"]) == ("0036", "320***********0036")
    assert body["phone_masked"] == "139****0003"
    assert NEW["document_number"] not in answer.content.decode()
    assert NEW["phone"] not in answer.content.decode()


def test_a_namesake_of_the_own_hospital_is_pointed_out_and_of_another_is_not(world: World) -> None:
    own = register(world, name="王小东").json()["namesakes"]
    assert [(row["mpi"], row["document_tail"]) for row in own] == [(world.patient.mpi, "0012")]
    elsewhere = register(
        world, "other_desk", name="王小东", document_number="330421193806300058", birth_date="1938-06-30"
    )
    assert elsewhere.json()["namesakes"] == []


def test_a_known_document_is_a_conflict_that_names_the_patient_only_to_the_own_desk(world: World) -> None:
    known = {"document_number": "310229195003150012", "birth_date": "1950-03-15"}
    answer = register(world, **known)
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_exists")
    assert answer.json()["patient_id"] == str(world.patient.id)
    foreign = register(world, "other_desk", **known)
    assert (foreign.status_code, foreign.json()["code"]) == (409, "patient_exists")
    assert "patient_id" not in foreign.json()


@pytest.mark.parametrize("who", ["expert", "bedside", "admin"])
def test_other_roles_neither_register_nor_search(world: World, who: str) -> None:
    before = Patient.objects.count()
    assert register(world, who).status_code == 403
    assert client(world, who).get("/api/v1/patients?q=王小东").status_code == 403
    assert Patient.objects.count() == before
    assert AuditEntry.objects.filter(action="patient.register", outcome="refused").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_date": "1948-02-30"}, None),
        ({"birth_date": "1948-02-28"}, "document_conflict"),
        ({"document_type": "08"}, "document_invalid"),
        ({"document_type": "06", "document_number": "C12345678"}, "document_invalid"),
        ({"document_type": "03", "document_number": "E 1234/678"}, "document_invalid"),
        ({"name": "王\x00东"}, None),
        ({"name": "王\ue000"}, "name_invalid"),
        ({"name": "王🙂"}, "name_invalid"),
        ({"sex": "male"}, None),
        ({"phone": "021-59230000"}, "phone_invalid"),
    ],
)
def test_bad_input_is_a_problem_with_a_code_and_writes_nothing(
    world: World, changes: dict[str, str], field: str | None
) -> None:
    before = Patient.objects.count()
    answer = register(world, **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, field or "invalid")
    assert Patient.objects.count() == before


@pytest.mark.parametrize("name", ["㛃𬭎", "𰻝生", "𲎰明", "阿卜杜拉·买买提", "Smith John"])
def test_rare_characters_and_long_names_are_kept_as_they_are(world: World, name: str) -> None:
    made = register(world, name=name).json()
    assert made["name"] == name
    [found] = client(world).get("/api/v1/patients", {"q": name}).json()["results"]
    assert (found["id"], found["name_exact"]) == (made["id"], True)
    assert client(world).get(f"/api/v1/patients/{found['id']}").json()["name"] == name


@pytest.mark.parametrize(
    "q", ["shan xiao", "danxiaoming", "sxm", "单 晓 明", "单晓", "xiaoming", "0036", "0003"]
)
def test_a_name_is_found_by_every_reading_of_its_characters(world: World, q: str) -> None:
    made = register(world).json()
    found = client(world).get("/api/v1/patients", {"q": q}).json()["results"]
    assert [(row["id"], row["name_masked"]) for row in found] == [(made["id"], "单*明")]


@pytest.mark.parametrize(
    ("q", "exact"),
    [("单晓明", True), (" 单 晓 明 ", True), ("单晓", False), ("sxm", False), ("0036", False), ("", False)],
)
def test_a_search_masks_every_name_and_says_which_is_the_one_typed(world: World, q: str, exact: bool) -> None:
    made = register(world).json()
    answer = client(world).get("/api/v1/patients", {"q": q})
    assert "单晓明" not in answer.content.decode()
    assert "王小东" not in answer.content.decode()
    [row] = [row for row in answer.json()["results"] if row["id"] == made["id"]]
    tails = (row["birth_date"], row["document_tail"], row["phone_tail"])
    assert (row["name_masked"], *tails) == ("单*明", "1948-02-29", "0036", "0003")
    assert (row["name_exact"], "name" in row) == (exact, False)


def test_the_whole_name_comes_with_the_record_and_on_record(world: World) -> None:
    [row] = client(world).get("/api/v1/patients", {"q": "wxd"}).json()["results"]
    assert not AuditEntry.objects.filter(action="patient.read").exists()
    assert client(world).get(f"/api/v1/patients/{row['id']}").json()["name"] == "王小东"
    assert AuditEntry.objects.get(action="patient.read").object_id == world.patient.id


def test_namesakes_are_pointed_out_masked(world: World) -> None:
    [row] = register(world, name="王小东").json()["namesakes"]
    assert (row["name_masked"], "name" in row) == ("王*东", False)


def test_a_renewed_permit_finds_the_person_of_the_old_one(world: World) -> None:
    permit = {"document_type": "06", "document_number": "H1234567801"}
    first = register(world, **permit).json()
    again = register(world, **(permit | {"document_number": "H1234567802"}))
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["linked"]) == (first["id"], True)


def test_reading_a_record_is_on_record(world: World) -> None:
    answer = client(world).get(f"/api/v1/patients/{world.patient.id}")
    assert answer.json()["age"] == rules.age_on(world.patient.birth_date, today())
    entry = AuditEntry.objects.get(action="patient.read")
    assert (entry.object_id, entry.actor_id) == (world.patient.id, world.users["desk"].id)


def test_not_yours_and_not_there_are_the_same_answer_and_both_on_record(world: World) -> None:
    stranger = client(world, "other_desk")
    answers = [stranger.get(f"/api/v1/patients/{row}") for row in (world.patient.id, uuid7())]
    assert answers[0].status_code == answers[1].status_code == 404
    assert answers[0].content == answers[1].content
    assert AuditEntry.objects.filter(action="patient.read", outcome="refused").count() == 2


def test_a_desk_sees_physicians_of_its_own_house_and_of_invited_ones_only(world: World) -> None:
    def found() -> dict[str, str | None]:
        rows = client(world).get("/api/v1/practitioners?role=remote_physician").json()["results"]
        return {row["name"]: row["problem"] for row in rows}

    assert set(found()) == {"王思远", "赵雅琴"}
    Practitioner.objects.filter(user=world.users["expert2"]).update(
        licence_expires_on=today() - timedelta(days=1)
    )
    assert found() == {"王思远": None, "赵雅琴": "licence_expired"}
    Agreement.objects.update(ended_at=now() - timedelta(seconds=1))
    assert found() == {}
    assert client(world).get("/api/v1/practitioners?role=king").status_code == 422


@pytest.mark.parametrize(
    ("change", "covers"),
    [
        ({}, True),
        ({"valid_to": today() - timedelta(days=1)}, False),
        ({"valid_from": today() + timedelta(days=1)}, False),
        ({"services": ["remote_consultation"]}, False),
        ({"signed_by_invited_at": None}, False),
        ({"signed_by_inviting_at": None}, False),
        ({"ended_at": now() - timedelta(seconds=1)}, False),
        ({"ended_at": now() + timedelta(days=3)}, True),
    ],
)
def test_an_agreement_covers_only_what_both_signed_while_it_lasts(
    world: World, change: dict[str, Any], covers: bool
) -> None:
    Agreement.objects.update(**change)
    found = selectors.agreement_covering(
        inviting_id=world.places["home"].id,
        invited_id=world.places["expert"].id,
        service="remote_ultrasound",
        on=today(),
    )
    assert (found is not None) == covers


def test_an_agreement_that_ends_tonight_covers_nothing_tomorrow(world: World) -> None:
    asked: dict[str, Any] = {
        "inviting_id": world.places["home"].id,
        "invited_id": world.places["expert"].id,
        "service": "remote_ultrasound",
    }
    Agreement.objects.update(valid_to=today())
    assert selectors.agreement_covering(**asked, on=today()) is not None
    assert selectors.agreement_covering(**asked, on=today() + timedelta(days=1)) is None


def test_the_newest_consent_text_is_shown_and_no_text_ever_changes(world: World) -> None:
    people.consent_text_publish(kind="remote_exam", version="2", body_zh="新", body_en="new")
    answer = client(world, "bedside").get("/api/v1/consent-texts/current?kind=remote_exam").json()
    assert (answer["version"], answer["body_zh"]) == ("2", "新")
    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentText.objects.update(body_zh="anders")
    assert client(world, "bedside").get("/api/v1/consent-texts/current?kind=other").status_code == 404


def give(world: World, patient: Patient, **more: str) -> Any:
    fields: dict[str, Any] = {
        "kind": "remote_exam",
        "text_version": "1",
        "method": "witness",
        "witness_name": "钱丽",
    }
    return people.consent_record(
        principal=world.principals["bedside"], patient_id=patient.id, exam_id=uuid7(), **(fields | more)
    )


def test_a_child_below_14_needs_a_guardian(world: World) -> None:
    made = register(world, document_number="310118202002290062", birth_date="2020-02-29", sex="2")
    child = Patient.objects.get(id=made.json()["id"])
    with pytest.raises(DomainError, match="guardian_required"):
        give(world, child, given_by="patient")
    assert (
        give(world, child, given_by="guardian", guardian_name="单母", guardian_relation="母亲").given_by
        == "guardian"
    )


def test_a_withdrawn_consent_is_told_to_those_who_stand_on_it(world: World) -> None:
    heard: list[ConsentWithdrawn] = []
    consent = give(world, world.patient, given_by="patient")
    subscribe(ConsentWithdrawn, heard.append)
    try:
        people.consent_withdraw(
            principal=world.principals["bedside"],
            exam_id=consent.exam_id,
            kind="remote_exam",
            reason="不愿意",
        )
    finally:
        _handlers[ConsentWithdrawn].remove(heard.append)
    assert [(event.exam_id, event.patient_id) for event in heard] == [(consent.exam_id, world.patient.id)]


def test_a_bedside_physicians_search_by_a_whole_number_is_masked_and_on_record(world: World) -> None:
    answer = client(world, "bedside").post(
        "/api/v1/patients/find", {"number": world.patient.document_number}, format="json"
    )
    (row,) = answer.json()["results"]
    assert (row["id"], row["name_masked"], row["birth_date"]) == (
        str(world.patient.id), "王*东", "1950-03-15",
    )  # fmt: skip
    for secret in (world.patient.name, world.patient.document_number, world.patient.phone):
        assert secret not in answer.content.decode()
    entry = AuditEntry.objects.get(action="patient.find")
    assert (entry.actor_id, entry.patient_ids) == (world.users["bedside"].id, [world.patient.id])


def test_a_search_that_named_nobody_is_on_record_too(world: World) -> None:
    answer = client(world, "bedside").post("/api/v1/patients/find", {"number": "13999999999"}, format="json")
    assert answer.json() == {"results": []}
    assert AuditEntry.objects.get(action="patient.find").patient_ids == []


def test_the_bedside_searches_by_no_other_door(world: World) -> None:
    own = client(world, "bedside")
    assert own.get("/api/v1/patients?q=王").status_code == 403
    assert own.get(f"/api/v1/patients/{world.patient.id}").status_code == 403
    assert (
        own.post("/api/v1/patients/find", {"name": "王小东"}, format="json").json()["code"]
        == "find_too_little"
    )

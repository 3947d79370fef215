"""Who may be one person: exact matches link, anything less waits for a person to decide."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import AccessToken, Proof
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Conflict, DomainError, Forbidden, Invalid
from hospital.people import reviews, selectors
from hospital.people.models import DuplicateReview, Patient
from teleconsult import selectors as exams
from tests.factories import World, make_world

from .doubles import OTHER_PHONE, PASSPORT, proven, registered, unmerge

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def double(world: World) -> Patient:
    """The same man again, at the same desk, with his passport and his daughter's phone."""
    return registered(world)


def test_an_exact_registration_elsewhere_links_to_the_person_on_file(world: World) -> None:
    number = world.patient.document_number
    same = registered(world, document_type="01", document_number=number, who="other_desk")
    assert same.id == world.patient.id
    assert Patient.objects.count() == 1
    other = world.principals["other_desk"]
    assert [p.id for p in selectors.patient_search(principal=other, q="wxd")] == [world.patient.id]
    assert not exams.exams(other).exists()
    assert AuditEntry.objects.filter(action="patient.link", object_id=world.patient.id).count() == 1
    registered(world, document_type="01", document_number=number, who="other_desk")
    assert AuditEntry.objects.filter(action="patient.link").count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "name_birth"),
        ({"name": "王晓冬"}, "sound_birth"),
        ({"name": "李四", "phone": "13900000001"}, "phone_birth"),
        ({"phone": "13900000001", "birth_date": date(1950, 3, 16)}, "name_phone"),
        (
            {"document_type": "02", "document_number": "310229195003150012", "name": "王大"},
            "number",
        ),
    ],
)
def test_less_than_an_exact_match_waits_for_a_person(
    world: World, changes: dict[str, Any], reason: str
) -> None:
    found = registered(world, **changes)
    assert found.id != world.patient.id
    case = reviews.cases(world.principals["desk"])[0]
    assert reason in case.row.reasons
    assert {case.left.id, case.right.id if case.right else None} == {found.id, world.patient.id}


def test_a_stranger_of_the_same_name_or_day_alone_opens_nothing(world: World) -> None:
    registered(world, birth_date=date(1961, 1, 1))
    registered(world, name="赵一", document_number="E00000001")
    registered(
        world, name="钱二", document_number="E00000002", birth_date=date(1970, 1, 1), phone="13900000001"
    )
    assert reviews.cases(world.principals["desk"]) == []


def test_a_document_on_file_under_another_name_is_refused_and_reviewed_side_by_side(world: World) -> None:
    fields = {"document_type": "01", "document_number": world.patient.document_number, "name": "王晓东"}
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            registered(world, **fields)
        assert (caught.value.code, caught.value.data) == (
            "patient_exists",
            {"patient_id": str(world.patient.id)},
        )
    desk = world.principals["desk"]
    [case] = reviews.cases(desk)
    assert (case.right, case.claim["name"], case.row.reasons) == (None, "王晓东", ["document"])
    for query, n in (("晓", 1), ("wangxiaodong", 1), ("xiaod", 1), ("0012", 1), ("zhang", 0), ("张", 0)):
        assert len(reviews.cases(desk, q=query)) == n, query
    stored = DuplicateReview.objects.raw("SELECT id, claim FROM people_duplicatereview")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT claim FROM people_duplicatereview")
        assert "王晓东".encode() not in bytes((cursor.fetchone() or (b"",))[0])
    assert json.loads(stored.claim)["name"] == "王晓东"


@pytest.mark.parametrize("query", ["wang xiao dong", "wxd", "王小", "5678", PASSPORT])
def test_the_queue_is_searched_by_sound_and_numbers(world: World, double: Patient, query: str) -> None:
    registered(world, name="赵一", document_number="E00000001", birth_date=date(1970, 1, 1))
    registered(world, name="赵一", document_number="E00000002", birth_date=date(1970, 1, 1))
    desk = world.principals["desk"]
    assert len(reviews.cases(desk)) == 2
    [case] = reviews.cases(desk, q=query)
    assert double.id in {case.left.id, case.right.id if case.right else None}


def decide(world: World, verdict: str, **more: Any) -> DuplicateReview:
    proven(world)
    [case] = reviews.cases(world.principals["desk"])
    return reviews.review_decide(
        principal=world.principals["desk"], review_id=case.row.id, verdict=verdict, note="看过证件", **more
    )


def test_one_person_merges_and_undoing_it_says_two(world: World, double: Patient) -> None:
    row = decide(world, "same", survivor_id=world.patient.id)
    double.refresh_from_db()
    assert (double.merged_into_id, row.status) == (world.patient.id, "same")
    assert row.merge is not None
    unmerge(world, row.merge)
    row.refresh_from_db()
    assert row.status == "distinct"
    assert reviews.cases(world.principals["desk"]) == []


def test_two_persons_stay_two_and_nobody_asks_again(world: World, double: Patient) -> None:
    decide(world, "distinct")
    assert reviews.duplicates_look(principal=world.principals["desk"], patient=double) == []
    assert reviews.cases(world.principals["desk"]) == []
    with pytest.raises(Conflict, match="review_exists"):
        reviews.review_open(
            principal=world.principals["desk"], first_id=double.id, second_id=world.patient.id
        )


def test_a_decision_needs_a_proof_and_one_of_the_two(world: World, double: Patient) -> None:
    [case] = reviews.cases(world.principals["desk"])
    desk = world.principals["desk"]
    with pytest.raises(Forbidden, match="proof_required"):
        reviews.review_decide(principal=desk, review_id=case.row.id, verdict="distinct", note="看过")
    with pytest.raises(Invalid, match="merge_survivor"):
        decide(world, "same", survivor_id=world.users["desk"].id)
    assert DuplicateReview.objects.get().status == "open"


def test_across_hospitals_the_other_side_is_masked_and_nobody_merges_alone(world: World) -> None:
    registered(world, who="other_desk")
    client = client_of(world, "desk")
    [row] = client.get("/api/v1/duplicates").json()["results"]
    found = client.get(f"/api/v1/duplicates/{row['id']}").json()
    [other] = [side for side in (found["left"], found["right"]) if not side["own"]]
    assert (other["id"], other["name_masked"]) == (None, "王*东")
    assert "王小东" not in json.dumps(other, ensure_ascii=False)
    assert OTHER_PHONE not in json.dumps(found) and not found["may_merge"]
    proven(world)
    with pytest.raises(Conflict, match="merge_other_hospital"):
        decide(world, "same", survivor_id=world.patient.id)
    third = [one for one in world.places if one not in ("home", "other")]
    assert third and client_of(world, "admin").get("/api/v1/duplicates").status_code == 403


def client_of(world: World, who: str) -> APIClient:
    token, row = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    AccessToken.objects.filter(id=row.id).update(stepped_up_at=now())
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def test_the_queue_its_decision_and_its_undoing_through_the_doors(world: World, double: Patient) -> None:
    client = client_of(world, "desk")
    [row] = client.get("/api/v1/duplicates?q=wxd").json()["results"]
    found = client.get(f"/api/v1/duplicates/{row['id']}").json()
    assert found["may_merge"] and {found["left"]["id"], found["right"]["id"]} == {
        str(world.patient.id),
        str(double.id),
    }
    body = {"verdict": "same", "note": "证件一致", "survivor_id": str(world.patient.id)}
    decided = client.post(f"/api/v1/duplicates/{found['id']}/decide", body, format="json")
    assert decided.status_code == 200, decided.json()
    again = client.post(f"/api/v1/duplicates/{found['id']}/decide", body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "review_decided")
    AccessToken.objects.update(stepped_up_at=now())
    path = f"/api/v1/merges/{decided.json()['merge']['id']}/undo"
    undone = client.post(path, {"reason": "看错了人"}, format="json")
    assert undone.status_code == 200, undone.json()
    assert Patient.objects.filter(merged_into=None).count() == 2


def test_the_queue_is_masked_and_a_review_that_is_opened_is_on_record(world: World, double: Patient) -> None:
    client = client_of(world, "desk")
    queue = client.get("/api/v1/duplicates")
    [row] = queue.json()["results"]
    assert [side["name_masked"] for side in (row["left"], row["right"])] == ["王*东", "王*东"]
    assert "王小东" not in queue.content.decode()
    opened = client.get(f"/api/v1/duplicates/{row['id']}").json()
    assert [side["name"] for side in (opened["left"], opened["right"])] == ["王小东", "王小东"]
    entry = AuditEntry.objects.get(action="duplicate.review", object_id=row["id"])
    assert (entry.outcome, set(entry.patient_ids)) == ("read", {world.patient.id, double.id})
    stranger = client_of(world, "other_desk").get(f"/api/v1/duplicates/{row['id']}")
    assert stranger.status_code == 404
    page = page_of(world, "/console/identity/")
    assert row["id"] in page and "王小东" not in page


def test_what_was_read_from_a_document_is_masked_in_the_queue_too(world: World) -> None:
    fields = {"document_type": "01", "document_number": world.patient.document_number, "name": "王晓东"}
    with pytest.raises(DomainError):
        registered(world, **fields)
    client = client_of(world, "desk")
    queue = client.get("/api/v1/duplicates")
    [row] = queue.json()["results"]
    assert "王晓东" not in queue.content.decode() and row["right"]["name_masked"] == "王*东"
    assert client.get(f"/api/v1/duplicates/{row['id']}").json()["right"]["name"] == "王晓东"


def page_of(world: World, path: str) -> str:
    browser = Client(HTTP_HOST="localhost")
    session = browser.session
    session[access.SESSION_KEY] = str(world.principals["desk"].token_id)
    session.save()
    return browser.get(path).content.decode()


def test_a_proof_given_for_one_decision_counts_for_no_other(world: World, double: Patient) -> None:
    desk = world.principals["desk"]
    [case] = reviews.cases(desk)
    proof = {"action": "patient.merge", "object_id": case.row.id, "method": "totp"}
    later = now() + timedelta(minutes=1)
    assert desk.token_id is not None
    for version, object_id in (("distinct", world.users["desk"].id), ("same", case.row.id)):
        Proof.objects.create(
            token_id=desk.token_id, version=version, expires_at=later, **(proof | {"object_id": object_id})
        )
    with pytest.raises(Forbidden, match="proof_required"):
        reviews.review_decide(principal=desk, review_id=case.row.id, verdict="distinct", note="看过证件")
    reviews.review_decide(
        principal=desk, review_id=case.row.id, verdict="same", note="看过证件", survivor_id=world.patient.id
    )
    assert Patient.objects.get(id=double.id).merged_into_id == world.patient.id

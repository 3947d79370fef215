from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import AccessToken, Membership, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people.models import BreakGlass
from teleconsult.models import Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
DOCUMENT = "310229195003150012"
REASON = "急诊昏迷，需查看近期腹部超声"


@pytest.fixture
def world() -> World:
    return make_world()


def client_of(world: World, who: str, *, proven: bool = True) -> APIClient:
    token, row = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    if proven:
        AccessToken.objects.filter(id=row.id).update(stepped_up_at=now())
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def reviewer(world: World, place: str = "other") -> APIClient:
    user = User.objects.create(username="qc", name="质控", password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places[place], role="quality_control")
    world.users["qc"] = user
    return client_of(world, "qc")


def opened_by(client: APIClient, **changes: Any) -> Any:
    body = {"document_number": DOCUMENT, "reason": REASON} | changes
    return client.post("/api/v1/break-glass", body, format="json")


def test_a_stranger_reads_one_patient_for_four_hours_and_changes_nothing(world: World) -> None:
    exam = world.ended()
    client = client_of(world, "other_expert")
    path = f"/api/v1/exams/{exam.id}"
    assert client.get(path).status_code == 404
    assert opened_by(client).status_code == 201
    assert client.get(path).status_code == 200
    assert client.get(f"{path}/report").status_code == 200
    assert client.post(f"{path}/end", {}, format="json").status_code == 403
    assert (
        client.put(
            f"{path}/report", {"findings": "x", "impression": "x", "revision": 0}, format="json"
        ).status_code
        == 403
    )
    assert Exam.objects.get(id=exam.id).state == "ended"
    BreakGlass.objects.update(began_at=now() - timedelta(hours=3), ends_at=now())
    assert client.get(path).status_code == 404


def test_it_takes_a_fresh_proof_each_time(world: World) -> None:
    answer = opened_by(client_of(world, "other_expert", proven=False))
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_required")
    client = client_of(world, "other_expert")
    assert opened_by(client).status_code == 201
    assert opened_by(client).json()["code"] == "proof_required"


def test_an_unknown_document_opens_nothing_and_costs_the_proof(world: World) -> None:
    client = client_of(world, "other_expert")
    assert opened_by(client, document_number="320584194802290036").status_code == 404
    assert not BreakGlass.objects.exists()
    assert opened_by(client).json()["code"] == "proof_required"
    assert AuditEntry.objects.filter(
        action="break_glass.open", outcome="refused", reason="not_found"
    ).exists()


def test_a_reason_nobody_could_review_is_no_reason(world: World) -> None:
    assert opened_by(client_of(world, "other_expert"), reason="急诊").json()["code"] == "reason_short"


@pytest.mark.parametrize("who", ["desk", "admin"])
def test_only_clinicians_break_the_glass(world: World, who: str) -> None:
    assert opened_by(client_of(world, who)).status_code == 403
    assert not BreakGlass.objects.exists()


def test_the_patient_is_told_who_looked_and_not_why(world: World) -> None:
    opened_by(client_of(world, "other_expert"))
    message = Message.objects.get(template="break_glass")
    assert message.to == world.patient.phone
    assert "外院专家" in message.text
    assert REASON not in message.text


def test_somebody_else_reviews_once_and_sees_no_full_name(world: World) -> None:
    opened_by(client_of(world, "other_expert"))
    qc = reviewer(world)
    listed = qc.get("/api/v1/break-glass").json()["results"]
    assert [row["verdict"] for row in listed] == [None]
    assert world.patient.name not in str(listed)
    path = f"/api/v1/break-glass/{listed[0]['id']}/review"
    assert qc.post(path, {"verdict": "perhaps"}, format="json").status_code == 422
    assert qc.post(path, {"verdict": "justified"}, format="json").status_code == 200
    assert qc.post(path, {"verdict": "justified"}, format="json").json()["code"] == "break_glass_reviewed"


def test_what_was_not_justified_closes_at_once(world: World) -> None:
    exam = world.book()
    client = client_of(world, "other_expert")
    opened_by(client)
    entry = BreakGlass.objects.get()
    BreakGlass.objects.update(began_at=now() - timedelta(minutes=5), ends_at=now() + timedelta(hours=1))
    answer = reviewer(world).post(
        f"/api/v1/break-glass/{entry.id}/review", {"verdict": "not_justified"}, format="json"
    )
    assert answer.status_code == 200
    assert client.get(f"/api/v1/exams/{exam.id}").status_code == 404


def test_reviewers_of_a_hospital_that_has_no_part_see_nothing(world: World) -> None:
    opened_by(client_of(world, "other_expert"))
    qc = reviewer(world, place="expert")
    assert qc.get("/api/v1/break-glass").json()["results"] == []
    entry = BreakGlass.objects.get()
    assert (
        qc.post(f"/api/v1/break-glass/{entry.id}/review", {"verdict": "justified"}, format="json").status_code
        == 404
    )


def test_nobody_reviews_their_own_access(world: World) -> None:
    client = client_of(world, "other_expert")
    opened_by(client)
    entry = BreakGlass.objects.get()
    Membership.objects.create(
        user=world.users["other_expert"], institution=world.places["other"], role="quality_control"
    )
    answer = client.post(f"/api/v1/break-glass/{entry.id}/review", {"verdict": "justified"}, format="json")
    assert answer.json()["code"] == "break_glass_own"
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakGlass.objects.update(reviewed_by=entry.user_id, reviewed_at=now(), verdict="justified")


def test_the_database_knows_the_four_hours(world: World) -> None:
    opened_by(client_of(world, "other_expert"))
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakGlass.objects.update(ends_at=now() + timedelta(hours=5))


@pytest.mark.parametrize("reviewed", [True, False])
def test_an_access_without_review_is_on_record_after_a_day(world: World, reviewed: bool) -> None:
    opened_by(client_of(world, "other_expert"))
    if reviewed:
        entry = BreakGlass.objects.get()
        reviewer(world).post(
            f"/api/v1/break-glass/{entry.id}/review", {"verdict": "justified"}, format="json"
        )
    Work.objects.filter(kind="break_glass_review").update(due_at=now())
    work_drain()
    assert AuditEntry.objects.filter(action="break_glass.overdue").exists() is not reviewed


def test_reviewers_are_told_what_they_did_not_review_in_a_day(world: World) -> None:
    opened_by(client_of(world, "other_expert"))
    reviewer(world)
    Membership.objects.create(
        user=world.users["other_expert"], institution=world.places["other"], role="quality_control"
    )
    Work.objects.filter(kind="break_glass_review").update(due_at=now())
    work_drain()
    told = Message.objects.filter(template="break_glass_overdue", channel="in_app")
    assert [row.to for row in told] == [str(world.users["qc"].id)]

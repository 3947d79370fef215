"""The doors and the printed page of keeping: who sees which requests and holds, and what a paper to take along says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from devices.fleet.models import Robot
from hospital.access.models import AccessToken, User
from hospital.access.principals import Principal
from hospital.access.services import SESSION_KEY
from hospital.audit.models import AuditEntry
from hospital.common import retention
from hospital.common.clock import now, today
from hospital.keeping.models import ErasureRequest, LegalHold
from hospital.people import erasure
from hospital.people.models import Patient
from hospital.scheduling.models import Resource
from tests.access.house import client_for
from tests.factories import World, make_world
from tests.services.kept import person, reported

pytestmark = pytest.mark.django_db
HOLD: dict[str, Any] = {"subject_kind": "patient", "case_number": "(2026)沪01民初1号", "reason": "诉讼"}


@pytest.fixture
def world(settings: Any) -> World:
    settings.EMBEDDED = True
    return make_world()


def staff(principal: Principal) -> APIClient:
    return client_for(user=User.objects.get(id=principal.id))


def admin(world: World, role: str, place: str = "home") -> APIClient:
    return staff(person(world.places[place], role, f"{place}.{role}"))


def browser(principal: Principal, language: str = "zh") -> Client:
    found = Client(HTTP_HOST="localhost")
    session = found.session
    session[SESSION_KEY] = str(principal.token_id)
    session.save()
    found.cookies["lang"] = language
    return found


def asked(world: World, paper: str = "P-9") -> ErasureRequest:
    return erasure.erasure_ask_on_paper(
        principal=world.principals["desk"], patient_id=world.patient.id, paper=paper
    )


def rows(client: APIClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_the_desk_is_told_beforehand_what_the_answer_will_be(world: World) -> None:
    exam, desk = reported(world), staff(world.principals["desk"])
    foreseen = desk.get(f"/api/v1/patients/{world.patient.id}/erasure-requests")
    assert foreseen.status_code == 200
    assert not ErasureRequest.objects.exists() and Patient.objects.exists(), "nothing is done by looking"
    entry = AuditEntry.objects.filter(action="erasure.ask", outcome="read").get()
    assert entry.patient_ids == [world.patient.id]
    row = asked(world)
    assert foreseen.json() == row.answer
    assert exam.ended_at is not None
    until = retention.erasable_on(retention.RECORD, exam.ended_at).isoformat()
    assert until in {line["until"] for line in row.answer["stays"]}
    stranger = staff(world.principals["other_desk"]).get(
        f"/api/v1/patients/{world.patient.id}/erasure-requests"
    )
    assert stranger.status_code == 404


def test_a_booking_that_goes_does_not_hide_until_when_the_record_stays(world: World) -> None:
    """The reason a patient reads is the law's clock, not the booking that is cancelled with the request."""
    exam = reported(world)
    world.book(starts_at=world.tomorrow(90))
    row = asked(world)
    assert exam.ended_at is not None
    kept = {line["class"]: line for line in row.answer["stays"]}
    assert (
        kept["records.report"]["until"] == retention.erasable_on(retention.RECORD, exam.ended_at).isoformat()
    )
    assert "15年" in kept["records.report"]["why_zh"]


def test_requests_are_seen_by_the_desk_and_the_administrators_of_their_hospital(world: World) -> None:
    row = asked(world)
    clients = [staff(world.principals["desk"]), admin(world, "security_admin"), admin(world, "audit_admin")]
    for client in clients:
        assert [one["id"] for one in rows(client, "erasure-requests")] == [str(row.id)]
        assert client.get(f"/api/v1/erasure-requests/{row.id}").json()["on_paper"] == "P-9"
    for client in (staff(world.principals["other_desk"]), admin(world, "security_admin", "other")):
        assert rows(client, "erasure-requests") == []
        assert client.get(f"/api/v1/erasure-requests/{row.id}").status_code == 404
    refused = admin(world, "system_admin").get("/api/v1/erasure-requests")
    assert refused.status_code == 403, "who runs the erasing has no part in it"
    read = AuditEntry.objects.filter(action="erasure.read", outcome="read")
    assert read.exists() and all(entry.reason == "erasure" for entry in read)


def test_who_took_the_paper_hands_over_the_answer_of_a_patient_of_another_hospital(world: World) -> None:
    row = asked(world)
    ErasureRequest.objects.update(
        institution=world.places["other"], by_kind="staff", by_id=world.principals["desk"].id
    )
    page = browser(world.principals["desk"]).get(f"/console/keeping/requests/{row.id}/print/")
    assert page.status_code == 200


def test_those_that_wait_come_first_due_first_and_say_when_they_are_late(world: World) -> None:
    world.live()
    waiting = asked(world)
    ErasureRequest.objects.filter(id=waiting.id).update(due_at=now() - timedelta(minutes=1))
    done = ErasureRequest.objects.create(
        patient_id=world.patient.id, institution=world.places["home"], by_kind="staff",
        by_id=world.users["desk"].id, paper="P-1", due_at=now(), answered_at=now(),
    )  # fmt: skip
    client = admin(world, "security_admin")
    assert {one["id"] for one in rows(client, "erasure-requests")} == {str(waiting.id), str(done.id)}
    (only,) = rows(client, "erasure-requests?waiting=true")
    assert (only["id"], only["overdue"], only["waits_for"]) == (str(waiting.id), True, "exam_running")


def test_a_hold_says_whether_the_reader_may_lift_it_and_leaves_the_short_list_when_it_is_over(
    world: World,
) -> None:
    security, audit = admin(world, "security_admin"), admin(world, "audit_admin")
    made = security.post("/api/v1/legal-holds", HOLD | {"subject": world.patient.mpi}, format="json")
    assert made.status_code == 201 and made.json()["own"] is True
    (seen,) = rows(audit, "legal-holds?standing=true")
    assert seen["own"] is False and seen["standing"] is True
    lifted = audit.post(f"/api/v1/legal-holds/{seen['id']}/lift", {"reason": "结案"}, format="json")
    assert lifted.status_code == 200 and lifted.json()["standing"] is False
    assert rows(audit, "legal-holds?standing=true") == []
    assert [one["id"] for one in rows(audit, "legal-holds")] == [seen["id"]]
    assert rows(admin(world, "audit_admin", "other"), "legal-holds") == []


def test_a_long_list_of_holds_comes_in_pages_that_keep_the_question(world: World) -> None:
    setter = world.users["admin"]
    LegalHold.objects.bulk_create(
        LegalHold(
            subject_kind="robot", subject_id=world.robot.id, institution=world.places["home"],
            case_number=str(n), reason="x", set_by=setter,
        )
        for n in range(101)
    )  # fmt: skip
    client = admin(world, "audit_admin")
    first = client.get("/api/v1/legal-holds?standing=true").json()
    assert len(first["results"]) == 100 and "standing=true" in first["next"]
    second = client.get(first["next"]).json()
    assert len(second["results"]) == 1 and second["next"] is None
    seen = {one["id"] for one in first["results"] + second["results"]}
    assert len(seen) == 101


def test_erasing_and_lifting_need_a_fresh_proof_and_looking_does_not(world: World) -> None:
    desk, security, audit = (
        staff(world.principals["desk"]),
        admin(world, "security_admin"),
        admin(world, "audit_admin"),
    )
    security.post("/api/v1/legal-holds", HOLD | {"subject": world.patient.mpi}, format="json")
    AccessToken.objects.update(proven_at=now() - timedelta(minutes=11))
    path = f"/api/v1/patients/{world.patient.id}/erasure-requests"
    assert desk.get(path).status_code == 200
    refused = desk.post(path, {"paper": "P-9"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    (hold,) = rows(audit, "legal-holds")
    lift = audit.post(f"/api/v1/legal-holds/{hold['id']}/lift", {"reason": "结案"}, format="json")
    assert (lift.status_code, lift.json()["code"]) == (403, "step_up_required")
    assert not ErasureRequest.objects.exists() and LegalHold.objects.filter(lifted_at=None).count() == 1
    AccessToken.objects.update(proven_at=now())
    assert desk.post(path, {"paper": "P-9"}, format="json").status_code == 201


def robot_elsewhere(world: World, place: str) -> Robot:
    machine = Resource.objects.create(kind="robot", institution=world.places[place], name="机器人")
    return Robot.objects.create(
        resource=machine, institution=world.places[place], name="机器人", calibration_due_on=today(),
        maintenance_due_on=today(),
    )  # fmt: skip


def test_a_robot_is_held_by_its_name_whatever_other_hospitals_call_theirs(world: World) -> None:
    elsewhere = robot_elsewhere(world, "other")
    body = HOLD | {"subject_kind": "robot", "subject": "机器人"}
    for place, robot in (("home", world.robot), ("other", elsewhere)):
        made = admin(world, "security_admin", place).post("/api/v1/legal-holds", body, format="json")
        assert made.json()["subject_id"] == str(robot.id)
    robot_elsewhere(world, "home")
    several = admin(world, "audit_admin").post("/api/v1/legal-holds", body, format="json")
    assert (several.status_code, several.json()["code"]) == (409, "legal_hold_several")
    assert LegalHold.objects.count() == 2


@pytest.mark.parametrize(
    ("language", "title"), [("zh", "个人信息删除申请答复"), ("en", "Answer to a request")]
)
def test_the_printed_answer_says_what_stays_and_bears_no_name(
    world: World, language: str, title: str
) -> None:
    exam = reported(world)
    row = asked(world)
    page = browser(world.principals["desk"], language).get(f"/console/keeping/requests/{row.id}/print/")
    text = page.content.decode()
    assert page.status_code == 200 and title in text and "P-9" in text
    assert exam.ended_at is not None
    assert retention.erasable_on(retention.RECORD, exam.ended_at).isoformat() in text
    for secret in (world.patient.name, world.patient.mpi, world.patient.document_number):
        assert secret not in text
    assert AuditEntry.objects.filter(action="page.erasure_print", outcome="read").count() == 1
    for who in ("other_desk", "expert"):
        refused = browser(world.principals[who]).get(f"/console/keeping/requests/{row.id}/print/")
        assert refused.status_code in (403, 404), who


def test_a_request_that_waits_prints_a_receipt_that_promises_no_day_that_is_over(world: World) -> None:
    world.live()
    row, desk = asked(world), browser(world.principals["desk"])
    text = desk.get(f"/console/keeping/requests/{row.id}/print/").content.decode()
    assert "个人信息删除申请回执" in text and "检查尚未结束" in text and "依法继续保存" not in text
    assert "最迟不晚于上述日期" in text
    ErasureRequest.objects.update(due_at=now() - timedelta(days=1))
    text = desk.get(f"/console/keeping/requests/{row.id}/print/").content.decode()
    assert "最迟不晚于上述日期" not in text and "答复已迟于上述日期" in text


def test_the_page_offers_each_role_only_what_it_may_do(world: World) -> None:
    desk = browser(world.principals["desk"]).get("/console/keeping/").content.decode()
    holder = person(world.places["home"], "audit_admin", "holder")
    audit = browser(holder).get("/console/keeping/").content.decode()
    assert 'id="panel-ask"' in desk and 'id="panel-holds"' not in desk
    assert 'id="panel-ask"' not in audit and 'id="panel-holds"' in audit
    assert browser(world.principals["expert"]).get("/console/keeping/").status_code == 403
    assert browser(holder).get("/console/")["Location"] == "/console/admin/audit/", "not the first page"

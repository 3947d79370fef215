"""What the doors leave in the log, and what they do when there is no log to write to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from devices.fleet.authentication import robot_principal
from hospital.access import services as access
from hospital.access.models import PatientAccount
from hospital.access.services import SESSION_KEY
from hospital.audit import spool
from hospital.audit.models import AuditEntry
from hospital.audit.sealer import seal_all
from hospital.audit.verifier import audit_verify
from hospital.common.api import Door
from hospital.common.clock import day_of
from hospital.common.errors import Unavailable
from hospital.common.management.commands.grant_app_role import APPEND_ONLY
from hospital.records.models import FrozenFrame, Report
from teleconsult import live, reporting, services
from teleconsult.models import Exam, Presence
from tests.factories import World, make_world
from tests.owner import as_owner
from tests.servers import Servers
from tests.services.test_reports import META, PNG

pytestmark = pytest.mark.django_db(transaction=True)
# Doors that show nothing about a patient: everything else that is read is recorded.
CATALOGUES = {
    "AgreementDocumentDoor",
    "AgreementsDoor",
    "ConsentTextDoor",
    "FiguresDoor",
    "FiguresFileDoor",
    "PeersDoor",
    "RegistryDoor",
    "ExamTypesDoor",
    "FeedsDoor",
    "InstitutionExceptionsDoor",
    "InstitutionHoursDoor",
    "ReleasedTimesDoor",
    "ResourceExceptionsDoor",
    "ResourceHoursDoor",
    "TimesDoor",
    "TurnoversDoor",
    "HealthDoor",
    "InstitutionsDoor",
    "KeyStateDoor",
    "KeysDoor",
    "PermissionsDoor",
    "PractitionersDoor",
    "ProvidersDoor",
    "ResourcesDoor",
    "RobotsDoor",
    "SessionsDoor",
}


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.DATA_DIR = tmp_path
    return make_world()


def client(world: World, who: str) -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def page(world: World, who: str) -> Client:
    browser = Client(HTTP_HOST="localhost")
    session = browser.session
    session[SESSION_KEY] = str(world.principals[who].token_id)
    session.save()
    return browser


def patient_client(world: World) -> APIClient:
    principal = world.account()
    token, _ = access.token_issue(
        life=timedelta(hours=1), account=PatientAccount.objects.get(id=principal.id)
    )
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def log_taken() -> None:
    """The right to write the log goes: as with a full or broken disk under that table alone."""
    as_owner("REVOKE INSERT ON audit_auditentry FROM hospital_app")


def log_given_back() -> None:
    kept = APPEND_ONLY["audit_auditentry"]
    columns = [field.attname for field in AuditEntry._meta.concrete_fields if field.attname not in kept]
    as_owner(f"GRANT INSERT ({', '.join(columns)}) ON audit_auditentry TO hospital_app")


@pytest.fixture
def given_back() -> Iterator[None]:
    yield
    log_given_back()


def doors() -> list[type[Door]]:
    def walk(patterns: list[Any]) -> Iterator[Any]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern):
                yield getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)

    return [found for found in walk(get_resolver().url_patterns) if found and issubclass(found, Door)]


def test_only_known_catalogues_are_read_without_a_trace() -> None:
    assert {door.__name__ for door in doors() if door.catalogue} == CATALOGUES


def test_every_read_of_an_exam_names_the_patient_and_why(world: World) -> None:
    exam = world.ended()
    reads = {
        "desk": [f"/api/v1/exams/{exam.id}", "/api/v1/exams", f"/api/v1/patients/{world.patient.id}"],
        "expert": [f"/api/v1/exams/{exam.id}/images", f"/api/v1/exams/{exam.id}"],
        "bedside": [f"/api/v1/exams/{exam.id}/report"],
    }
    for who, paths in reads.items():
        for path in paths:
            before = AuditEntry.objects.count()
            answer = client(world, who).get(path, REMOTE_ADDR="10.1.2.3")
            assert answer.status_code == 200, path
            entry = AuditEntry.objects.latest("seq")
            assert AuditEntry.objects.count() == before + 1
            assert (entry.outcome, entry.actor_id) == ("read", world.users[who].id), path
            assert entry.patient_ids == [world.patient.id], path
            assert (entry.address, entry.device_kind) == ("10.1.2.3", "session")
            assert entry.reason == ("desk" if who == "desk" else {"expert": "remote"}.get(who, who))
            assert entry.actor_institution_id in [world.places["home"].id, world.places["expert"].id]


def test_pages_leave_the_same_trace(world: World) -> None:
    exam = world.ended()
    for who, path in (
        ("desk", f"/console/desk/?day={day_of(exam.starts_at)}"),
        ("expert", f"/console/exams/{exam.id}/"),
        ("bedside", f"/console/bedside/{exam.id}/"),
        ("expert", f"/console/exams/{exam.id}/report/"),
    ):
        assert page(world, who).get(path).status_code == 200, path
        entry = AuditEntry.objects.latest("seq")
        assert (entry.outcome, entry.actor_id) == ("read", world.users[who].id), path
        assert entry.action.startswith("page."), path


def test_a_refused_page_is_on_record(world: World) -> None:
    exam = world.live()
    assert page(world, "other_expert").get(f"/console/exams/{exam.id}/").status_code == 404
    entry = AuditEntry.objects.latest("seq")
    assert (entry.outcome, entry.object_id, entry.actor_id) == (
        "refused",
        exam.id,
        world.users["other_expert"].id,
    )


def test_a_page_that_joins_is_a_read(world: World) -> None:
    exam = world.live()
    live.page_joined(principal=world.principals["bedside"], exam_id=exam.id, role="bedside", peer_id="p")
    entry = AuditEntry.objects.latest("seq")
    assert (entry.action, entry.outcome, entry.patient_ids) == (
        "exam.bedside_socket",
        "read",
        [world.patient.id],
    )


@pytest.mark.usefixtures("given_back")
def test_without_a_log_nothing_sensitive_is_done_or_shown(world: World) -> None:
    desk = client(world, "desk")
    log_taken()
    asks = {
        "patient": desk.get(f"/api/v1/patients/{world.patient.id}"),
        "exams": desk.get("/api/v1/exams"),
        "book": desk.post("/api/v1/exams", booking(world), format="json"),
    }
    for name, answer in asks.items():
        assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable"), name
        assert "王小东" not in answer.content.decode(), name
    assert not Exam.objects.exists()
    assert page(world, "desk").get("/console/desk/").status_code == 503


def booking(world: World) -> dict[str, Any]:
    return {name: str(value) for name, value in world.booking().items()} | {
        "starts_at": world.tomorrow().isoformat()
    }


def _live_without_log(world: World) -> Exam:
    exam = world.live()
    log_taken()
    return exam


@pytest.mark.usefixtures("given_back")
@pytest.mark.parametrize("command", ["pause", "abort", "end"])
def test_stopping_never_waits_for_the_log_and_its_trace_comes_later(world: World, command: str) -> None:
    exam = _live_without_log(world)
    who = "bedside" if command != "end" else "expert"
    body = {"code": "patient_request", "reason": "疼"} if command == "abort" else {}
    answer = client(world, who).post(f"/api/v1/exams/{exam.id}/{command}", body, format="json")
    assert (
        Exam.objects.get(id=exam.id).state == {"pause": "paused", "abort": "aborted", "end": "ended"}[command]
    )
    assert answer.status_code == 200
    assert [path.suffix for path, _ in spool.waiting()] == [".row"]
    kept = next(spool.folder().glob("*.row")).read_bytes()
    assert b"exam." not in kept
    log_given_back()
    assert seal_all(checkpoint=True) > 0
    entry = AuditEntry.objects.get(action=f"exam.{command}")
    assert (entry.actor_id, entry.patient_ids) == (world.users[who].id, [world.patient.id])
    assert entry.details["spooled_for"] == "ProgrammingError"
    assert list(spool.waiting()) == []
    assert audit_verify().problems == []


def test_a_locked_log_delays_a_stop_by_less_than_a_second(world: World, servers: Servers) -> None:
    exam = world.live()
    with servers.owner(servers.database) as owner:
        owner.autocommit = False
        owner.execute("LOCK TABLE audit_auditentry IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        services.exam_abort(
            principal=world.principals["bedside"], exam_id=exam.id, code="patient_request", reason="疼"
        )
        took_s = time.monotonic() - began
        owner.rollback()
    assert took_s < 1.0
    assert Exam.objects.get(id=exam.id).state == "aborted"
    assert len(list(spool.waiting())) == 1


@pytest.mark.usefixtures("given_back")
def test_a_lost_page_pauses_and_a_lease_is_given_back_without_a_log(world: World) -> None:
    exam = _live_without_log(world)
    services.lease_give_back(principal=world.principals["expert"], exam_id=exam.id)
    live.page_left(exam_id=exam.id, role="bedside", peer_id="bedside-peer")
    assert Exam.objects.get(id=exam.id).state == "paused"
    assert len(list(spool.waiting())) == 2


@pytest.mark.usefixtures("given_back")
def test_a_bedside_page_opens_and_joins_without_a_log(world: World) -> None:
    exam = _live_without_log(world)
    assert page(world, "bedside").get(f"/console/bedside/{exam.id}/").status_code == 200
    live.page_joined(principal=world.principals["bedside"], exam_id=exam.id, role="bedside", peer_id="new")
    assert Presence.objects.get(exam=exam, role="bedside").peer_id == "new"
    refused = client(world, "other_desk").get(f"/api/v1/patients/{world.patient.id}")
    assert refused.status_code == 404
    assert len(list(spool.waiting())) == 3


def test_a_patient_sees_who_read_the_record_and_nobody_elses(world: World) -> None:
    exam = world.ended()
    for _ in range(3):
        client(world, "expert").get(f"/api/v1/exams/{exam.id}")
    client(world, "desk").get(f"/api/v1/patients/{world.patient.id}")
    body = patient_client(world).get("/api/v1/me/accesses").json()
    rows = [row for row in body["results"] if row["action"] == "exam.read"]
    assert [(row["name"], row["institution"], row["times"]) for row in rows] == [("王思远", "expert 医院", 3)]
    assert rows[0]["why"] == {"zh": "本次检查的远程医生", "en": "remote physician of this exam"}
    assert {row["name"] for row in body["results"]} >= {"周敏", "李建国", "王思远"}
    assert all(row["kind"] == "staff" for row in body["results"])
    stranger = PatientAccount.objects.create(phone="13900000009", phone_index=b"9" * 32)
    token, _ = access.token_issue(life=timedelta(hours=1), account=stranger)
    nobody = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert nobody.get("/api/v1/me/accesses").status_code == 404
    assert nobody.get(f"/api/v1/me/accesses?patient={world.patient.id}").status_code == 404
    assert client(world, "desk").get("/api/v1/me/accesses").status_code == 403


def test_a_patients_own_reading_is_on_record_in_the_patients_name(world: World) -> None:
    world.book()
    assert patient_client(world).get("/api/v1/me/exams").status_code == 200
    entry = AuditEntry.objects.get(action="me.exams")
    assert (entry.actor_kind, entry.outcome, entry.reason) == ("patient", "read", "own")
    assert (entry.on_behalf_kind, entry.on_behalf_id) == ("patient", world.patient.id)


def test_a_full_number_is_shown_against_a_reason_that_the_patient_can_read(world: World) -> None:
    path = f"/api/v1/patients/{world.patient.id}/reveal"
    assert client(world, "desk").post(path, {}, format="json").status_code == 422
    answer = client(world, "desk").post(path, {"reason": "医保核对"}, format="json")
    assert answer.json()["document_number"] == "310229195003150012"
    assert client(world, "other_desk").post(path, {"reason": "x"}, format="json").status_code == 404
    assert client(world, "expert").post(path, {"reason": "x"}, format="json").status_code == 403
    outcomes = AuditEntry.objects.filter(action="patient.reveal").order_by("seq")
    assert list(outcomes.values_list("outcome", flat=True)) == ["read", "refused", "refused"]
    rows = patient_client(world).get("/api/v1/me/accesses").json()["results"]
    assert {"zh": "医保核对", "en": "医保核对"} in [row["why"] for row in rows]


@pytest.mark.usefixtures("given_back")
def test_without_a_log_no_number_is_shown(world: World) -> None:
    desk = client(world, "desk")
    log_taken()
    answer = desk.post(
        f"/api/v1/patients/{world.patient.id}/reveal",
        {"reason": "x"},
        format="json",
        HTTP_IDEMPOTENCY_KEY="k",
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable")
    assert "310229195003150012" not in answer.content.decode()


def _picture(world: World, exam: Exam) -> None:
    live.frozen_received(principal=robot_principal(world.robot), exam_id=exam.id, meta=META, data=PNG)


def test_every_deed_around_a_report_is_on_record_with_its_patient(world: World) -> None:
    exam, expert = world.ended(), world.principals["expert"]
    _picture(world, exam)
    reporting.report_save(principal=expert, exam_id=exam.id, findings="f", impression="i", revision=0)
    row = reporting.measurement_add(
        principal=expert, exam_id=exam.id, frame_id=77, kind="distance", points=[[1, 1], [9, 9]], label=""
    )
    reporting.measurement_remove(principal=expert, measurement_id=row.id)
    found = AuditEntry.objects.order_by("-seq")[:4]
    assert [entry.action for entry in found] == [
        "measurement.remove",
        "measurement.add",
        "report.save",
        "robot.upload",
    ]
    assert all(entry.patient_ids == [world.patient.id] for entry in found)
    assert (found[3].device_kind, found[3].device_id) == ("robot", world.robot.id)


@pytest.mark.usefixtures("given_back")
def test_without_a_log_neither_a_draft_nor_a_picture_is_kept(world: World) -> None:
    exam, expert = world.ended(), world.principals["expert"]
    log_taken()
    with pytest.raises(Unavailable):
        _picture(world, exam)
    with pytest.raises(Unavailable):
        reporting.report_save(principal=expert, exam_id=exam.id, findings="f", impression="i", revision=0)
    assert not FrozenFrame.objects.exists() and not Report.objects.exists()


def test_a_kept_answer_shown_again_is_a_read(world: World) -> None:
    desk, path = client(world, "desk"), f"/api/v1/patients/{world.patient.id}/reveal"
    answers = [desk.post(path, {"reason": "r"}, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    entries = AuditEntry.objects.filter(action="patient.reveal", object_id=world.patient.id).order_by("seq")
    assert [(entry.outcome, entry.reason) for entry in entries] == [("read", "r"), ("read", "repeated")]

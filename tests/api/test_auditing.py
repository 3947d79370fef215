"""The audit administrator at the log: finds, follows, checks and exports, and never reads what is clinical."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access.models import AccessToken, Membership, User
from hospital.audit.export import export_verify
from hospital.audit.models import AuditEntry
from hospital.audit.rules import FIELDS, concerns, reason_shown
from hospital.audit.sealer import seal_all
from hospital.common.clock import now
from teleconsult import services
from tests.access.house import client_for
from tests.factories import World, make_world
from tests.owner import as_owner

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "患者昨夜呕血，改期"


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.DATA_DIR = tmp_path
    return make_world()


def auditor(world: World, place: str = "home") -> APIClient:
    user = User.objects.create(
        username=f"auditor-{place}", name="褚卫", password="!", totp_secret="JBSWY3DPEHPK3PXP"
    )
    Membership.objects.create(user=user, institution=world.places[place], role="audit_admin")
    return client_for(user=user)


def found(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/audit/entries", query)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def cancelled(world: World) -> None:
    exam = world.book()
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason=WHY)


def test_entries_are_found_by_person_patient_action_and_outcome(world: World) -> None:
    cancelled(world)
    client = auditor(world)
    rows = found(client, actor="周敏", patient=world.patient.mpi, action="exam.", outcome="done")
    assert {row["action"] for row in rows} == {"exam.book", "exam.cancel"}
    assert {row["actor"]["name"] for row in rows} == {"周敏"}
    assert found(client, patient="P99999999") == []
    assert found(client, actor="nobody of this name") == []


def test_what_may_be_clinical_is_not_shown(world: World) -> None:
    cancelled(world)
    client = auditor(world)
    row = found(client, action="exam.cancel")[0]
    whole = client.get(f"/api/v1/audit/entries/{row['id']}").json()
    everything = json.dumps([found(client), whole], ensure_ascii=False)
    assert WHY not in everything
    assert row["reason_withheld"] is True
    assert world.patient.name not in everything and world.patient.document_number not in everything


@pytest.mark.parametrize(
    ("action", "reason", "shown"),
    [
        ("exam.cancel", WHY, None),
        ("exam.read", "not_permitted", "not_permitted"),
        ("break_glass.open", "急诊昏迷", "急诊昏迷"),
        ("exam.read", "", ""),
    ],
)
def test_a_reason_is_shown_where_an_auditor_must_judge_it(
    action: str, reason: str, shown: str | None
) -> None:
    assert reason_shown(action, reason) == shown


def test_another_hospitals_entries_are_not_there(world: World) -> None:
    cancelled(world)
    stranger = auditor(world, "other")
    assert found(stranger, action="exam.") == []
    theirs = AuditEntry.objects.filter(action="exam.book").latest("seq")
    answer = stranger.get(f"/api/v1/audit/entries/{theirs.id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_each_search_is_on_record_itself(world: World) -> None:
    client = auditor(world)
    found(client, actor="周敏")
    entry = AuditEntry.objects.filter(action="audit.read").latest("seq")
    assert (entry.outcome, entry.details["asked"]) == ("read", {"actor": "周敏"})


def test_a_check_tells_a_whole_chain_from_a_changed_one(world: World) -> None:
    cancelled(world)
    seal_all(checkpoint=True)
    client = auditor(world)
    assert client.post("/api/v1/audit/verify", {}, format="json").json()["problems_n"] == 0
    seq = AuditEntry.objects.filter(action="exam.cancel").latest("seq").seq
    as_owner("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_append_only")
    as_owner(f"UPDATE audit_auditentry SET reason = 'other' WHERE seq = {seq}")
    as_owner("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_append_only")
    result = client.post("/api/v1/audit/verify", {}, format="json").json()
    assert [problem["kind"] for problem in result["problems"]] == ["changed"]


def test_an_export_needs_a_fresh_proof_and_verifies_with_others_rows_withheld(
    world: World, tmp_path: Path
) -> None:
    cancelled(world)
    seal_all(checkpoint=True)
    client = auditor(world, "other")
    assert client.post("/api/v1/audit/export", {}, format="json").json()["code"] == "proof_required"
    AccessToken.objects.filter(user__username="auditor-other").update(stepped_up_at=now())
    answer = client.post("/api/v1/audit/export", {}, format="json")
    path = tmp_path / "export.jsonl"
    path.write_bytes(answer.content)
    result = export_verify(path=path)
    assert result.problems == [] and result.withheld > 0
    assert str(world.patient.id) not in answer.content.decode()
    assert AuditEntry.objects.filter(action="audit.export", outcome="done").count() == 1


def test_the_installations_own_deeds_concern_everybody() -> None:
    def row(**values: str) -> list[str | None]:
        return [values.get(name) for name in FIELDS]

    here = frozenset({"a"})
    assert concerns(row(institution_id="a"), here) and concerns(row(actor_institution_id="a"), here)
    assert not concerns(row(institution_id="b", actor_kind="system", patient_ids="{}"), here)
    assert concerns(row(actor_kind="system", patient_ids="{}"), here)
    assert not concerns(row(actor_kind="robot", patient_ids="{}"), here)


@pytest.mark.parametrize(
    "query", [{"start": "yesterday"}, {"outcome": "x"}, {"object_id": "1"}, {"action": "A B"}]
)
def test_a_wrong_question_is_said_so(world: World, query: dict[str, str]) -> None:
    assert auditor(world).get("/api/v1/audit/entries", query).status_code == 422

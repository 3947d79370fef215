"""A copy of everything about one patient, readable by a person, once, for the account that asked."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import AccessToken, PatientAccount
from hospital.audit.models import AuditEntry
from hospital.common import objects
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.signing import signed_by
from hospital.common.work import work_drain
from hospital.people import archive, break_glass, delegates, services
from hospital.people.models import Delegation, PatientArchive
from hospital.records import services as records
from teleconsult import reporting
from teleconsult.models import Exam
from tests.access.house import META
from tests.factories import World, make_world
from tests.interop.synthetic import still

pytestmark = pytest.mark.django_db
NASTY = "</td><script>alert(1)</script>"


@pytest.fixture
def world() -> World:
    return make_world()


def app(world: World, phone: str = "13900000001", *, linked: bool = True) -> APIClient:
    account = world.account(phone, linked=linked)
    token, _ = access.token_issue(life=timedelta(hours=1), account=PatientAccount.objects.get(id=account.id))
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def signed_exam(world: World, pictures: int = 1) -> Exam:
    exam = world.ended()
    for number in range(pictures):
        uid = f"2.25.{number + 1}"
        records.image_store(
            exam_id=exam.id, patient_id=world.patient.id,
            meta=META | {"kind": "still", "sop_uid": uid, "frames": 1, "view": "liver"}, data=still(SOPInstanceUID=uid),
        )  # fmt: skip
    expert = world.principals["expert"]
    report = reporting.report_save(
        principal=expert, exam_id=exam.id, findings=f"肝脏大小正常 {NASTY}", impression="未见异常", revision=0
    )
    AccessToken.objects.filter(user=world.users["expert"]).update(stepped_up_at=now())
    reporting.report_sign(principal=expert, report_id=report.id)
    return exam


def opened(data: bytes) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None
    return found


def test_the_archive_holds_everything_in_a_page_for_people_and_a_copy_for_programs(world: World) -> None:
    exam = signed_exam(world)
    AccessToken.objects.filter(user=world.users["bedside2"]).update(stepped_up_at=now())
    break_glass.break_glass_open(
        principal=world.principals["bedside2"], document_number=world.patient.document_number,
        reason="急诊昏迷，需要既往史",
    )  # fmt: skip
    delegates.delegation_grant(
        principal=world.principals["desk"], patient=world.patient, name="沈梅", relation="女儿",
        phone="13900000077", scopes=["read"], days=30, paper="P-1",
    )  # fmt: skip
    answer = app(world).get("/api/v1/me/archive")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    found = opened(answer.content)
    page = found.read("index.html").decode()
    for text in (
        world.patient.name, world.patient.document_number, "肝脏大小正常", "未见异常", "沈梅", "徐芳", "home 医院",
        "急诊昏迷，需要既往史", "break_glass.open", exam.accession, "知情同意", "Who read", "胆囊结石？",
    ):  # fmt: skip
        assert text in page, text
    assert NASTY not in page and "&lt;script&gt;" in page
    names = set(found.namelist())
    pictures = {name for name in names if name.startswith("pictures/")}
    assert {Path(name).suffix for name in pictures} == {".png", ".dcm"}
    for name in pictures:
        start = found.read(name)[:132]
        assert start[:8] == b"\x89PNG\r\n\x1a\n" or start[128:] == b"DICM"
        assert name in page
    data = json.loads(found.read("data.json"))
    assert data["people"]["registrations"][0]["document_number"] == world.patient.document_number
    assert data["people"]["consents"][0]["kind"] == "remote_exam"
    assert data["exams"]["reports"][0]["impression"] == "未见异常"
    assert [row["name"] for row in data["people"]["who_read"] if row["action"] == "break_glass.open"] == [
        "徐芳"
    ]


def test_a_copy_carries_a_proof_that_a_changed_byte_breaks(world: World) -> None:
    found = opened(app(world).get("/api/v1/me/archive").content)
    manifest, mark = found.read("manifest.json"), json.loads(found.read("manifest.sig.json"))
    public, signature = bytes.fromhex(mark["public_key"]), bytes.fromhex(mark["signature"])
    assert signed_by(public, signature, manifest)
    assert not signed_by(public, signature, manifest.replace(b"0", b"1", 1))
    sums = json.loads(manifest)["sha256"]
    assert sums.keys() == set(found.namelist()) - {"manifest.json", "manifest.sig.json"}
    assert all(hashlib.sha256(found.read(name)).hexdigest() == digest for name, digest in sums.items())


def test_taking_a_copy_is_on_record(world: World) -> None:
    app(world).get("/api/v1/me/archive")
    deeds = AuditEntry.objects.filter(action__in=["patient.archive", "me.archive"])
    assert {(row.action, row.outcome, row.actor_kind) for row in deeds} == {
        ("patient.archive", "read", "patient"), ("me.archive", "read", "patient"),
    }  # fmt: skip
    assert all(world.patient.id in row.patient_ids for row in deeds)


def test_nobody_else_gets_it_and_a_delegate_only_with_the_scope(world: World) -> None:
    assert app(world, "13911112222", linked=False).get("/api/v1/me/archive").status_code == 404
    delegate = app(world, "13900000077", linked=False)
    row = PatientAccount.objects.get(phone_index=services.phones.phone_index("13900000077"))
    lent = Delegation.objects.create(
        patient=world.patient, name="沈梅", relation="女儿", phone=row.phone, phone_index=row.phone_index,
        scopes=["read"], granted_by_kind="patient", granted_by_id=row.id, proven_at=now(),
        expires_at=now() + timedelta(days=1),
    )  # fmt: skip
    path = f"/api/v1/me/archive?patient={world.patient.id}"
    assert delegate.get(path).status_code == 404
    Delegation.objects.filter(id=lent.id).update(scopes=["copy", "read"])
    assert delegate.get(path).status_code == 200


def built(world: World, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(archive, "LARGE_FILES_N", 2)
    monkeypatch.setattr(archive, "PIECE_FILES_N", 2)
    signed_exam(world, pictures=3)
    work_drain()  # what the booking told and left to do
    asked = client.get("/api/v1/me/archive")
    assert asked.status_code == 202
    body: dict[str, Any] = asked.json()
    assert (body["status"], body["done"], body["total"], body["url"]) == ("waiting", 0, 6, None)
    return body


def test_a_large_archive_is_built_in_turns_with_progress_and_fetched_once(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    client = app(world)
    body = built(world, client, monkeypatch)
    assert client.get("/api/v1/me/archive").json()["id"] == body["id"]
    status, progress = f"/api/v1/me/archives/{body['id']}", []
    early = client.post(f"{status}/file")
    assert (early.status_code, early.json()["code"]) == (409, "archive_not_ready")
    for _ in range(4):
        with django_capture_on_commit_callbacks(execute=True):
            work_drain(limit=1)
        progress.append(client.get(status).json()["done"])
    assert progress == [2, 4, 6, 6]
    ready = client.get(status).json()
    assert (ready["status"], ready["url"]) == ("ready", f"{status}/file")
    stored = PatientArchive.objects.get()
    assert world.patient.name.encode() not in (Path(django_settings.OBJECTS_DIR) / stored.path).read_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        fetched = client.post(ready["url"])
    assert fetched.status_code == 200
    names = opened(fetched.content).namelist()
    assert len([name for name in names if name.startswith("pictures/")]) == 6
    again = client.post(ready["url"])
    assert (again.status_code, again.json()["code"]) == (410, "archive_gone")
    work_drain()
    left = set(objects.stored())
    assert stored.path not in left
    assert len(left) == 3  # the pictures themselves; neither pieces nor archive


def test_the_link_is_the_accounts_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    body = built(world, app(world), monkeypatch)
    other = app(world, "13911112222", linked=False)
    for answer in (
        other.get(f"/api/v1/me/archives/{body['id']}"),
        other.post(f"/api/v1/me/archives/{body['id']}/file"),
    ):
        assert answer.status_code == 404


def test_an_archive_nobody_fetched_goes_after_three_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app(world)
    body = built(world, client, monkeypatch)
    work_drain()
    path = PatientArchive.objects.get().path
    assert path in set(objects.stored())
    PatientArchive.objects.update(expires_at=now())
    Work.objects.filter(kind="archive.expire").update(due_at=now())
    work_drain()
    assert PatientArchive.objects.get().status == "expired"
    work_drain()
    assert path not in set(objects.stored())
    gone = client.post(f"/api/v1/me/archives/{body['id']}/file")
    assert (gone.status_code, gone.json()["code"]) == (410, "archive_gone")


def test_who_may_no_longer_read_may_no_longer_fetch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app(world)
    body = built(world, client, monkeypatch)
    work_drain()
    world.patient.links.all().delete()
    assert client.post(f"/api/v1/me/archives/{body['id']}/file").status_code == 404


def test_a_merged_person_gets_what_is_under_either_registration(world: World) -> None:
    from .doubles import merge, registered

    double = registered(world)
    exam = world.book(patient_id=double.id)
    merge(world, double, world.patient)
    data = json.loads(opened(app(world).get("/api/v1/me/archive").content).read("data.json"))
    assert {row["mpi"] for row in data["people"]["registrations"]} == {double.mpi, world.patient.mpi}
    assert [row["id"] for row in data["exams"]["exams"]] == [str(exam.id)]

"""The exam's doors: one shape of refusal, repeatable posts, the same answer for *not there* and *not yours*."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import numpy as np
import pydicom
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage
from rest_framework.test import APIClient

from devices.fleet.models import Robot
from devices.fleet.services import robot_pairing_code
from hospital.access import services as access
from hospital.access.models import AccessToken
from hospital.common.clock import SHANGHAI
from hospital.common.errors import Unavailable
from hospital.common.ids import uuid7
from hospital.common.models import IdempotentRequest
from hospital.records.models import Image
from teleconsult.models import Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture
def world() -> World:
    return make_world()


def staff(world: World, who: str) -> APIClient:
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def patient(world: World, phone: str = "13900000001", *, linked: bool = True) -> APIClient:
    signed_in = world.account(phone, linked=linked).token_id
    assert signed_in is not None
    account = AccessToken.objects.get(id=signed_in).account
    token, _ = access.token_issue(life=timedelta(hours=1), account=account)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def post(client: APIClient, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body or {}, format="json", headers=headers)


def booking(world: World, **changes: Any) -> dict[str, Any]:
    raw = world.booking(**changes)
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else str(value) for key, value in raw.items()
    }


def unavailable(*_: Any) -> Any:
    raise Unavailable("object_damaged")


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM), answer.content
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"] not in ("", code)
    return body


def test_a_booking_answers_with_the_exam_and_whoever_opens_it_sees_its_gates(world: World) -> None:
    answer = post(staff(world, "desk"), "exams", booking(world))
    assert answer.status_code == 201
    body = answer.json()
    assert body["state"] == "booked" and "gates" not in body
    opened = staff(world, "desk").get(f"/api/v1/exams/{body['id']}").json()
    assert {"code", "ok", "title"} == set(opened["gates"][0])
    assert all(opened[name] == value for name, value in body.items() if name != "robot")
    assert body["patient"]["document_tail"] == "0012"
    assert "310229195003150012" not in answer.content.decode()


def test_what_is_taken_comes_as_taken_in_a_problem(world: World) -> None:
    desk = staff(world, "desk")
    post(desk, "exams", booking(world))
    body = problem(post(desk, "exams", booking(world)), 409, "taken")
    assert {row["kind"] for row in body["taken"]} == {"person", "robot", "room"}


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": "tomorrow"},
        {"patient_id": "7"},
        {"clinical_question": ""},
        {"robot_id": None},
        {"clinical_question": "x" * 5000},
    ],
)
def test_bad_input_names_the_field_and_books_nothing(world: World, change: dict[str, Any]) -> None:
    body = problem(post(staff(world, "desk"), "exams", booking(world) | change), 422, "invalid")
    assert set(body["errors"]) == set(change)
    assert not Exam.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b'"text"'])
def test_what_is_no_json_object_is_refused_clearly(world: World, body: bytes) -> None:
    answer = staff(world, "desk").post("/api/v1/exams", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == PROBLEM


def test_the_same_key_and_request_give_the_same_answer_and_one_exam(world: World) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k1"}
    first, second = (post(desk, "exams", booking(world), **key) for _ in range(2))
    assert first.json() == second.json()
    assert (second.status_code, second["Idempotent-Replayed"]) == (201, "true")
    assert Exam.objects.count() == 1


def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k1"}
    post(desk, "exams", booking(world), **key)
    other = booking(world, starts_at=world.tomorrow(60))
    problem(post(desk, "exams", other, **key), 422, "idempotency_mismatch")


def test_another_persons_same_key_is_another_request(world: World) -> None:
    key = {"Idempotency-Key": "k1"}
    assert post(staff(world, "desk"), "exams", booking(world), **key).status_code == 201
    problem(post(staff(world, "other_desk"), "exams", booking(world), **key), 404, "not_found")


def test_a_conflict_is_not_kept_so_that_trying_again_may_succeed(world: World) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k2"}
    first = post(desk, "exams", booking(world)).json()
    problem(post(desk, "exams", booking(world), **key), 409, "taken")
    post(desk, f"exams/{first['id']}/cancel", {"reason": "改期"})
    assert post(desk, "exams", booking(world), **key).status_code == 201


def test_a_program_that_dies_between_deed_and_answer_has_done_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k3"}
    with monkeypatch.context() as patch:
        patch.setattr("hospital.common.idempotency.finish", lambda **_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            post(desk, "exams", booking(world), **key)
    assert not Exam.objects.exists()
    assert not IdempotentRequest.objects.exists()
    assert post(desk, "exams", booking(world), **key).status_code == 201


def test_a_failure_leaves_neither_key_nor_half_a_deed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k5"}
    with monkeypatch.context() as patch:
        patch.setattr("teleconsult.api._booked", unavailable)
        assert post(desk, "exams", booking(world), **key).status_code == 503
    assert not Exam.objects.exists()
    assert not IdempotentRequest.objects.exists()


def test_a_key_that_an_earlier_release_left_without_an_answer_is_free_again(world: World) -> None:
    desk, key = staff(world, "desk"), {"Idempotency-Key": "k6"}
    first = post(desk, "exams", booking(world), **key).json()
    post(desk, f"exams/{first['id']}/cancel", {"reason": "改期"})
    IdempotentRequest.objects.update(status=None, answer=None)
    assert post(desk, "exams", booking(world), **key).status_code == 201


def test_kept_answers_hold_no_readable_patient(world: World) -> None:
    post(staff(world, "desk"), "exams", booking(world), **{"Idempotency-Key": "k4"})
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT answer FROM common_idempotentrequest")
        row = cursor.fetchone()
    assert row is not None
    assert "王小东".encode() not in bytes(row[0])


COMMANDS = [
    ("check-in", {}),
    ("identify", {"confirmed": ["name", "birth_date"]}),
    ("checklist/agree", {}),
    ("self-test", {}),
    ("ready", {}),
    ("lease", {}),
    ("start", {}),
    ("pause", {}),
    ("resume", {}),
    ("end", {}),
    ("abort", {"code": "pain", "reason": "x"}),
    ("cancel", {"reason": "x"}),
    ("no-show", {}),
    ("move", {"starts_at": "2099-01-01T00:00:00Z"}),
]


@pytest.mark.parametrize(("command", "body"), COMMANDS)
def test_not_yours_and_not_there_answer_alike_and_change_nothing(
    world: World, command: str, body: dict[str, Any]
) -> None:
    exam = world.book()
    for who in ("other_desk", "other_expert", "bedside2", "expert2"):
        client = staff(world, who)
        yours = post(client, f"exams/{exam.id}/{command}", body)
        nowhere = post(client, f"exams/{uuid7()}/{command}", body)
        assert yours.status_code == nowhere.status_code
        assert yours.status_code in (403, 404)
        assert yours.json() == nowhere.json()
    exam.refresh_from_db()
    assert exam.state == "booked"


@pytest.mark.parametrize(("command", "body"), COMMANDS)
def test_nobody_and_patients_give_no_commands(world: World, command: str, body: dict[str, Any]) -> None:
    exam = world.book()
    problem(post(APIClient(), f"exams/{exam.id}/{command}", body), 401, "not_authenticated")
    problem(post(patient(world), f"exams/{exam.id}/{command}", body), 403, "not_permitted")


def test_lists_show_only_what_is_yours_page_by_page(world: World) -> None:
    exam = world.book()
    day = exam.starts_at.astimezone(SHANGHAI).date().isoformat()
    mine = staff(world, "desk").get("/api/v1/exams").json()
    assert [row["id"] for row in mine["results"]] == [str(exam.id)]
    assert mine["next"] is None
    for who in ("other_desk", "expert2", "bedside2"):
        assert staff(world, who).get(f"/api/v1/exams?day={day}").json()["results"] == []


@pytest.mark.parametrize("query", ["day=yesterday", "day=2026-13-01", "state=sleeping"])
def test_a_wrong_filter_is_refused(world: World, query: str) -> None:
    problem(staff(world, "desk").get(f"/api/v1/exams?{query}"), 422, "invalid")


def test_errors_speak_the_callers_language(world: World) -> None:
    client = staff(world, "desk")
    chinese = client.get(f"/api/v1/exams/{uuid7()}").json()["title"]
    english = client.get(f"/api/v1/exams/{uuid7()}", headers={"Accept-Language": "en-GB"}).json()["title"]
    assert chinese.startswith("没有找到")
    assert english.startswith("Not found")


def test_an_unknown_address_is_a_problem_too() -> None:
    problem(APIClient().get("/api/v1/nothing"), 404, "not_found")


def test_answers_are_never_stored_on_the_way(world: World) -> None:
    exam = world.book()
    assert staff(world, "desk").get(f"/api/v1/exams/{exam.id}")["Cache-Control"] == "no-store"


# the patient's own


def test_a_patient_lists_own_exams_and_reads_nothing_unsigned(world: World) -> None:
    exam = world.ended()
    client = patient(world)
    rows = client.get("/api/v1/me/exams").json()["results"]
    assert [(row["id"], row["report_available"]) for row in rows] == [(str(exam.id), False)]
    problem(client.get(f"/api/v1/me/exams/{exam.id}/report"), 404, "not_found")


def test_a_stranger_sees_nothing_of_it(world: World) -> None:
    exam = world.ended()
    stranger = patient(world, "13900000088", linked=False)
    assert stranger.get("/api/v1/me/exams").json()["results"] == []
    problem(stranger.get(f"/api/v1/me/exams/{exam.id}/report"), 404, "not_found")
    problem(staff(world, "expert").get("/api/v1/me/exams"), 403, "not_permitted")


# the robot's uploads


class Box:
    """A paired robot's box."""

    def __init__(self, world: World) -> None:
        self.key = Ed25519PrivateKey.generate()
        pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        code = robot_pairing_code(robot_id=world.robot.id)
        self.paired = post(APIClient(), "robots/pair", {"code": code, "public_key_pem": pem.decode()})
        self.code, self.pem = code, pem.decode()
        self.robot_id = world.robot.id

    def headers(self) -> dict[str, str]:
        issued = int(time.time())
        claims = {"iss": f"robot:{self.robot_id}", "aud": "hospital", "iat": issued, "exp": issued + 30}
        token = jwt.encode(claims | {"jti": uuid.uuid4().hex}, self.key, algorithm="EdDSA")
        return {"Authorization": f"Robot {token}"}

    def upload(
        self, exam: Exam, data: bytes, meta: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Any:
        body = {"meta": json.dumps(meta), "file": SimpleUploadedFile("x.dcm", data)}
        return APIClient().post(
            f"/api/v1/robot/exams/{exam.id}/images",
            body,
            format="multipart",
            headers=headers or self.headers(),
        )


def dicom(exam: Exam, **changes: str) -> tuple[bytes, dict[str, Any]]:
    """A small still of the exam and its description."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, UltrasoundImageStorage
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = UltrasoundImageStorage, "2.25.99"
    dataset.StudyInstanceUID, dataset.PatientID = exam.study_uid, exam.patient.mpi
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 6, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = np.arange(24, dtype=np.uint8).tobytes()
    for name, value in changes.items():
        setattr(dataset, name, value)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=True)
    described = {"sop_uid": "2.25.99", "kind": "still", "view": "liver", "frame_id": 5, "frames": 1}
    return out.getvalue(), described | {
        "width": 6,
        "height": 4,
        "mm_per_px_x": 0.5,
        "mm_per_px_y": 0.5,
        "region": None,
    }


def test_a_pairing_code_works_once_and_only_its_hash_is_stored(world: World) -> None:
    box = Box(world)
    assert box.paired.status_code == 201
    assert box.paired.json()["server_keys"][0]["pem"].startswith("-----BEGIN PUBLIC KEY")
    again = post(APIClient(), "robots/pair", {"code": box.code, "public_key_pem": box.pem})
    problem(again, 422, "pairing_code_invalid")
    assert box.code not in str(Robot.objects.values().get())


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_key_that_is_no_ed25519_key_is_refused(world: World, pem: str) -> None:
    code = robot_pairing_code(robot_id=world.robot.id)
    answer = post(APIClient(), "robots/pair", {"code": code, "public_key_pem": pem})
    assert answer.status_code == 422
    assert Robot.objects.get().paired_at is None


def test_a_picture_of_this_exam_is_stored_and_shown_as_png_and_dicom(world: World) -> None:
    exam, box = world.live(), Box(world)
    data, meta = dicom(exam)
    answer = box.upload(exam, data, meta)
    assert answer.status_code == 201, answer.content
    assert box.upload(exam, data, meta).status_code == 200
    client, address = staff(world, "expert"), answer.json()["url"]
    assert client.get(address).content.startswith(b"\x89PNG")
    assert client.get(f"{address}?as=dicom").content == data
    problem(client.get(f"{address}?as=mp4"), 404, "not_found")
    problem(client.get(f"{address}?as=gif"), 422, "invalid")
    for who in ("desk", "expert2", "bedside2"):
        assert staff(world, who).get(address).status_code in (403, 404)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"StudyInstanceUID": "2.25.1"}, "dicom_mismatch"),
        ({"PatientID": "P99999999"}, "dicom_mismatch"),
        ({"SOPInstanceUID": "2.25.98"}, "dicom_mismatch"),
    ],
)
def test_a_picture_of_somebody_else_is_refused(world: World, changes: dict[str, str], code: str) -> None:
    exam, box = world.live(), Box(world)
    data, meta = dicom(exam, **changes)
    problem(box.upload(exam, data, meta), 422, code)
    assert not Image.objects.exists()


def test_what_is_no_dicom_file_is_refused(world: World) -> None:
    exam, box = world.live(), Box(world)
    _, meta = dicom(exam)
    problem(box.upload(exam, b"not dicom at all", meta), 422, "bad_dicom")


def test_before_the_start_there_are_no_pictures(world: World) -> None:
    exam, box = world.ready(), Box(world)
    problem(box.upload(exam, *dicom(exam)), 409, "illegal_transition")


def test_a_robots_token_counts_once_and_nobody_else_uploads(world: World) -> None:
    exam, box = world.live(), Box(world)
    data, meta = dicom(exam)
    used = box.headers()
    assert box.upload(exam, data, meta, used).status_code == 201
    problem(box.upload(exam, data, meta, used), 401, "robot_not_authenticated")
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users["expert"])
    bearer = {"Authorization": f"Bearer {token}"}
    assert box.upload(exam, data, meta, bearer).status_code == 401


def test_a_robot_uploads_only_for_its_own_exams(world: World) -> None:
    box = Box(world)
    exam = world.live()
    other = Robot.objects.get()
    data, meta = dicom(exam)
    other.pk = uuid7()
    other.resource = world.room2
    other.save(force_insert=True)
    box.robot_id = other.id
    problem(box.upload(exam, data, meta), 404, "not_found")

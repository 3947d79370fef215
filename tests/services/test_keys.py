"""Rotation of the keys of data at rest over a filled house, with the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hospital.audit.models import AuditEntry
from hospital.common import crypto, keyring, objects, rotation
from hospital.messages.models import Message
from hospital.people.models import Patient
from hospital.records import services as records
from hospital.records.models import Report
from tests.factories import World, make_world
from tests.owner import as_owner
from tests.servers import Servers

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.FIELD_KEYS_FILE = tmp_path / "keys.json"
    return make_world()


@pytest.fixture
def rotate(servers: Servers, settings: Any) -> Any:
    """`rotate(*arguments)` runs the command as an administrator would; (exit code, output)."""

    def run(*arguments: str, **extra: str) -> tuple[int, str]:
        env = os.environ | servers.environment() | extra
        env |= {"FIELD_KEYS_FILE": str(settings.FIELD_KEYS_FILE), "OBJECTS_DIR": str(settings.OBJECTS_DIR)}
        done = subprocess.run(
            [sys.executable, "manage.py", "rotate_keys", *arguments],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def signed_report(world: World) -> Report:
    exam = world.ended()
    principal = world.principals["expert"]
    report = records.report_open(exam_id=exam.id, principal=principal)
    records.report_save(
        report_id=report.id,
        findings="胆囊壁光滑",
        impression="未见异常",
        revision=report.revision,
        principal=principal,
    )
    return records.report_sign(report_id=report.id, content_extra={}, principal=principal)


def headers() -> dict[str, set[bytes]]:
    """The key headers that occur in each encrypted column, as the database holds them."""
    found = {}
    for table in rotation.tables():
        for field in table.fields:
            rows = as_owner(
                f'SELECT DISTINCT substring("{field.column}" from 1 for 4) FROM {table.name}'
                f' WHERE "{field.column}" IS NOT NULL'
            )
            found[f"{table.name}.{field.column}"] = {bytes(row[0]) for row in rows}
    return found


def test_rotation_puts_every_column_and_object_under_the_new_key(world: World, rotate: Any) -> None:
    report = signed_report(world)
    path, _ = objects.put(b"a picture")
    before = {row.id: (row.name, row.phone) for row in Patient.objects.all()}
    code, said = rotate("--batch", "1")
    assert code == 0, said
    assert "new key 2" in said and "people_patient 1/1" in said and "objects 1/1" in said
    assert {name: found for name, found in headers().items() if found - {b"\2\1\0\2"}} == {}
    assert {row.id: (row.name, row.phone) for row in Patient.objects.all()} == before
    kept = Report.objects.get(id=report.id)
    assert (kept.findings, kept.content, kept.status) == ("胆囊壁光滑", report.content, "signed")
    assert objects.read(path) == b"a picture"
    assert (objects._root() / path).read_bytes()[:4] == b"\2\1\0\2"
    entry = AuditEntry.objects.get(action="keys.rotate")
    assert (entry.details["key"], entry.details["left"]) == (2, 0)
    assert keyring.ring(look=True).rotating is False


def test_a_signed_report_is_guarded_again_after_rotation(world: World, rotate: Any) -> None:
    report = signed_report(world)
    assert rotate()[0] == 0
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        as_owner(f"UPDATE records_report SET findings = '\\x00' WHERE id = '{report.id}'")


def test_an_interrupted_rotation_goes_on_with_the_same_key(world: World, rotate: Any) -> None:
    for number in range(7):
        Message.objects.create(
            channel="sms", to=f"1390000000{number}", to_index=b"0" * 32, template="t", text="x"
        )
    keyring.key_add()
    table = next(table for table in rotation.tables() if table.name == "messages_message")
    outcome = rotation.Outcome()
    rotation._batch(table, None, guarded=False, wait=False, size=3, outcome=outcome)
    assert (outcome.rows, table.old().count()) == (3, 4)
    code, said = rotate()
    assert code == 0, said
    assert "continuing with key 2" in said and "messages_message 4/4" in said
    assert keyring.ring(look=True).current == 2
    assert "13900000006" in [row.to for row in Message.objects.all()]


def test_the_house_goes_on_reading_and_writing_while_keys_rotate(world: World, rotate: Any) -> None:
    seen = []
    for cipher in ("sm4-gcm", "aes-256-gcm"):
        assert rotate(FIELD_CIPHER=cipher)[0] == 0
        seen.append(Patient.objects.get(id=world.patient.id).name)
        Message.objects.create(channel="sms", to="13900000001", to_index=b"0" * 32, template="t", text=cipher)
    assert seen == ["王小东", "王小东"]
    assert [row.text for row in Message.objects.order_by("created_at")] == ["sm4-gcm", "aes-256-gcm"]


def test_a_change_of_cipher_needs_no_new_key(world: World, rotate: Any) -> None:
    code, said = rotate("--same-key", FIELD_CIPHER="sm4-gcm")
    assert code == 0, said
    assert headers()["people_patient.name"] == {b"\2\2\0\1"}
    assert Patient.objects.get(id=world.patient.id).name == "王小东"


@pytest.fixture
def holder(servers: Servers) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(servers.environment()["DATABASE_URL"]) as connection:
        yield connection


def test_a_row_that_somebody_holds_is_left_and_taken_by_the_next_run(
    world: World, rotate: Any, holder: psycopg.Connection[Any]
) -> None:
    holder.execute("SELECT 1 FROM people_patient FOR UPDATE")
    code, said = rotate()
    assert code == 1 and "1 rows are still under older keys" in said, said
    assert headers()["access_user.totp_secret"] == {b"\2\1\0\2"}
    holder.rollback()
    code, said = rotate()
    assert code == 0 and "continuing with key 2" in said, said
    assert headers()["people_patient.name"] == {b"\2\1\0\2"}


def test_a_damaged_value_is_named_and_stops_nothing(world: World, rotate: Any) -> None:
    other = crypto.encrypt(b"x", bound_to="elsewhere")
    as_owner(f"UPDATE access_user SET totp_secret = '\\x{other.hex()}' WHERE username = 'desk'")
    code, said = rotate()
    assert code == 1
    assert f"UNREADABLE access_user.totp_secret of {world.users['desk'].id}" in said
    assert headers()["people_patient.name"] == {b"\2\1\0\2"}


def test_only_one_rotation_runs(world: World, rotate: Any, holder: psycopg.Connection[Any]) -> None:
    holder.execute("SELECT pg_advisory_lock(%s)", [rotation.LOCK_KEY])
    code, said = rotate()
    assert code == 1 and "another rotation is running" in said
    assert keyring.ring(look=True).current == 1


def test_every_encrypted_column_is_known_to_the_rotation() -> None:
    names = {f"{table.name}.{field.column}" for table in rotation.tables() for field in table.fields}
    assert {"people_patient.name", "records_report.content", "common_idempotentrequest.answer"} <= names
    assert len(names) >= 15

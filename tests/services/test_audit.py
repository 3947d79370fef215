from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from hospital.access.principals import SYSTEM, Principal
from hospital.audit.models import AuditEntry
from hospital.audit.services import audit_record, request_address
from hospital.common.ids import uuid7
from tests.owner import as_owner

pytestmark = pytest.mark.django_db
TABLES = ("audit_auditentry", "audit_auditseal", "audit_auditcheckpoint")


def record() -> AuditEntry:
    audit_record(principal=SYSTEM, action="exam.book", object_kind="exam", object_id=None, reason="r")
    return AuditEntry.objects.get()


def test_an_entry_can_be_neither_changed_nor_deleted() -> None:
    entry = record()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(reason="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.all().delete()
    assert AuditEntry.objects.get().reason == entry.reason


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_applications_role_has_no_right_to_change_the_log(table: str, verb: str) -> None:
    statement = verb.format(table).replace(
        "SET id = id", "SET hash = hash" if "seal" in table else "SET id = id"
    )
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert "permission denied" in str(caught.value)


@pytest.mark.parametrize("column", ["at", "seq", "xid"])
def test_the_applications_role_can_neither_date_nor_number_an_entry(column: str) -> None:
    record()
    columns = f"actor_kind, actor_id, action, object_kind, outcome, reason, address, details, {column}"
    statement = f"INSERT INTO audit_auditentry (id, {columns}) SELECT gen_random_uuid(), {columns} FROM audit_auditentry"
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_not_even_the_owner_empties_the_log_by_mistake(table: str) -> None:
    # The tests' own database has this trigger off, or no test could begin with an empty log.
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER audit_no_truncate; TRUNCATE {table}")


def test_an_entry_falls_with_the_deed_that_it_tells_of() -> None:
    with transaction.atomic():
        record()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_an_entry_says_from_where_when_a_request_is_being_answered() -> None:
    known = request_address.set("10.0.0.7")
    try:
        assert record().address == "10.0.0.7"
    finally:
        request_address.reset(known)


def test_an_entry_names_person_sign_in_institution_and_whom_it_was_done_for() -> None:
    person, first, second, token, patient = (uuid7() for _ in range(5))
    roles = ((first, "nurse"), (second, "scheduler"))
    principal = Principal(kind="staff", id=person, name="n", memberships=roles, token_id=token)
    audit_record(
        principal=principal,
        action="exam.book",
        object_kind="exam",
        object_id=None,
        institution_id=second,
        patient_ids=[patient],
        on_behalf_of=("patient", patient),
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.actor_institution_id) == (person, second)
    assert (entry.device_kind, entry.device_id) == ("session", token)
    assert (entry.on_behalf_kind, entry.on_behalf_id) == ("patient", patient)
    assert (entry.patient_ids, entry.outcome) == ([patient], "done")


def test_a_robot_is_its_own_device() -> None:
    robot = Principal(kind="robot", id=uuid7(), name="r", memberships=(), token_id=None)
    audit_record(principal=robot, action="robot.upload", object_kind="image", object_id=None)
    entry = AuditEntry.objects.get()
    assert (entry.device_kind, entry.device_id, entry.actor_institution_id) == ("robot", robot.id, None)

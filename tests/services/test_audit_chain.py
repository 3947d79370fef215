"""The chain: every committed entry gets its link, and one wrong row is found."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from hospital.access.principals import SYSTEM
from hospital.audit import export, sealer
from hospital.audit.models import AuditCheckpoint, AuditEntry, AuditSeal
from hospital.audit.rules import FIELDS, GENESIS, canonical, link
from hospital.audit.sealer import seal_all, seal_pass
from hospital.audit.selectors import audit_problems
from hospital.audit.services import audit_record
from hospital.audit.verifier import Result, audit_verify, links, one_snapshot
from hospital.common.ids import uuid7
from hospital.common.signing import public_bytes, signing_key
from tests.owner import as_owner
from tests.servers import Servers

pytestmark = pytest.mark.django_db(transaction=True)
FREE = "ALTER TABLE audit_audit{0} DISABLE TRIGGER audit_append_only; {1}; ALTER TABLE audit_audit{0} ENABLE TRIGGER audit_append_only"


def write(count: int = 1, **fields: object) -> list[int]:
    """Entries as the application writes them; their sequence numbers."""
    before = set(AuditEntry.objects.values_list("seq", flat=True))
    for number in range(count):
        said = {
            "action": "exam.book",
            "reason": f"第{number}次",
            "details": {"n": [number, 0.1, "ü"]},
        } | fields
        audit_record(principal=SYSTEM, object_kind="exam", object_id=uuid7(), **said)  # type: ignore[arg-type]
    return sorted(set(AuditEntry.objects.values_list("seq", flat=True)) - before)


def tamper(table: str, statement: str) -> None:
    """What somebody can do who owns the database, and takes the trouble to switch the trigger off."""
    as_owner(FREE.format(table, statement))


def found(result: Result) -> list[tuple[str, int | None]]:
    return [(problem.kind, problem.seq) for problem in result.problems]


@pytest.fixture
def chain() -> list[int]:
    """Twenty sealed and signed entries; their sequence numbers."""
    seqs = write(20)
    assert seal_all(checkpoint=True) == 20
    return seqs


@pytest.fixture
def other(servers: Servers) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A second connection of the application's role: another request at the same time."""
    url = servers.environment()["DATABASE_URL"]
    with psycopg.connect(url) as second:
        yield second


INSERT = (
    "INSERT INTO audit_auditentry (id, actor_kind, actor_id, action, object_kind, outcome, reason, address, details)"
    " VALUES (gen_random_uuid(), 'staff', gen_random_uuid(), 'exam.move', 'exam', 'done', '', '', '{}')"
)


def test_an_untouched_log_verifies_and_says_what_waits(chain: list[int]) -> None:
    write(3)
    result = audit_verify()
    assert (result.checked, result.unsealed, result.unsigned, result.problems) == (20, 3, 0, [])
    assert seal_all() == 3
    result = audit_verify()
    assert (result.checked, result.unsealed, result.unsigned) == (23, 0, 3)
    assert result.head == (23, bytes(AuditSeal.objects.get(number=23).hash).hex())


def test_an_entry_committed_late_is_sealed_after_younger_ones(other: psycopg.Connection[object]) -> None:
    other.execute(INSERT)
    younger = write(2)
    assert seal_all(checkpoint=True) == 2
    other.commit()
    write(1)
    assert seal_all(checkpoint=True) == 2
    order = list(AuditSeal.objects.order_by("number").values_list("entry_seq", flat=True))
    assert order[:2] == younger
    assert order[2] < younger[0]
    assert audit_verify().problems == []


def test_a_rolled_back_entry_leaves_a_gap_that_is_no_problem() -> None:
    write(1)
    with transaction.atomic():
        audit_record(principal=SYSTEM, action="exam.book", object_kind="exam", object_id=None)
        transaction.set_rollback(True)
    write(1)
    seal_all(checkpoint=True)
    seqs = list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs[1] - seqs[0] == 2
    assert audit_verify().problems == []


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'other'",
        "at = at + interval '1 microsecond'",
        "actor_id = gen_random_uuid()",
        "details = jsonb_set(details, '{n,1}', '0.10000000000000000000000001')",
        "patient_ids = ARRAY[gen_random_uuid()]",
        "outcome = 'refused'",
        "address = '10.0.0.1'",
    ],
)
def test_one_changed_entry_is_found_and_only_that_one(chain: list[int], change: str) -> None:
    tamper("entry", f"UPDATE audit_auditentry SET {change} WHERE seq = {chain[7]}")
    assert found(audit_verify()) == [("changed", chain[7])]


def test_one_missing_entry_is_found(chain: list[int]) -> None:
    tamper("entry", f"DELETE FROM audit_auditentry WHERE seq = {chain[7]}")
    assert found(audit_verify()) == [("missing", chain[7])]


def test_an_entry_that_goes_with_its_seal_leaves_a_hole(chain: list[int]) -> None:
    tamper("entry", f"DELETE FROM audit_auditentry WHERE seq = {chain[7]}")
    tamper("seal", f"DELETE FROM audit_auditseal WHERE entry_seq = {chain[7]}")
    assert [problem.kind for problem in audit_verify().problems] == ["seal_missing"]


def test_an_entry_put_in_past_the_sealer_is_found(chain: list[int]) -> None:
    columns = ", ".join(
        field.attname
        for field in AuditEntry._meta.concrete_fields
        if field.attname not in ("id", "seq", "xid")
    )
    as_owner(
        f"INSERT INTO audit_auditentry (id, xid, {columns})"
        f" SELECT gen_random_uuid(), 3, {columns} FROM audit_auditentry WHERE seq = {chain[7]}"
    )
    assert seal_all(checkpoint=True) == 0
    assert [problem.kind for problem in audit_verify().problems] == ["inserted"]


def test_an_entry_dated_back_is_found(chain: list[int]) -> None:
    columns = ", ".join(
        field.attname
        for field in AuditEntry._meta.concrete_fields
        if field.attname not in ("id", "seq", "xid", "at")
    )
    as_owner(
        f"INSERT INTO audit_auditentry (id, at, {columns})"
        f" SELECT gen_random_uuid(), now() - interval '2 days', {columns} FROM audit_auditentry WHERE seq = {chain[7]}"
    )
    assert seal_all(checkpoint=True) == 1
    assert [problem.kind for problem in audit_verify().problems] == ["backdated"]


def _rewrite_chain() -> None:
    """Every link made anew over the entries as they now are, as somebody would who knows the rules but no key."""
    with one_snapshot():
        rows = list(links(1, 10**9))
    digest, parts = GENESIS, []
    for one in rows:
        digest = link(digest, one.row)
        parts.append(f"UPDATE audit_auditseal SET hash = '\\x{digest.hex()}' WHERE number = {one.number}")
    tamper("seal", "; ".join(parts))


def test_a_chain_made_anew_by_the_owner_of_the_database_does_not_fit_the_signatures(chain: list[int]) -> None:
    tamper("entry", f"UPDATE audit_auditentry SET reason = 'other' WHERE seq = {chain[7]}")
    _rewrite_chain()
    assert [(problem.kind, problem.number) for problem in audit_verify().problems] == [("checkpoint", 20)]
    digest = bytes(AuditSeal.objects.get(number=20).hash).hex()
    tamper("checkpoint", f"UPDATE audit_auditcheckpoint SET hash = '\\x{digest}'")
    assert [(problem.kind, problem.number) for problem in audit_verify().problems] == [("checkpoint", 20)]


def test_an_end_cut_off_is_found_by_its_checkpoint_or_by_a_head_that_was_written_down(
    chain: list[int],
) -> None:
    head = audit_verify().head
    tamper("entry", f"DELETE FROM audit_auditentry WHERE seq >= {chain[15]}")
    tamper("seal", "DELETE FROM audit_auditseal WHERE number > 15")
    assert [problem.kind for problem in audit_verify().problems] == ["seal_missing"]
    tamper("checkpoint", "DELETE FROM audit_auditcheckpoint")
    assert [problem.kind for problem in audit_verify(head=head).problems] == ["head"]


def test_after_a_restore_into_a_new_cluster_sealing_goes_on(chain: list[int]) -> None:
    last = AuditSeal.objects.get(number=20)
    sealer._checkpoint(20, bytes(last.hash), 10**15)  # transaction numbers of the cluster that was dumped
    write(2)
    assert seal_all() == 2
    newest = AuditCheckpoint.objects.latest("id")
    assert newest.watermark < 10**15
    write(1)
    assert seal_all() == 1
    assert audit_verify().problems == []


def test_a_second_sealer_does_nothing_and_writers_do_not_wait(other: psycopg.Connection[object]) -> None:
    other.execute("SELECT pg_advisory_xact_lock(%s)", [sealer.LOCK_KEY])
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '2s'")
        assert len(write(2)) == 2
        cursor.execute("RESET statement_timeout")
    assert seal_pass() == 0
    other.rollback()
    assert seal_pass() == 2


def test_more_than_one_batch_is_sealed_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 4)
    seqs = write(11)
    assert seal_all(checkpoint=True) == 11
    assert list(AuditSeal.objects.order_by("number").values_list("entry_seq", flat=True)) == seqs
    assert audit_verify().problems == []


def test_a_range_is_checked_from_checkpoint_to_checkpoint(chain: list[int]) -> None:
    tamper("entry", f"UPDATE audit_auditentry SET reason = 'other' WHERE seq = {chain[7]}")
    now = datetime.now(UTC)
    assert found(audit_verify(start=now - timedelta(hours=1), end=now)) == [("changed", chain[7])]
    assert audit_verify(start=now + timedelta(hours=1)).checked == 0


def test_the_command_ends_with_one_and_names_the_entry(chain: list[int]) -> None:
    said = StringIO()
    call_command("audit_verify", stdout=said)
    assert "checked 20 entries" in said.getvalue() and "rows/s" in said.getvalue()
    assert "unsealed tail 0" in said.getvalue()
    tamper("entry", f"UPDATE audit_auditentry SET reason = 'other' WHERE seq = {chain[7]}")
    with pytest.raises(CommandError, match="1 problem"):
        call_command("audit_verify", stdout=said)
    assert f"PROBLEM changed link 8 seq {chain[7]}" in said.getvalue()


def test_the_canonical_form_is_a_json_array_of_every_field() -> None:
    row = [1, 2, *(str(number) for number in range(len(FIELDS) - 3)), None]
    assert json.loads(canonical(row)) == row
    with pytest.raises(ValueError, match="fields"):
        canonical(row[:-1])


def exported(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    call_command("audit_export", "--from", "2020-01-01", "--out", str(path), stdout=StringIO())
    return path


def test_an_export_verifies_without_the_database(chain: list[int], tmp_path: Path) -> None:
    path = exported(tmp_path)
    assert oct(path.stat().st_mode)[-3:] == "600"
    result = export.export_verify(path=path)
    assert (result.checked, result.problems) == (20, [])
    said = StringIO()
    call_command("audit_verify", "--file", str(path), stdout=said)
    assert "checked 20 entries" in said.getvalue()


@pytest.mark.parametrize("line", [1, 8, 20])
def test_one_changed_byte_of_an_export_is_found(chain: list[int], tmp_path: Path, line: int) -> None:
    path = exported(tmp_path)
    rows = path.read_bytes().splitlines(keepends=True)
    rows[line] = rows[line].replace("第".encode(), "笫".encode())
    path.write_bytes(b"".join(rows))
    kinds = {problem.kind for problem in export.export_verify(path=path).problems}
    assert kinds == {"changed", "signature"}


def test_a_line_taken_out_of_an_export_is_found_and_one_without_its_end_is_refused(
    chain: list[int], tmp_path: Path
) -> None:
    path = exported(tmp_path)
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:5] + rows[6:]))
    assert "seal_missing" in {problem.kind for problem in export.export_verify(path=path).problems}
    path.write_bytes(b"".join(rows[:-1]))
    with pytest.raises(export.Unreadable, match="cut off"):
        export.export_verify(path=path)
    with pytest.raises(CommandError):
        call_command("audit_verify", "--file", str(path))


def test_an_export_signed_by_somebody_else_is_not_believed(chain: list[int], tmp_path: Path) -> None:
    path = exported(tmp_path)
    result = export.export_verify(path=path, public=bytes(range(32)))
    assert [problem.kind for problem in result.problems] == ["signature"]


def test_an_entry_of_before_the_chain_is_sealed_too() -> None:
    """An installation that is upgraded has entries without seals: the first pass takes all."""
    as_owner(INSERT.replace("(id,", "(xid, id,").replace("VALUES (", "VALUES (1, "))
    assert seal_all(checkpoint=True) == 1
    assert audit_verify().problems == []


def test_readiness_says_when_nobody_seals(chain: list[int]) -> None:
    write(1)
    assert audit_problems() == []
    columns = ", ".join(
        field.attname
        for field in AuditEntry._meta.concrete_fields
        if field.attname not in ("id", "seq", "xid", "at")
    )
    as_owner(
        f"INSERT INTO audit_auditentry (id, at, {columns})"
        f" SELECT gen_random_uuid(), now() - interval '75 s', {columns} FROM audit_auditentry WHERE seq = {chain[7]}"
    )
    assert "not sealed for 75 s" in audit_problems()[0]
    seal_all()
    assert audit_problems() == []


def test_a_chain_outlives_a_change_of_the_signing_key(
    chain: list[int], settings: Any, tmp_path: Path
) -> None:
    before, path = public_bytes(signing_key(sealer.PURPOSE)), exported(tmp_path)
    settings.SIGNING_KEY = base64.b64encode(b"k" * 32).decode()
    write(1)
    seal_all(checkpoint=True)
    assert [problem.number for problem in audit_verify().problems] == [20]
    assert [problem.kind for problem in export.export_verify(path=path).problems] == ["signature"]
    settings.AUDIT_PUBLIC_KEYS = [before.hex()]
    assert audit_verify().problems == export.export_verify(path=path).problems == []

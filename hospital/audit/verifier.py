"""Finding one entry that was changed, is missing, or was put in past the sealer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from hospital.common.signing import key_id, public_bytes, signed_by, signing_key

from .models import AuditCheckpoint
from .rules import FIELDS, GENESIS, LATE, Row, checkpoint_bytes, link
from .sealer import ENTRY_COLUMNS, PURPOSE

CHUNK = 5000
AT = FIELDS.index("at")


@dataclass(frozen=True)
class Problem:
    """`kind`: changed, missing, inserted, seal_missing, seal_changed, checkpoint, backdated, head."""

    kind: str
    number: int | None
    seq: int | None
    text: str


@dataclass
class Result:
    """What a check found. `unsealed` entries wait for the sealer, `unsigned` ones for the next checkpoint.

    `withheld` entries of an export belong to other institutions.
    """

    checked: int = 0
    unsealed: int = 0
    unsigned: int = 0
    withheld: int = 0
    head: tuple[int, str] = (0, "")
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    number: int
    digest: bytes
    entry_seq: int
    row: Row


def trusted_keys() -> dict[str, bytes]:
    """Public keys whose signatures count, by their name: the present one and those of before."""
    keys = [public_bytes(signing_key(PURPOSE)), *map(bytes.fromhex, settings.AUDIT_PUBLIC_KEYS)]
    return {key_id(key): key for key in keys}


def bounds(start: datetime | None, end: datetime | None) -> tuple[int, int]:
    """First and last number of the links that hold everything dated in [start, end), cut at checkpoints."""
    found = AuditCheckpoint.objects.order_by("id")
    before = found.filter(at__lte=start - LATE).last() if start else None
    after = found.filter(at__gte=end + LATE).first() if end else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0) FROM audit_auditseal")
        (last,) = cursor.fetchone() or (0,)
    return (before.number + 1 if before else 1), (after.number if after else last)


def links(first: int, last: int) -> Iterator[Link]:
    """In the order of the chain, with each entry as it is now. Inside a transaction: a cursor of the server."""
    statement = (
        f"SELECT s.number, s.hash, s.entry_seq, {ENTRY_COLUMNS} FROM audit_auditseal s"  # noqa: S608
        " LEFT JOIN audit_auditentry e ON e.seq = s.entry_seq WHERE s.number BETWEEN %s AND %s ORDER BY s.number"
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, [first, last])
        while rows := cursor.fetchmany(CHUNK):
            for number, digest, seq, *row in rows:
                yield Link(number, bytes(digest), seq, row)


def digest_before(first: int) -> bytes:
    """The link that the one numbered `first` stands on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM audit_auditseal WHERE number = %s", [first - 1])
        row = cursor.fetchone()
    return bytes(row[0]) if row else GENESIS


class _Walk:
    """One pass over the chain. A wrong link is judged by its own stored neighbours, so one wrong row is one problem."""

    def __init__(self, first: int, result: Result) -> None:
        self.expected, self.previous, self.result = first, digest_before(first), result
        self.checkpoints = iter(AuditCheckpoint.objects.filter(number__gte=first).order_by("id"))
        self.mark = next(self.checkpoints, None)
        self.since, self.trusted = "", trusted_keys()

    def problem(self, kind: str, number: int | None, seq: int | None, text: str) -> None:
        self.result.problems.append(Problem(kind, number, seq, text))

    def take(self, one: Link) -> None:
        if one.number != self.expected:
            gone = f"{self.expected}" + (f"..{one.number - 1}" if one.number - 1 > self.expected else "")
            self.problem("seal_missing", self.expected, None, f"no link {gone}")
        elif one.row[0] is None:
            self.problem("missing", one.number, one.entry_seq, "the entry is gone, its seal is there")
        elif link(self.previous, one.row) != one.digest:
            self.problem("changed", one.number, one.entry_seq, f"entry {one.row[2]} or its link was changed")
        elif str(one.row[AT]) < self.since:
            self.problem("backdated", one.number, one.entry_seq, f"dated {one.row[AT]}, sealed much later")
        self.expected, self.previous = one.number + 1, one.digest
        self.result.checked += 1
        self._marks(one)

    def _marks(self, one: Link) -> None:
        while self.mark is not None and self.mark.number <= one.number:
            if self.mark.number == one.number:
                self._mark(self.mark, one)
            self.mark = next(self.checkpoints, None)

    def _mark(self, mark: AuditCheckpoint, one: Link) -> None:
        signed = checkpoint_bytes(
            number=mark.number, digest=bytes(mark.hash), watermark=mark.watermark, at=mark.at.astimezone(UTC)
        )
        public = self.trusted.get(mark.key_id)
        if public is None or not signed_by(public, bytes(mark.signature), signed):
            self.problem("checkpoint", mark.number, None, f"signature of checkpoint {mark.id} is wrong")
        elif bytes(mark.hash) != one.digest:
            self.problem("checkpoint", mark.number, None, f"checkpoint {mark.id} signed another chain")
        self.since = (mark.at.astimezone(UTC) - LATE).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def end(self) -> None:
        """Checkpoints that name links beyond the chain's end: the end was cut off."""
        if self.mark is not None:
            self.problem(
                "seal_missing", self.expected, None, f"the chain was signed up to {self.mark.number}"
            )


def _tail(result: Result) -> None:
    """Unsealed entries: waiting for the sealer if their transaction is younger than its watermark, else put in."""
    last = AuditCheckpoint.objects.order_by("-id").first()
    watermark = last.watermark if last else 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.seq, e.id, e.xid >= %s AND e.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            " FROM audit_auditentry e WHERE NOT EXISTS"
            " (SELECT 1 FROM audit_auditseal s WHERE s.entry_seq = e.seq) ORDER BY e.seq",
            [watermark],
        )
        for seq, entry, waiting in cursor.fetchall():
            if waiting:
                result.unsealed += 1
            else:
                text = f"entry {entry} has no seal and did not come in its time"
                result.problems.append(Problem("inserted", None, seq, text))
        cursor.execute("SELECT number, hash FROM audit_auditseal ORDER BY number DESC LIMIT 1")
        row = cursor.fetchone()
    if row:
        result.head = (row[0], bytes(row[1]).hex())
        result.unsigned = row[0] - (last.number if last else 0)


def _head_known(head: tuple[int, str], result: Result) -> None:
    """An end of the chain that somebody wrote down must still be in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM audit_auditseal WHERE number = %s", [head[0]])
        row = cursor.fetchone()
    if row is None or bytes(row[0]).hex() != head[1]:
        result.problems.append(Problem("head", head[0], None, "this end is not in the chain any more"))


@contextmanager
def one_snapshot() -> Iterator[None]:
    """A read-only transaction that sees one moment (inside an outer transaction: whatever that one sees)."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@one_snapshot()
def audit_verify(
    *, start: datetime | None = None, end: datetime | None = None, head: tuple[int, str] | None = None
) -> Result:
    """Check the chain (or the part that holds [start, end)), its signatures, and what has no seal."""
    result = Result()
    first, last = bounds(start, end)
    walk = _Walk(first, result)
    for one in links(first, last):
        walk.take(one)
    if end is None:
        walk.end()
    _tail(result)
    if head is not None:
        _head_known(head, result)
    return result

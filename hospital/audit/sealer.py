"""The one sealer: chains committed entries within a second, so that writers never queue for the chain.

Commit order is not id order: an entry may appear after younger ones, when its transaction was longer. So entries are
found by their transaction: all below the oldest running one (`xmin`) are settled, and a pass looks at everything
committed since the watermark that the last checkpoint left. A link's number is the order of sealing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import connection, transaction

from hospital.common.clock import now
from hospital.common.signing import key_id, public_bytes, signing_key

from .models import AuditCheckpoint
from .rules import FIELDS, GENESIS, Row, checkpoint_bytes, link
from .services import spool_bring_in

log = structlog.get_logger()
PURPOSE = "audit"
LOCK_KEY = 0x41554449  # "AUDI": one sealer at a time in this database
BATCH = 2000  # design value: entries a pass, one transaction
CHECKPOINT_EVERY, CHECKPOINT_ROWS = (
    timedelta(seconds=10),
    10_000,
)  # design values: how much may stand unsigned

_TEXTS = {
    "at": """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "seq": "e.seq",
    "xid": "e.xid",
}
# Every field as the text that is hashed: exact, whatever Python makes of numbers or times.
ENTRY_COLUMNS = ", ".join(_TEXTS.get(name, f"e.{name}::text") for name in FIELDS)
_UNSEALED = "NOT EXISTS (SELECT 1 FROM audit_auditseal s WHERE s.entry_seq = e.seq)"
_BETWEEN = "e.xid >= %s AND e.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint AND "


def _end_of_chain() -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, hash FROM audit_auditseal ORDER BY number DESC LIMIT 1")
        row = cursor.fetchone()
    return (row[0], bytes(row[1])) if row else (0, GENESIS)


def _oldest_running() -> int:
    """Every transaction below this number has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _unsealed(watermark: int | None) -> list[tuple[int | str | None, ...]]:
    """Committed entries without a seal, oldest transaction first. None looks at all of them."""
    which = _UNSEALED if watermark is None else _BETWEEN + _UNSEALED
    statement = (
        f"SELECT {ENTRY_COLUMNS} FROM audit_auditentry e WHERE {which} ORDER BY e.xid, e.seq LIMIT {BATCH}"  # noqa: S608
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [] if watermark is None else [watermark])
        rows: list[tuple[int | str | None, ...]] = cursor.fetchall()
    return rows


def _chain(rows: Sequence[Row], number: int, previous: bytes) -> tuple[int, bytes]:
    """Write the links of `rows`; returns the new end."""
    links = []
    for row in rows:
        number, previous = number + 1, link(previous, row)
        links.append((number, row[0], previous))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditseal (number, entry_seq, hash)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])",
            [list(column) for column in zip(*links, strict=True)],
        )
    return number, previous


def _checkpoint(number: int, digest: bytes, watermark: int) -> None:
    at, key = now(), signing_key(PURPOSE)
    signed = checkpoint_bytes(number=number, digest=digest, watermark=watermark, at=at)
    AuditCheckpoint.objects.create(
        number=number,
        hash=digest,
        watermark=watermark,
        at=at,
        key_id=key_id(public_bytes(key)),
        signature=key.sign(signed),
    )
    # The same end in the program's log: a chain whose end was cut off differs from what was said there.
    log.info("audit_checkpoint", number=number, sha256=digest.hex())


def _due(last: AuditCheckpoint | None, number: int) -> bool:
    if last is None or number - last.number >= CHECKPOINT_ROWS:
        return True
    return number > last.number and now() - last.at >= CHECKPOINT_EVERY


@transaction.atomic
def seal_pass(*, checkpoint: bool = False) -> int:
    """Chain what was committed since the last pass, at most BATCH entries; returns how many.

    Nothing while another sealer works. A checkpoint is written when one is due, or when asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if not (cursor.fetchone() or (False,))[0]:
            return 0
    last, settled = AuditCheckpoint.objects.order_by("-id").first(), _oldest_running()
    # After a restore into a new cluster its transaction numbers begin again, below the watermark: look at all once.
    again = last is not None and last.watermark > settled
    rows = _unsealed(None if again or last is None else last.watermark)
    number, digest = _end_of_chain()
    if rows:
        number, digest = _chain(rows, number, digest)
    whole = len(rows) < BATCH
    if whole and number and (again or checkpoint or _due(last, number)):
        _checkpoint(number, digest, settled)
    return len(rows)


def seal_all(*, checkpoint: bool = False) -> int:
    """Bring in what was spooled and chain everything committed so far; returns how many entries were chained."""
    spool_bring_in()
    total = 0
    while done := seal_pass(checkpoint=checkpoint):
        total += done
        if done < BATCH:
            break
    return total

"""Putting everything that is stored under the current key and cipher, while the house works.

Rows are taken in batches with SKIP LOCKED, each batch one transaction, so that an interrupted run goes on where it
stopped; nobody waits for it longer than for one batch. Old keys stay known: whatever escapes stays readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from django.db.models import F, Func, Q, Value

from . import objects
from .crypto import HEADER_BYTES, EncryptedTextField, current_header, decrypt
from .errors import Unavailable
from .locks import limit_lock_wait

BATCH = 500  # design value
LOCK_KEY = 0x4B455953  # "KEYS": one rotation at a time in this database
TRIGGERS_MS = 200  # design value: how long a table with guarding triggers may be asked for
TRIES_N = 10
SAY_EVERY_N = 200
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run did; `unreadable` names values that no key opens, `left` rows that others kept locked."""

    rows: int = 0
    objects: int = 0
    left: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    model: type[models.Model]
    fields: tuple[EncryptedTextField, ...]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def old(self) -> models.QuerySet[Any]:
        """Rows with a value under another key or cipher than the current ones."""
        header, rows, which = current_header(), self.model._base_manager.all(), Q()
        for one in self.fields:
            start = Func(
                F(one.name),
                Value(1),
                Value(HEADER_BYTES),
                function="substring",
                output_field=models.BinaryField(),
            )
            rows = rows.alias(**{f"start_{one.name}": start})
            which |= Q(**{f"{one.name}__isnull": False}) & ~Q(**{f"start_{one.name}": header})
        return cast("models.QuerySet[Any]", rows.filter(which))


def tables() -> list[Table]:
    """Every table with encrypted columns, by name."""
    found = []
    for model in apps.get_models():
        fields = tuple(one for one in model._meta.concrete_fields if isinstance(one, EncryptedTextField))
        if fields and not model._meta.proxy:
            found.append(Table(model, fields))
    return sorted(found, key=lambda table: table.name)


def _guarded(table: Table) -> bool:
    """Whether a trigger watches its updates, as over signed reports: it can't see that only the key changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal"
            " AND tgenabled <> 'D' AND tgtype & 16 <> 0)",
            [table.name],
        )
        return bool((cursor.fetchone() or (False,))[0])


def _raw(rows: models.QuerySet[Any], table: Table) -> models.QuerySet[Any]:
    plain = {
        f"raw_{one.name}": Func(F(one.name), template="%(expressions)s", output_field=models.BinaryField())
        for one in table.fields
    }
    return cast("models.QuerySet[Any]", rows.annotate(**plain).values("pk", *plain))


def _opened(row: dict[str, Any], table: Table, outcome: Outcome) -> dict[str, str]:
    """The readable values of a row by field."""
    values = {}
    for one in table.fields:
        raw = row[f"raw_{one.name}"]
        try:
            if raw is not None:
                values[one.name] = decrypt(bytes(raw), bound_to=one.bound_to).decode()
        except (InvalidTag, ValueError):
            outcome.unreadable.append(f"{table.name}.{one.column} of {row['pk']}")
    return values


def _batch(table: Table, after: Any, *, guarded: bool, wait: bool, size: int, outcome: Outcome) -> list[Any]:
    """Re-encrypt the next rows behind primary key `after`; their primary keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        limit_lock_wait()
        if guarded:  # within this transaction nobody else writes the table, so nobody else passes unguarded
            cursor.execute(f"SET LOCAL lock_timeout = {TRIGGERS_MS}")
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table.name)} DISABLE TRIGGER USER")
        rows = table.old().order_by("pk").select_for_update(skip_locked=not wait, of=("self",))
        rows = _raw(rows if after is None else rows.filter(pk__gt=after), table)
        done = []
        for row in rows[:size]:
            if values := _opened(row, table, outcome):
                table.model._base_manager.filter(pk=row["pk"]).update(**values)
                outcome.rows += 1
            done.append(row["pk"])
        if guarded:
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table.name)} ENABLE TRIGGER USER")
    return done


def _batches(table: Table, *, wait: bool, size: int, outcome: Outcome) -> Iterator[int]:
    """How many rows each batch did. A busy table is asked again; OperationalError when it never was free."""
    after, guarded, tries = None, _guarded(table), 0
    while True:
        try:
            done = _batch(table, after, guarded=guarded, wait=wait, size=size, outcome=outcome)
        except OperationalError:
            tries += 1
            if not guarded or tries >= TRIES_N:
                raise
            continue
        if not done:
            return
        after, tries = done[-1], 0
        yield len(done)


def _table(table: Table, *, size: int, say: Say, outcome: Outcome) -> None:
    """First what is free, then what others had locked meanwhile; what stays locked is left for the next run."""
    total, done = table.old().count(), 0
    for wait in (False, True):
        if not table.old().exists():
            return
        try:
            for count in _batches(table, wait=wait, size=size, outcome=outcome):
                done += count
                say(f"{table.name} {done}/{total}")
        except OperationalError:
            say(f"{table.name} is busy")


def _objects(say: Say, outcome: Outcome) -> None:
    paths = list(objects.stored())
    for number, path in enumerate(paths, start=1):
        try:
            outcome.objects += objects.reencrypt(path)
        except (Unavailable, OSError):
            outcome.unreadable.append(f"object {path}")
        if number % SAY_EVERY_N == 0 or number == len(paths):
            say(f"objects {number}/{len(paths)}")


def one_at_a_time() -> bool:
    """Whether this connection is the one that rotates, until it closes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        return bool((cursor.fetchone() or (False,))[0])


def reencrypt_all(*, say: Say, size: int = BATCH) -> Outcome:
    """Everything under the current key and cipher. Needs the owner's connection: guarding triggers are paused."""
    outcome = Outcome()
    for table in tables():
        _table(table, size=size, say=say, outcome=outcome)
    _objects(say, outcome)
    outcome.left = sum(table.old().count() for table in tables())
    outcome.unreadable = list(dict.fromkeys(outcome.unreadable))
    return outcome

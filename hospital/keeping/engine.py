"""Erasing: one subject a transaction, all of its record or only the parts whose own time is over.

Everything is looked at again under the subject's lock, so a hold that was set after a run began still wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction

from hospital.access.principals import SYSTEM, Principal
from hospital.audit.services import audit_record
from hospital.common import retention
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import Conflict, DomainError, NotFound
from hospital.common.locks import limit_lock_wait
from hospital.common.retention import Clock, Part, Standing, cutoff, erasable_on

from . import rules, selectors

log = structlog.get_logger()
BATCH = 1000  # design value: rows a transaction
RETRY_AFTER_S = 3  # design value


@dataclass(frozen=True)
class Line:
    """One part of a plan: how many rows go and how many stay, by which clock and why."""

    part: Part
    clock: Clock
    goes: int
    stays: int
    decision: rules.Decision
    before: datetime | None = None


@dataclass
class Plan:
    kind: str
    subject_id: UUID
    whole: bool
    until: date | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def going(self) -> list[Line]:
        return [line for line in self.lines if line.goes]

    @property
    def staying(self) -> list[Line]:
        return [line for line in self.lines if line.stays]


def lock(kind: str, subject_id: UUID) -> None:
    """Until the end of the transaction holds, requests and erasures of one subject come one after another.

    Conflict `record_busy` with `retry_after_s` when another one takes longer than 3 s.
    """
    limit_lock_wait()
    statement = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, [f"keeping:{kind}:{subject_id}"])
    except OperationalError as error:
        raise Conflict("record_busy", retry_after_s=RETRY_AFTER_S) from error


def plan(*, kind: str, subject_id: UUID, at: datetime | None = None, asked: bool = False) -> Plan:
    """What would go now and what stays; `asked`: by the patient's request, so `on_request` parts go too."""
    at = at or now()
    held = selectors.held(kind, subject_id)
    standing = retention.subject(kind).standing(subject_id)
    today = at.astimezone(SHANGHAI).date()
    until = erasable_on(standing.clock, standing.start) if standing.start else None
    # Nobody ever came: nothing but the patient's own wish keeps such a record.
    wish = asked and standing.clock is retention.UNSEEN
    whole = rules.decide(until=until, today=today, held=held, open_code=standing.open, asked=wish)
    made = Plan(kind=kind, subject_id=subject_id, whole=whole.goes, until=until)
    for part in retention.parts(kind):
        made.lines.append(_line(part, made, standing, whole, at=at, held=held, asked=asked))
    return made


def _line(
    part: Part,
    made: Plan,
    standing: Standing,
    whole: rules.Decision,
    *,
    at: datetime,
    held: bool,
    asked: bool,
) -> Line:
    total = part.count(made.subject_id, None)
    if asked and part.on_request and not held:
        return Line(part, part.clock, total, 0, rules.Decision(True, rules.DUE))
    if part.own_clock and not held:
        return _own_line(part, made.subject_id, total, at)
    clock = part.clock if part.own_clock else standing.clock
    goes = total if whole.goes else 0
    return Line(part, clock, goes, total - goes, whole)


def _own_line(part: Part, subject_id: UUID, total: int, at: datetime) -> Line:
    """Of a part with a clock of its own: the old rows go, the younger ones stay."""
    before, newest = cutoff(part.clock, at), part.newest(subject_id)
    goes = part.count(subject_id, before)
    until = erasable_on(part.clock, newest) if newest else None
    why = rules.CLOCK if total - goes else rules.DUE
    return Line(part, part.clock, goes, total - goes, rules.Decision(bool(goes), why, until), before)


@transaction.atomic
def record_erase(
    *, kind: str, subject_id: UUID, principal: Principal = SYSTEM, asked: bool = False, reason: str = ""
) -> Plan:
    """Erase what may go of one subject, rows and files, with its entry in the log.

    NotFound; Conflict `legal_hold`, or `retention_runs` with `until` when nothing may go.
    """
    lock(kind, subject_id)
    if not retention.subject(kind).lock(subject_id):
        raise NotFound()
    made = plan(kind=kind, subject_id=subject_id, asked=asked)
    if not made.going:
        if any(line.decision.why == rules.HELD for line in made.lines):
            raise Conflict("legal_hold")
        raise Conflict("retention_runs", until=made.until.isoformat() if made.until else None)
    _permit(made)
    done = {line.part.name: line.part.erase(subject_id, line.before) for line in made.going}
    audit_record(
        principal=principal,
        action="retention.erase",
        object_kind=kind,
        object_id=subject_id,
        reason=reason or made.going[0].clock.name,
        details={"classes": done, "whole": made.whole},
    )
    return made


def _permit(made: Plan) -> None:
    """The row that the triggers ask for; PostgreSQL itself looks at the day and at holds."""
    scope = {made.subject_id} if made.whole else set()
    for line in made.going:
        scope.update(line.part.ids(made.subject_id, line.before))
    day = now().astimezone(SHANGHAI).date()
    whole_until = made.until if made.whole and made.until and made.until <= day else day
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO keeping_erasure (id, subject_kind, subject_id, scope, kept_until, classes)"
            " VALUES (gen_random_uuid(), %s, %s, %s::uuid[], %s, %s::jsonb)",
            [made.kind, made.subject_id, list(scope), whole_until, _classes(made)],
        )


def _classes(made: Plan) -> str:
    return json.dumps({line.part.name: line.goes for line in made.going})


def candidates(kind: str, at: datetime) -> Iterator[UUID]:
    """Subjects of which something may be due: each once."""
    seen: set[UUID] = set()
    found = [retention.subject(kind).candidates(at)]
    for part in retention.parts(kind):
        if part.own_clock:
            found.append(part.candidates(cutoff(part.clock, at)))
    for one in found:
        for subject_id in one:
            if subject_id not in seen:
                seen.add(subject_id)
                yield subject_id


def due(at: datetime | None = None) -> Iterator[Plan]:
    """The plans of everything that has something to erase, or would have but for a hold."""
    at = at or now()
    for kind in retention.kinds():
        for subject_id in candidates(kind, at):
            made = plan(kind=kind, subject_id=subject_id, at=at)
            if made.going or any(line.decision.why == rules.HELD for line in made.staying):
                yield made


def erase_due() -> dict[str, int]:
    """Erase every record that is due, each in its own transaction; rows by class. What was held meanwhile stays."""
    done: dict[str, int] = {}
    for found in list(due()):
        try:
            made = record_erase(kind=found.kind, subject_id=found.subject_id)
        except (
            DomainError,
            OperationalError,
        ) as error:  # held or reopened meanwhile, or somebody works on it
            log.info(
                "retention_kept", kind=found.kind, subject_id=str(found.subject_id), error=str(error)[:80]
            )
            continue
        for line in made.going:
            done[line.part.name] = done.get(line.part.name, 0) + line.goes
    return done


def rows_clear() -> dict[str, int]:
    """Clear what only served the moment, in batches; rows by class."""
    done: dict[str, int] = {}
    for one in retention.rows():
        before = cutoff(one.clock, now())
        while True:
            with transaction.atomic():
                cleared = one.clear(before, BATCH)
                if cleared:
                    done[one.name] = done.get(one.name, 0) + cleared
            if cleared < BATCH:
                break
    if done:
        details: dict[str, Any] = {"classes": done}
        audit_record(
            principal=SYSTEM, action="retention.clear", object_kind="rows", object_id=None, details=details
        )
    return done

"""Merging two registrations of one person, and undoing it to the byte (ID-12, HAZ-18).

The source becomes an alias of the survivor: its row stays as it was, so its MPI number, document, phone and name keep
finding the person; rows of other tables change hands and are remembered. Nothing is rewritten: signed reports, stored
DICOM objects (their PatientID stays the number of then, `selectors.mpi_numbers` resolves it) and the log stay as they
are; whoever reads them follows the link.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, models, transaction

from hospital.access.keys import Deed
from hospital.access.principals import Principal
from hospital.access.services import proof_consume
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.events import Event, emit
from hospital.common.locks import limit_lock_wait

from . import references, selectors
from .models import Patient, PatientMerge
from .references import How, Reference

REASON_MIN = 4  # design value: a word that says something, in Chinese


@dataclass(frozen=True, kw_only=True)
class PatientsMerged(Event):
    """The source is now an alias of the survivor, in the emitter's transaction."""

    source_id: UUID
    survivor_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientsParted(Event):
    """A merge was undone: the two are two again."""

    source_id: UUID
    survivor_id: UUID


def _reason_checked(reason: str) -> str:
    if len(reason.strip()) < REASON_MIN:
        raise Invalid("reason_short" if reason.strip() else "reason_required", field="reason")
    return reason.strip()


def _rows_locked(patient_id: UUID) -> None:
    """The rows before the patient: who works on an exam holds its row and asks for the patient afterwards."""
    for reference in references.moving():
        list(reference.rows(patient_id).order_by("pk").select_for_update(of=("self",)).values_list("pk"))


def _both_locked(principal: Principal, source_id: UUID, survivor_id: UUID) -> tuple[Patient, Patient]:
    """Both within the caller's sight, neither an alias; new rows for either wait until this is over."""
    _rows_locked(source_id)
    ids = sorted([source_id, survivor_id])
    found = {row.id: row for row in Patient.objects.select_for_update().filter(id__in=ids).order_by("id")}
    if (
        len(found) < 2
        or selectors.patients(principal, "patient.merge", merged=True).filter(id__in=ids).count() < 2
    ):
        raise NotFound()
    if any(row.merged_into_id is not None for row in found.values()):
        raise Conflict("merge_done")
    return found[source_id], found[survivor_id]


def _unique_sets(reference: Reference) -> Iterator[tuple[tuple[str, ...], models.Q]]:
    """(other columns, condition) of each promise that a patient has such a row only once."""
    meta, name = reference.model_class()._meta, reference.field
    if getattr(meta.get_field(name), "unique", False):
        yield (), models.Q()
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and name in constraint.fields:
            others = tuple(field for field in constraint.fields if field != name)
            yield others, constraint.condition or models.Q()


def _doubles(reference: Reference, source_id: UUID, survivor_id: UUID) -> set[Any]:
    """Keys of the source's rows that the survivor may not have as well."""
    found: set[Any] = set()
    for others, condition in _unique_sets(reference):
        theirs = set(reference.rows(survivor_id).filter(condition).values_list(*others, "pk"))
        taken = {_plain(row[:-1]) for row in theirs}
        mine = reference.rows(source_id).filter(condition).values_list(*others, "pk")
        found |= {row[-1] for row in mine if _plain(row[:-1]) in taken}
    return found


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in values)


def _refuse_conflicts(source_id: UUID, survivor_id: UUID) -> None:
    """Two rows that one person can't have both: a person decides first which of them holds."""
    strict = [reference for reference in references.moving() if reference.how is How.MOVE]
    tables = [one.model for one in strict if _doubles(one, source_id, survivor_id)]
    if tables:
        raise Conflict("merge_rows_conflict", tables=sorted(set(tables)))
    for check in references.checks():
        check(source_id, survivor_id)


def _move(source_id: UUID, survivor_id: UUID) -> dict[str, list[str]]:
    moved = {}
    for reference in references.moving():
        lenient = reference.how is How.MOVE_ALL_BUT_DOUBLES
        stay = _doubles(reference, source_id, survivor_id) if lenient else set()
        rows = reference.rows(source_id).exclude(pk__in=stay)
        keys = [str(key) for key in rows.order_by("pk").values_list("pk", flat=True)]
        if keys:
            rows.update(**{reference.field: survivor_id})
            moved[reference.label] = keys
    return moved


@transaction.atomic
def patient_merge(
    *, principal: Principal, source_id: UUID, survivor_id: UUID, reason: str, deed: Deed | None = None
) -> PatientMerge:
    """Make `source` an alias of `survivor`, with a fresh proof of identity, which may be bound to the `deed`.

    Conflict `merge_done` (one of them is an alias already), `merge_rows_conflict` with `tables`, `merge_exam_open`,
    `merge_busy` while somebody works on a row of the two; Forbidden `proof_required`; NotFound outside one's sight.
    """
    reason = _reason_checked(reason)
    if source_id == survivor_id:
        raise Invalid("merge_same", field="survivor")
    proof_consume(principal=principal, deed=deed)
    limit_lock_wait()
    try:
        with transaction.atomic():
            row = _merged(principal, source_id, survivor_id, reason)
    except OperationalError as error:
        raise Conflict("merge_busy") from error
    except IntegrityError as error:
        raise Conflict("merge_rows_conflict", tables=[]) from error
    _noted(principal, "patient.merge", row, reason)
    emit(PatientsMerged(source_id=source_id, survivor_id=survivor_id))
    return row


def _merged(principal: Principal, source_id: UUID, survivor_id: UUID, reason: str) -> PatientMerge:
    source, survivor = _both_locked(principal, source_id, survivor_id)
    _refuse_conflicts(source_id, survivor_id)
    row = PatientMerge.objects.create(
        source=source, survivor=survivor, reason=reason, merged_by_id=principal.id
    )
    row.moved = _move(source_id, survivor_id)
    row.save(update_fields=["moved"])
    Patient.objects.filter(id=source_id).update(merged_into=survivor)
    return row


@transaction.atomic
def patient_unmerge(*, principal: Principal, merge_id: UUID, reason: str) -> PatientMerge:
    """Two persons again: every row that moved goes back as it was; what was written since stays with the survivor,
    but for what hangs on a row that goes back.

    Conflict `merge_undone`, `merge_not_last` (a later merge stands on this one), `merge_exam_open`, `merge_busy`.
    """
    reason = _reason_checked(reason)
    proof_consume(principal=principal, deed=Deed(action="patient.merge", object_id=merge_id, version="undo"))
    limit_lock_wait()
    try:
        with transaction.atomic():
            row = _parted(principal, merge_id, reason)
    except OperationalError as error:
        raise Conflict("merge_busy") from error
    except IntegrityError as error:
        raise Conflict("merge_rows_conflict", tables=[]) from error
    _noted(principal, "patient.unmerge", row, reason)
    emit(PatientsParted(source_id=row.source_id, survivor_id=row.survivor_id))
    return row


def _parted(principal: Principal, merge_id: UUID, reason: str) -> PatientMerge:
    row = PatientMerge.objects.select_for_update().filter(id=merge_id).first()
    if row is None or not selectors.patients(principal, "patient.merge").filter(id=_last(row)).exists():
        raise NotFound()
    if row.undone_at is not None:
        raise Conflict("merge_undone")
    _rows_locked(row.survivor_id)
    ids = sorted([row.source_id, row.survivor_id])
    both = {one.id: one for one in Patient.objects.select_for_update().filter(id__in=ids).order_by("id")}
    if both[row.source_id].merged_into_id != row.survivor_id:
        raise Conflict("merge_not_last")
    for check in references.checks():
        check(row.source_id, row.survivor_id)
    Patient.objects.filter(id=row.source_id).update(merged_into=None)
    _move_back(row)
    row.undone_at, row.undone_by_id, row.undone_reason = now(), principal.id, reason
    row.save(update_fields=["undone_at", "undone_by_id", "undone_reason"])
    return row


def _last(row: PatientMerge) -> UUID:
    """Who answers for the merge's survivor today."""
    return selectors.survivor_id(row.survivor_id)


def _move_back(row: PatientMerge) -> None:
    """Only rows that are still the survivor's: what was deleted since is not made again. What was written since for a
    row that goes back, as a picture for an exam, goes with it."""
    known = references.known()
    for one in references.attached():
        late = known[one.label].rows(row.survivor_id).filter(**{f"{one.by}__in": row.moved.get(one.of, [])})
        late.update(**{known[one.label].field: row.source_id})
    for label, keys in row.moved.items():
        reference = known[label]
        reference.rows(row.survivor_id).filter(pk__in=keys).update(**{reference.field: row.source_id})


def _noted(principal: Principal, action: str, row: PatientMerge, reason: str) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=row.survivor_id,
        institution_id=row.survivor.institution_id,
        reason=reason,
        details={
            "merge": str(row.id),
            "source": str(row.source_id),
            "moved": {label: len(keys) for label, keys in row.moved.items()},
        },
        patient_ids=(row.survivor_id, row.source_id),
    )

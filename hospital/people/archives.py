"""Building and handing out a patient's archive: at once when it is small, by a worker in pieces when it is large.

One account asks and only that account fetches it, once, before it expires; the stored file is encrypted like every
object and goes when it was fetched or nobody did.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from hospital.access.principals import SYSTEM, Principal
from hospital.audit.services import audit_record
from hospital.common import objects
from hospital.common.clock import now
from hospital.common.errors import Conflict, Gone, NotFound
from hospital.common.work import work_add, worker

from . import archive, selectors
from .models import Patient, PatientArchive

BUILD, EXPIRE = "archive.build", "archive.expire"
KEPT_FOR = timedelta(days=3)  # design value: long enough for a weekend
GIVEN_UP_AFTER = timedelta(days=1)
WAITING, READY, TAKEN, EXPIRED = "waiting", "ready", "taken", "expired"


def archive_patient(principal: Principal, patient_id: UUID | None) -> Patient:
    """Whose archive this account may have: its own patients', and those who lent it the scope `copy`."""
    mine = selectors.patients(principal, "me.archive")
    found = mine.filter(id=patient_id) if patient_id else mine.order_by("created_at")
    patient = found.first()
    if patient is None:
        raise NotFound()
    return patient


def _title(patient: Patient) -> str:
    return f"{patient.name} {patient.mpi}"


def archive_or_job(
    *, principal: Principal, patient_id: UUID | None
) -> tuple[Patient, bytes | PatientArchive]:
    """(patient, the archive when it is small, else the job that builds it, asked once)."""
    patient = archive_patient(principal, patient_id)
    found = archive.contents(selectors.ids_of(patient.id))
    files = archive.files(found)
    if len(files) <= archive.LARGE_FILES_N:
        made = archive.whole(found, [archive.piece(files)], at=now(), title=_title(patient))
        _noted(principal, "patient.archive", patient, {"bytes": len(made), "files": len(files)})
        return patient, made
    return patient, archive_ask(principal=principal, patient=patient, total_n=len(files))


@transaction.atomic
def archive_ask(*, principal: Principal, patient: Patient, total_n: int) -> PatientArchive:
    """The account's open job for this patient, or a new one."""
    row, new = PatientArchive.objects.get_or_create(
        patient=patient,
        account_id=principal.id,
        status__in=[WAITING, READY],
        defaults={"status": WAITING, "total_n": total_n},
    )
    if new:
        _noted(principal, "patient.archive", patient, {"archive": str(row.id), "files": total_n})
        work_add(kind=BUILD, key=f"{row.id} 0", payload={"archive_id": str(row.id), "turn": 0})
        work_add(
            kind=EXPIRE,
            key=f"{row.id} building",
            payload={"archive_id": str(row.id)},
            due_at=now() + GIVEN_UP_AFTER,
        )
    return row


def archive_get(*, principal: Principal, archive_id: UUID) -> PatientArchive:
    """The account's own job; a right that ended since ends the download too."""
    row = (
        PatientArchive.objects.select_related("patient")
        .filter(id=archive_id, account_id=principal.id)
        .first()
    )
    if row is None:
        raise NotFound()
    archive_patient(principal, selectors.survivor_id(row.patient_id))
    return row


@transaction.atomic
def archive_take(*, principal: Principal, archive_id: UUID) -> tuple[PatientArchive, bytes]:
    """The file, once. Conflict `archive_not_ready`, Gone `archive_gone`."""
    archive_get(principal=principal, archive_id=archive_id)
    row = PatientArchive.objects.select_for_update().select_related(None).get(id=archive_id)
    if row.status == WAITING:
        raise Conflict("archive_not_ready", done=row.done_n, total=row.total_n)
    if row.status != READY or row.expires_at is None or row.expires_at <= now():
        raise Gone("archive_gone")
    data = objects.read(row.path)
    path, row.path, row.status, row.downloaded_at = row.path, "", TAKEN, now()
    row.save(update_fields=["path", "status", "downloaded_at"])
    _noted(principal, "patient.archive_take", row.patient, {"archive": str(row.id), "bytes": row.size})
    _discard([path])
    return row, data


@worker(BUILD)
def _build(payload: dict[str, Any]) -> None:
    """One turn: pack some files, remember the piece, come again; the last turn joins them."""
    row = PatientArchive.objects.select_for_update().filter(id=payload["archive_id"], status=WAITING).first()
    if row is None:
        return
    found = archive.contents(selectors.ids_of(selectors.survivor_id(row.patient_id)))
    files, turn = archive.files(found), int(payload["turn"])
    first = turn * archive.PIECE_FILES_N
    if first < len(files):
        part = files[first : first + archive.PIECE_FILES_N]
        row.pieces = [*row.pieces, objects.put(archive.piece(part))[0]]
        row.done_n, row.total_n = first + len(part), len(files)
        row.save(update_fields=["pieces", "done_n", "total_n"])
        again = {"archive_id": str(row.id), "turn": turn + 1}
        work_add(kind=BUILD, key=f"{row.id} {turn + 1}", payload=again)
        return
    _finish(row, found)


def _finish(row: PatientArchive, found: dict[str, archive.Content]) -> None:
    pieces, row.pieces = list(row.pieces), []
    whole = archive.whole(found, [objects.read(one) for one in pieces], at=now(), title=_title(row.patient))
    row.path, row.size = objects.put(whole)[0], len(whole)
    row.status, row.ready_at, row.expires_at = READY, now(), now() + KEPT_FOR
    row.save()
    _noted(SYSTEM, "patient.archive_ready", row.patient, {"archive": str(row.id), "bytes": row.size})
    work_add(
        kind=EXPIRE,
        key=f"{row.id} kept",
        payload={"archive_id": str(row.id)},
        due_at=row.expires_at,
    )
    _discard(pieces)


@worker(EXPIRE)
def _expire(payload: dict[str, Any]) -> None:
    """Three days after it was ready, or a day after it was asked for and still is not: the files go."""
    late = PatientArchive.objects.select_for_update().filter(id=payload["archive_id"])
    row = (
        late.filter(status=READY, expires_at__lte=now()).first()
        or late.filter(status=WAITING, asked_at__lte=now() - GIVEN_UP_AFTER).first()
    )
    if row is None:
        return
    paths = [one for one in [row.path, *row.pieces] if one]
    row.path, row.pieces, row.status = "", [], EXPIRED
    row.save()
    _discard(paths)


def _discard(paths: list[str]) -> None:
    """When the row that named them is committed without them."""
    for path in paths:
        objects.erase(path)


def _noted(principal: Principal, action: str, patient: Patient, details: dict[str, Any]) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=patient.id,
        institution_id=patient.institution_id,
        outcome="read",
        reason="own" if principal.kind == "patient" else "",
        details=details,
    )

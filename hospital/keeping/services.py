"""Writes of keeping: legal holds, erasure requests and their answer, and the way back of a patient who returns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from hospital.access.principals import SYSTEM, Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common import retention
from hospital.common.clock import now, today
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.common.events import emit

from . import answers, engine, rules, selectors
from .events import RecordRestricting
from .models import ErasureRequest, LegalHold, Restriction

TEXT_MAX = 500
Blocker = Callable[[UUID], str]
_blockers: list[Blocker] = []


def register_blocker(blocker: Blocker) -> None:
    """`blocker(patient_id)` names what must be finished before a record may be restricted, or is empty."""
    if blocker not in _blockers:
        _blockers.append(blocker)


def _named(text: str, field: str) -> str:
    if not text.strip() or len(text) > TEXT_MAX:
        raise Invalid("reason_required", field=field)
    return text.strip()


def _noted(
    principal: Principal, action: str, kind: str, subject_id: UUID, place: UUID, **details: Any
) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind=kind,
        object_id=subject_id,
        institution_id=place,
        details=details,
        on_behalf_of=(kind, subject_id) if "paper" in details else None,
    )


def _subject_found(principal: Principal, kind: str, text: str) -> tuple[UUID, UUID]:
    """(subject, its institution) among the caller's own, locked. NotFound; Conflict `legal_hold_several`."""
    named, mine = retention.subject(kind), places(principal, "hold.set")
    found = [one for one in named.find(text) if named.institution(one) in mine]
    if len(found) > 1:
        raise Conflict("legal_hold_several")
    if not found:
        raise NotFound()
    engine.lock(kind, found[0])
    place = named.institution(found[0])  # again under the lock: an erasure that came first leaves nothing
    if place is None or place not in mine:
        raise NotFound()
    return found[0], place


@transaction.atomic
def hold_set(
    *,
    principal: Principal,
    subject_kind: str,
    subject: str,
    case_number: str,
    reason: str,
    until: date | None,
) -> LegalHold:
    """Stop every erasure of a patient's record or a robot's file. `subject` is its number, name or id.

    NotFound for subjects of other institutions, and for a record that was erased a moment ago; Conflict
    `legal_hold_several` when the text means more than one; Invalid `reason_required`, `legal_hold_until` for a day
    that is over.
    """
    kept = {"case_number": _named(case_number, "case_number"), "reason": _named(reason, "reason")}
    if subject_kind not in retention.kinds():
        raise Invalid("invalid", field="subject_kind")
    if until is not None and until < today():
        raise Invalid("legal_hold_until", field="until")
    subject_id, place = _subject_found(principal, subject_kind, subject)
    row = LegalHold.objects.create(
        subject_kind=subject_kind,
        subject_id=subject_id,
        institution_id=place,
        until=until,
        set_by_id=principal.id,
        **kept,
    )
    _noted(principal, "hold.set", subject_kind, subject_id, place, hold=str(row.id))
    return row


@transaction.atomic
def hold_lift(*, principal: Principal, hold_id: UUID, reason: str) -> LegalHold:
    """Another person than the one who set it. Forbidden `legal_hold_own`, Conflict `legal_hold_over`, NotFound."""
    row = selectors.holds(principal).select_for_update(of=("self",)).filter(id=hold_id).first()
    if row is None or row.institution_id not in places(principal, "hold.lift"):
        raise NotFound()
    if row.set_by_id == principal.id:
        raise Forbidden("legal_hold_own")
    if row.lifted_at is not None:
        raise Conflict("legal_hold_over")
    row.lifted_by_id, row.lifted_at, row.lifted_reason = principal.id, now(), _named(reason, "reason")
    row.save(update_fields=["lifted_by", "lifted_at", "lifted_reason"])
    _noted(principal, "hold.lift", row.subject_kind, row.subject_id, row.institution_id, hold=str(row.id))
    return row


@transaction.atomic
def erasure_ask(
    *, principal: Principal, patient_id: UUID, institution_id: UUID, paper: str = ""
) -> ErasureRequest:
    """A request on record, answered at once unless something is still running. Who may ask is decided above.

    Conflict `erasure_asked` while one waits, `patient_restricted` when it was answered before.
    """
    if principal.kind == "staff" and not paper.strip():
        raise Invalid("erasure_paper", field="paper")
    engine.lock(retention.PATIENT, patient_id)
    if selectors.is_restricted(patient_id):
        raise Conflict("patient_restricted")
    try:
        with transaction.atomic():
            row = ErasureRequest.objects.create(
                patient_id=patient_id,
                institution_id=institution_id,
                by_kind=principal.kind,
                by_id=principal.id,
                paper=paper.strip(),
                due_at=now() + rules.ANSWER_WITHIN,
            )
    except IntegrityError:
        raise Conflict("erasure_asked") from None
    said = {"request": str(row.id)} | ({"paper": row.paper} if row.paper else {})
    _noted(principal, "erasure.ask", retention.PATIENT, patient_id, institution_id, **said)
    _answer(row)
    return row


def requests_answer() -> int:
    """Answer what waited and waits no longer; how many. One that somebody works on comes again next time."""
    done = 0
    for request_id in list(ErasureRequest.objects.filter(answered_at=None).values_list("id", flat=True)):
        with suppress(Conflict, OperationalError), transaction.atomic():
            row = ErasureRequest.objects.select_for_update(skip_locked=True).filter(id=request_id).first()
            if row is not None and row.answered_at is None:
                done += _answer(row)
    return done


def _answer(row: ErasureRequest) -> bool:
    """Erase what no law keeps, restrict the rest, say what went and what stays. False: it waits."""
    engine.lock(retention.PATIENT, row.patient_id)
    waits_for = _waits_for(
        row.patient_id
    )  # rows before the patient: who works on an exam holds its row first
    if not retention.subject(retention.PATIENT).lock(row.patient_id):
        waits_for, made = "", None
    else:
        waits_for = waits_for or _waits_for(
            row.patient_id
        )  # what was added while this waited for the patient
        made = None if waits_for else _restrict(row)
    if waits_for:
        ErasureRequest.objects.filter(id=row.id).update(waits_for=waits_for)
        row.waits_for = waits_for
        return False
    row.waits_for, row.answered_at = "", now()
    row.answer = answers.said(made) if made is not None else {"goes": [], "stays": [], "restricted": False}
    row.save(update_fields=["waits_for", "answered_at", "answer"])
    stays = len(row.answer["stays"])
    _noted(
        SYSTEM, "erasure.answer", retention.PATIENT, row.patient_id, row.institution_id, classes_kept=stays
    )
    return True


def _waits_for(patient_id: UUID) -> str:
    return next(filter(None, (blocker(patient_id) for blocker in _blockers)), "")


def _restrict(row: ErasureRequest) -> engine.Plan:
    emit(RecordRestricting(patient_id=row.patient_id))
    made = engine.plan(kind=retention.PATIENT, subject_id=row.patient_id, asked=True)
    if made.going:
        engine.record_erase(
            kind=retention.PATIENT, subject_id=row.patient_id, asked=True, reason="asked by the patient"
        )
    if not made.whole:
        Restriction.objects.create(patient_id=row.patient_id, request=row)
        _noted(SYSTEM, "record.restrict", retention.PATIENT, row.patient_id, row.institution_id)
    return made


@transaction.atomic
def restriction_lift(*, principal: Principal, patient_id: UUID, institution_id: UUID, paper: str) -> None:
    """The patient came back and signed for it: the record is read again. NotFound when none stands."""
    if not paper.strip():
        raise Invalid("erasure_paper", field="paper")
    engine.lock(retention.PATIENT, patient_id)
    lifted = Restriction.objects.filter(patient_id=patient_id, lifted_at=None).update(
        lifted_at=now(), lifted_by_id=principal.id, lifted_paper=paper.strip()
    )
    if not lifted:
        raise NotFound()
    _noted(principal, "record.reopen", retention.PATIENT, patient_id, institution_id, paper=paper.strip())

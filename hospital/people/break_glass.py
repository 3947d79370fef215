"""Emergency access: a reason, a fresh proof of identity, at most four hours, reviewed within a day, patient told.

It opens one patient's record for reading. It gives nobody a part in an exam: no command, no writing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hospital.access.keys import Deed
from hospital.access.models import Membership
from hospital.access.principals import SYSTEM, Principal
from hospital.access.scopes import within
from hospital.access.selectors import institution_names
from hospital.access.services import proof_consume
from hospital.access.table import INSTITUTION, places, row_of
from hospital.audit.services import audit_record
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.common.work import work_add, worker
from hospital.messages.services import message_send, notices_give

from . import selectors
from .models import BreakGlass, Patient

OPEN_FOR = timedelta(hours=4)  # the longest the access rules allow
REVIEW_WITHIN = timedelta(days=1)
REASON_MIN = 10  # design value: "emergency" alone is no reason anybody can review
OVERDUE = "break_glass_review"
VERDICTS = frozenset({"justified", "not_justified"})


def patients_opened(principal: Principal, moment: datetime) -> QuerySet[BreakGlass, UUID]:
    """Ids of the patients whose records this person opened and that are open at that moment."""
    mine = BreakGlass.objects.filter(user_id=principal.id, ends_at__gt=moment)
    return mine.values_list("patient_id", flat=True)


def opened(principal: Principal, patient_id: UUID) -> bool:
    """Whether this person may read this patient's record by emergency access now."""
    return principal.kind == "staff" and patient_id in set(patients_opened(principal, now()))


def break_glass_open(*, principal: Principal, document_number: str, reason: str) -> BreakGlass:
    """Open the record of the person with this document. Invalid `reason_required`, `reason_short`, NotFound, Forbidden
    `proof_required`. The proof is used up and the refusal on record in every case."""
    if len(reason.strip()) < REASON_MIN:
        raise Invalid("reason_short" if reason.strip() else "reason_required", field="reason")
    with transaction.atomic():
        proof_consume(principal=principal, deed=Deed(action="break_glass.open"))
        patient = selectors.patients_with_document(document_number).first()
        row = _opened(principal, patient, reason.strip()) if patient is not None else None
    if row is None:
        raise NotFound()
    return row


def _opened(principal: Principal, patient: Patient, reason: str) -> BreakGlass:
    row = BreakGlass.objects.create(
        patient=patient,
        user_id=principal.id,
        institution_id=places(principal, "break_glass.open")[0],
        reason=reason,
        ends_at=now() + OPEN_FOR,
    )
    _noted(principal, "break_glass.open", row, reason=reason)
    hospital = institution_names(ids=[row.institution_id])[row.institution_id]["name"]
    at = row.began_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M")
    message_send(
        to=patient.phone,
        channel="sms",
        template="break_glass",
        context={"hospital": hospital, "name": principal.name, "at": at},
    )
    work_add(
        kind=OVERDUE,
        key=str(row.id),
        payload={"entry_id": str(row.id)},
        due_at=row.began_at + REVIEW_WITHIN,
    )
    return row


def _reviewable(principal: Principal) -> QuerySet[BreakGlass]:
    """Entries of people, or of patients, of the institutions in which the caller reviews."""
    rows = BreakGlass.objects.select_related("patient", "user", "institution", "reviewed_by")
    return rows.filter(within(principal, "break_glass.review", "break_glass"))


def to_review(principal: Principal) -> list[BreakGlass]:
    """What waits for a review first, oldest first, then the last hundred that were reviewed."""
    rows = _reviewable(principal)
    done = rows.filter(reviewed_at__isnull=False).order_by("-reviewed_at")[:100]
    return [*rows.filter(reviewed_at=None).order_by("began_at"), *done]


@transaction.atomic
def break_glass_review(*, principal: Principal, entry_id: UUID, verdict: str, note: str) -> BreakGlass:
    """Somebody else's verdict, once; what was not justified closes at once. Conflict `break_glass_reviewed`, Forbidden `break_glass_own`."""
    if verdict not in VERDICTS:
        raise Invalid("invalid", field="verdict")
    row = BreakGlass.objects.select_for_update().filter(id=entry_id).first()
    if row is None or not _reviewable(principal).filter(id=entry_id).exists():
        raise NotFound()
    if row.user_id == principal.id:
        raise Forbidden("break_glass_own")
    if row.reviewed_at is not None:
        raise Conflict("break_glass_reviewed")
    row.reviewed_by_id, row.reviewed_at, row.verdict, row.review_note = principal.id, now(), verdict, note
    if verdict == "not_justified":
        row.ends_at = min(row.ends_at, max(now(), row.began_at + timedelta(seconds=1)))
    row.save()
    _noted(principal, "break_glass.review", row, reason=verdict)
    return row


@worker(OVERDUE)
def _review_overdue(payload: dict[str, Any]) -> None:
    """A day later: an entry nobody reviewed is put on record as such, and its reviewers are told."""
    row = (
        BreakGlass.objects.select_related("patient").filter(id=payload["entry_id"], reviewed_at=None).first()
    )
    if row is not None:
        _noted(SYSTEM, "break_glass.overdue", row)
        notices_give(
            user_ids=_reviewers(row),
            template="break_glass_overdue",
            context={"at": row.began_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M")},
        )


def _reviewers(row: BreakGlass) -> list[UUID]:
    """Who may review it, but for the one who opened the record."""
    roles = [role for role, scope in row_of("break_glass.review").items() if scope == INSTITUTION]
    places = [row.institution_id, row.patient.institution_id]
    found = Membership.objects.filter(role__in=roles, institution_id__in=places, user__is_active=True)
    return list(found.exclude(user_id=row.user_id).values_list("user_id", flat=True).distinct())


def _noted(principal: Principal, action: str, row: BreakGlass, reason: str = "") -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="patient",
        object_id=row.patient_id,
        institution_id=row.institution_id,
        reason=reason,
        details={"entry": str(row.id), "ends_at": row.ends_at.isoformat()},
    )

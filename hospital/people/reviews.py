"""The queue of registrations that may be one person: opened by a match that is less than exact, decided by people.

Across hospitals a reviewer sees of the other hospital's patient only what is masked, and merges only within their own
institutions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from hospital.access.keys import Deed
from hospital.access.phones import phone_index
from hospital.access.principals import Principal
from hospital.access.services import proof_consume
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound

from . import matching, rules, search, selectors
from .matching import Identity
from .merges import PatientMerge, patient_merge, patient_unmerge
from .models import DuplicateReview, Patient

CANDIDATES_MAX = 20
OPEN, SAME, DISTINCT = "open", "same", "distinct"
VERDICTS = frozenset({SAME, DISTINCT})
QUEUE_MAX = 200
CLAIMS_MAX = 2000  # design value: claims decrypted for one search


@dataclass(frozen=True, kw_only=True)
class Case:
    """A review as its reader may see it: `left` and `right` answer for the registrations today; `own` are those of
    the reader's institutions; `right` is None for a claim."""

    row: DuplicateReview
    left: Patient
    right: Patient | None
    own: frozenset[UUID]

    @property
    def claim(self) -> dict[str, str]:
        return dict(json.loads(self.row.claim)) if self.row.claim else {}


def identity_of(patient: Patient) -> Identity:
    return Identity(
        document_type=patient.document_type,
        number=patient.document_number,
        name=patient.name,
        birth_date=patient.birth_date,
        phone=patient.phone,
        readings=tuple(search.readings(patient.name)),
    )


def candidates(patient: Patient) -> list[tuple[Patient, list[str]]]:
    """(registration, reasons) of those that may be the same person, in all institutions."""
    me = identity_of(patient)
    name, phone = Q(name_index=search.name_index(patient.name)), Q(phone_index=phone_index(patient.phone))
    birth = Q(birth_date=patient.birth_date)
    number = Q(document_index__in=selectors.document_indexes(patient.document_number))
    first = [search.syllable_index(one) for one in sorted(me.readings[0])] if me.readings else []
    sound = Q(syllables__index__in=first)
    which = number | birth & (name | phone | sound) | name & phone
    rows = (
        selectors.readable().filter(which, merged_into=None).exclude(id=patient.id).distinct().order_by("mpi")
    )
    found = [(row, matching.reasons(me, identity_of(row))) for row in rows[: 10 * CANDIDATES_MAX]]
    return [pair for pair in found if pair[1]][:CANDIDATES_MAX]


def duplicates_look(*, principal: Principal, patient: Patient) -> list[DuplicateReview]:
    """Open a review for everybody who may be the same person; what somebody decided stays decided."""
    return [
        row
        for other, reasons in candidates(patient)
        if (row := _opened(principal, patient, other, reasons)) is not None
    ]


def _opened(
    principal: Principal, patient: Patient, other: Patient, reasons: list[str]
) -> DuplicateReview | None:
    first, second = sorted([patient.id, other.id])
    row, new = DuplicateReview.objects.get_or_create(
        first_id=first,
        second_id=second,
        defaults={
            "institution_id": patient.institution_id,
            "reasons": reasons,
            "opened_by_id": principal.id,
        },
    )
    if new:
        _noted(principal, "duplicate.open", row, patients=(first, second), reason=" ".join(reasons))
    return row if new else None


@transaction.atomic
def review_open(*, principal: Principal, first_id: UUID, second_id: UUID) -> DuplicateReview:
    """Somebody at a desk thinks that two registrations are one person. Conflict `review_exists`."""
    pair = [
        selectors.patient_get(principal=principal, patient_id=one, action="duplicate.open")
        for one in (first_id, second_id)
    ]
    if pair[0].id == pair[1].id:
        raise Invalid("merge_same", field="second")
    reasons = matching.reasons(identity_of(pair[0]), identity_of(pair[1]))
    row = _opened(principal, pair[0], pair[1], ["staff", *reasons])
    if row is None:
        raise Conflict("review_exists")
    return row


def claim_open(
    *, principal: Principal, patient: Patient, institution_id: UUID, claim: dict[str, str]
) -> DuplicateReview:
    """A desk holds a document that is on file under another name or birth date. Asking again is asking once."""
    text = json.dumps(claim, ensure_ascii=False, sort_keys=True)
    row, new = DuplicateReview.objects.get_or_create(
        first=patient,
        claim_index=search.claim_index(text),
        defaults={
            "claim": text,
            "institution_id": institution_id,
            "reasons": ["document"],
            "opened_by_id": principal.id,
        },
    )
    if new:
        _noted(principal, "duplicate.open", row, patients=(patient.id,), reason="document")
    return row


def _visible(principal: Principal) -> QuerySet[DuplicateReview]:
    """Reviews about a patient of the caller's institutions, or opened there."""
    mine = places(principal, "duplicate.review")
    here = Patient.objects.filter(selectors.known_in(mine)).values("id")
    rows = DuplicateReview.objects.select_related(
        "first", "second", "first__merged_into", "second__merged_into"
    )
    seen = selectors.readable().values("id")
    rows = rows.filter(Q(second=None) | Q(second__in=seen), first__in=seen)
    return rows.filter(Q(first__in=here) | Q(second__in=here) | Q(institution_id__in=mine))


def _case(row: DuplicateReview, own: set[UUID]) -> Case | None:
    """None for two that are one already."""
    left = row.first.merged_into or row.first
    right = (row.second.merged_into or row.second) if row.second else None
    if row.status == OPEN and right is not None and left.id == right.id:
        return None
    if row.status != OPEN:
        left, right = row.first, row.second
    ids = {one.id for one in (left, right) if one}
    return Case(row=row, left=left, right=right, own=frozenset(ids & own))


def _own_among(principal: Principal, rows: list[DuplicateReview]) -> set[UUID]:
    both = [one for row in rows for one in (row.first, row.second) if one is not None]
    ids = {one.merged_into_id or one.id for one in both} | {one.id for one in both}
    seen = selectors.patients(principal, merged=True, action="duplicate.review").filter(id__in=ids)
    return set(seen.values_list("id", flat=True))


def cases(principal: Principal, *, q: str = "", status: str = OPEN) -> list[Case]:
    """The queue, oldest first; `q` as in the desk's search: name, pinyin, numbers, tails."""
    rows = _visible(principal).filter(status=status).order_by("opened_at")
    if q.strip():
        found = [
            row.id for row in selectors.patient_search(principal=principal, q=q, action="duplicate.review")
        ]
        ids = Patient.objects.filter(Q(id__in=found) | Q(merged_into_id__in=found)).values("id")
        read = [row.id for row in rows.exclude(claim_index=None)[:CLAIMS_MAX] if _claim_fits(row, q)]
        rows = rows.filter(Q(first_id__in=ids) | Q(second_id__in=ids) | Q(id__in=read))
    listed = list(rows[:QUEUE_MAX]) if status == OPEN else list(rows.order_by("-decided_at")[:QUEUE_MAX])
    own = _own_among(principal, listed)
    return [case for row in listed if (case := _case(row, own)) is not None]


def _claim_fits(row: DuplicateReview, q: str) -> bool:
    """What a desk read is on no index: its name is compared one by one, by characters and by sound."""
    claim = json.loads(row.claim)
    letters, plain = search.letters_of(q), rules.name_plain(q)
    sounds = search.sounds_like(letters, search.readings(claim["name"])) if letters and q.isascii() else False
    return (
        sounds
        or plain in claim["name"]
        or rules.document_normal(q)
        in (
            claim["document_number"],
            claim["document_number"][-4:],
        )
    )


def case_get(principal: Principal, review_id: UUID) -> Case:
    row = _visible(principal).filter(id=review_id).first()
    case = _case(row, _own_among(principal, [row])) if row is not None else None
    if case is None:
        raise NotFound()
    return case


@transaction.atomic
def review_decide(
    *, principal: Principal, review_id: UUID, verdict: str, note: str, survivor_id: UUID | None = None
) -> DuplicateReview:
    """One person or two, decided once. `same` of a pair merges into `survivor_id`, see `patient_merge`.

    Conflict `review_decided`, `merge_other_hospital` when one of the two is not of the caller's institutions.
    """
    if verdict not in VERDICTS:
        raise Invalid("invalid", field="verdict")
    case = case_get(principal, review_id)
    row = DuplicateReview.objects.select_for_update().get(id=review_id)
    if row.status != OPEN:
        raise Conflict("review_decided")
    deed = Deed(action="patient.merge", object_id=review_id, version=verdict)
    if verdict == SAME and case.right is not None:
        row.merge = _merge_of(principal, case, survivor_id, note, deed)
    else:
        proof_consume(principal=principal, deed=deed)
    row.status, row.note, row.decided_by_id, row.decided_at = verdict, note.strip(), principal.id, now()
    row.save()
    patients = tuple(one.id for one in (case.left, case.right) if one)
    _noted(principal, "duplicate.decide", row, patients=patients, reason=f"{verdict} {note}".strip())
    return row


def _merge_of(
    principal: Principal, case: Case, survivor_id: UUID | None, note: str, deed: Deed
) -> PatientMerge:
    assert case.right is not None
    pair = {case.left.id: case.right.id, case.right.id: case.left.id}
    if survivor_id not in pair:
        raise Invalid("merge_survivor", field="survivor")
    if case.own != frozenset(pair):
        raise Conflict("merge_other_hospital")
    return patient_merge(
        principal=principal, source_id=pair[survivor_id], survivor_id=survivor_id, reason=note, deed=deed
    )


@transaction.atomic
def merge_undo(*, principal: Principal, merge_id: UUID, reason: str) -> PatientMerge:
    """As `patient_unmerge`; the review that led to it now says two persons."""
    row = patient_unmerge(principal=principal, merge_id=merge_id, reason=reason)
    row.reviews.update(status=DISTINCT, decided_by_id=principal.id, decided_at=now())
    return row


def _noted(
    principal: Principal, action: str, row: DuplicateReview, *, patients: tuple[UUID, ...], reason: str
) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="duplicate_review",
        object_id=row.id,
        institution_id=row.institution_id,
        reason=reason,
        patient_ids=patients,
    )
